"""What every hand offers, real or simulated."""

from typing import Protocol

from ...joints import FloatArray
from ..hand_sample import HandSample


class Hand(Protocol):
    """A six-joint hand that takes closures and, if it can, a limit on the grip."""

    @property
    def is_connected(self) -> bool: ...

    def connect(self) -> None: ...

    def disconnect(self) -> None:
        """Leave the hand holding what it holds."""

    @property
    def strongest_grip(self) -> FloatArray:
        """The highest torque (6,) in newtons that any command makes a joint press with at the moment."""

    def read(self) -> HandSample:
        """The newest sample."""

    def recent_torques(self) -> FloatArray:
        """What was measured lately, (n, 6) in newtons, the newest sample last."""

    def write(self, closure: FloatArray, torque_limit: FloatArray | None = None) -> None:
        """Command closures (6,); `torque_limit` (6,) in newtons caps the force each joint may apply."""
