"""From a configuration to a glove."""

from typing import Protocol

from lerobot.motors import MotorCalibration

from ...joints import FloatArray
from .config import BridgeGloveConfig, DogloveConfig, DynamixelGloveConfig, GloveConfig
from .protocol import Glove


class WearableGlove(Glove, Protocol):
    """A glove that a person wears: its range depends on the wearer."""

    @property
    def is_calibrated(self) -> bool: ...

    def lead(self, torque: FloatArray, angle: FloatArray) -> None:
        """Drive the fingers to `angle` (6,) with at most `torque` (6,) newtons, in either direction."""

    def calibrate(self) -> dict[str, MotorCalibration]:
        """Ask the wearer for an open and a bent hand, use the range, and return it as LeRobot stores it."""


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
    raise ValueError(
        f"No driver for gloves of type {config.type!r}; known types: dynamixel, doglove, bridge."
    )
