"""TimeSformer over images, joint angles and joint torques, as the paper compares it (SoftGrasp, Table 6)."""
