"""The force-feedback glove and its simulated wearer as LeRobot teleoperators."""
