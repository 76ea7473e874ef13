"""What every force-feedback glove offers, real or simulated."""

from dataclasses import dataclass
from typing import Protocol

from lerobot.motors import MotorCalibration

from ...joints import FloatArray


@dataclass(frozen=True)
class GloveSample:
    """One reading of the glove.

    Attributes:
        angle: shape (6,), the paper's Am: normalised joint angle of the glove, 0 finger straight … 1 finger
            bent.
        timestamp: seconds on the clock of the device.
    """

    angle: FloatArray
    timestamp: float


class Glove(Protocol):
    """A glove whose joints are motors: each can be told to hold an angle with a limited torque."""

    @property
    def is_connected(self) -> bool: ...

    def connect(self) -> None: ...

    def disconnect(self) -> None:
        """Release every motor, then close the connection."""

    def read(self) -> GloveSample: ...

    def render(self, torque: FloatArray, angle: FloatArray) -> None:
        """Hold `angle` (6,), the paper's Âm, with at most `torque` (6,) newtons at the fingertip, the paper's
        T̂m; 0 sets a joint free.
        """

    def release(self) -> None:
        """Set every joint free at once."""


class WearableGlove(Glove, Protocol):
    """A glove that a person wears: its range depends on the wearer."""

    @property
    def is_calibrated(self) -> bool: ...

    def lead(self, torque: FloatArray, angle: FloatArray) -> None:
        """Drive the fingers to `angle` (6,) with at most `torque` (6,) newtons, in either direction."""

    def calibrate(self) -> dict[str, MotorCalibration]:
        """Ask the wearer for an open and a bent hand, use the range, and return it as LeRobot stores it."""
