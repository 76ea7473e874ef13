"""One reading of a hand, as the hand's driver makes it and the glove feels it."""

from dataclasses import dataclass

from ..joints import FloatArray


@dataclass(frozen=True)
class HandSample:
    """One reading of the hand.

    Attributes:
        closure: shape (6,), measured closure, 0 open … 1 closed.
        torque: shape (6,), measured fingertip force in newtons, 0 when nothing is touched; NaN, which is no
            contact to whoever compares it, where the hand measures none.
        timestamp: seconds on the clock of the device (`time.monotonic`, or the world's time in simulation).
        measures_torque: False for a hand without torque sensing.
    """

    closure: FloatArray
    torque: FloatArray
    timestamp: float
    measures_torque: bool = True
