"""SoftGrasp as a LeRobot plugin."""
