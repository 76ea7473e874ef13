"""The simulation as a Gymnasium environment for `lerobot-eval` and for evaluation during training."""
