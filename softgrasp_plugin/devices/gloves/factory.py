"""From a configuration to a glove."""

from lerobot.motors import MotorCalibration

from .config import BridgeGloveConfig, DogloveConfig, DynamixelGloveConfig, GloveConfig
from .protocol import WearableGlove


def make_glove(config: GloveConfig, calibration: dict[str, MotorCalibration]) -> WearableGlove:
    """The glove that a configuration describes; what it needs is imported only now.

    Args:
        config: which glove.
        calibration: the wearer's range; empty where there is none yet.

    Raises:
        ValueError: for a type that no glove here has.
    """
    if isinstance(config, BridgeGloveConfig):
        from .bridge import BridgeGlove

        return BridgeGlove(config, calibration)
    if isinstance(config, DogloveConfig):
        from .doglove import Doglove

        return Doglove(config, calibration)
    if isinstance(config, DynamixelGloveConfig):
        from .motor_glove import MotorGlove

        return MotorGlove(config, calibration)
    return config.make_glove(calibration)
