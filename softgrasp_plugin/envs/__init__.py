"""The simulation as a Gymnasium environment for `lerobot-eval` and for evaluation during training."""

from .config_softgrasp_sim import SoftGraspSimEnvConfig

__all__ = ["SoftGraspSimEnvConfig"]
