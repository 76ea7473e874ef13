"""One reading of a hand, as the hand's driver makes it and the glove feels it."""

from dataclasses import dataclass

from ..joints import FloatArray


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
