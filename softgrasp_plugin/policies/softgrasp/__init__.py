"""The paper's policy: images, joint angles and joint torques fused by attention (SoftGrasp, section 3.2)."""
