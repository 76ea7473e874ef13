"""Using a predicted torque as a limit on the grip.

A policy predicts the torque of the next moment beside the closure. Executed as a limit it can keep a closure
that is too tight from becoming a force that is too high. A limit never goes below a floor, so that a hand
told "no torque" (as when LeRobot returns a robot to its first observation) can still move, and never above a
maximum, whatever a policy says.
"""

from dataclasses import dataclass

import numpy as np

from ..bounds import require_within
from ..joints import FloatArray

MODES = ("ignore", "limit")
HIGHEST_LIMIT_N = 30.0
"""No hand of this package grips with more."""


@dataclass
class TorqueCommandConfig:
    """How the torque entries of an action are executed.

    Attributes:
        mode: `ignore`, or `limit` to cap each joint's force.
        floor_n: lowest limit in newtons, enough to move the hand in free air.
        maximum_n: highest limit in newtons.
    """

    mode: str = "ignore"
    floor_n: float = 1.0
    maximum_n: float = 10.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for an unknown mode, limits out of range, or limits out of order.
        """
        if self.mode not in MODES:
            raise ValueError(f"torque_command is one of {', '.join(MODES)}; got {self.mode!r}.")
        for name in ("floor_n", "maximum_n"):
            require_within(f"torque.{name}", getattr(self, name), 0.0, HIGHEST_LIMIT_N, "N", above_low=True)
        if self.floor_n > self.maximum_n:
            raise ValueError(
                "A torque limit needs 0 < floor_n <= maximum_n; "
                f"got floor_n={self.floor_n}, maximum_n={self.maximum_n}."
            )


def torque_limit(predicted: FloatArray, config: TorqueCommandConfig) -> FloatArray | None:
    """The limit (6,) in newtons for predicted torques (6,) in newtons, or None where torque commands are
    ignored.

    A joint whose prediction is not finite (a joint the action did not mention) gets the maximum.
    """
    if config.mode == "ignore":
        return None
    wanted = np.where(np.isfinite(predicted), predicted, config.maximum_n)
    return np.clip(wanted, config.floor_n, config.maximum_n)
