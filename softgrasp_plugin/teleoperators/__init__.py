"""The force-feedback glove and its simulated wearer as LeRobot teleoperators."""

from .config_force_glove import ForceGloveConfig
from .config_virtual_operator import VirtualOperatorConfig

__all__ = ["ForceGloveConfig", "VirtualOperatorConfig"]
