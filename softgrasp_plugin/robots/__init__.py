"""UR3 with a dexterous hand as LeRobot robots."""
