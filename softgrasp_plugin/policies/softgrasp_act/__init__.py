"""LeRobot's ACT as the paper compares it: images and joint angles, no torques (SoftGrasp, Table 6)."""
