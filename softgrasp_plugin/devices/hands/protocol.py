"""What every hand offers, real or simulated."""

from dataclasses import dataclass
from typing import Protocol

from ...joints import FloatArray


@dataclass(frozen=True)
class HandSample:
    """One reading of the hand.

    Attributes:
        closure: shape (6,), measured closure, 0 open … 1 closed.
        torque: shape (6,), measured fingertip force in newtons, 0 when nothing is touched.
        timestamp: seconds on the clock of the device (`time.monotonic`, or the world's time in simulation).
    """

    closure: FloatArray
    torque: FloatArray
    timestamp: float


class Hand(Protocol):
    """A six-joint hand that takes closures and, if it can, a limit on the grip."""

    @property
    def is_connected(self) -> bool: ...

    def connect(self) -> None: ...

    def disconnect(self) -> None:
        """Leave the hand holding what it holds."""

    def read(self) -> HandSample:
        """The newest sample."""

    def write(self, closure: FloatArray, torque_limit: FloatArray | None = None) -> None:
        """Command closures (6,); `torque_limit` (6,) in newtons caps the force each joint may apply."""
