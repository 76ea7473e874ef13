"""How a predicted torque is executed: not at all, as a limit on the grip, or as what the grip should reach.

A policy predicts the torque of the next moment beside the closure. Executed as a limit, with a margin, it can
keep a closure that is too tight from becoming a force that is too high. A limit never goes below a floor, so
that a hand told "no torque" (as when LeRobot returns a robot to its first observation) can still move, and
never above a maximum, whatever a policy says. How a prediction is followed is told in `torque_tracking`.
"""

from dataclasses import dataclass, field

import numpy as np

from ..bounds import require_within
from ..joints import FloatArray
from .torque_tracking import TorqueTrackingConfig

MODES = ("ignore", "limit", "track")
HIGHEST_LIMIT_N = 30.0
"""No hand of this package grips with more."""


@dataclass(frozen=True)
class TorqueCommandConfig:
    """How the torque entries of an action are executed.

    Attributes:
        mode: `ignore`; `limit` to cap each joint's force; `track` to correct the closures until the hand
            feels what is predicted.
        margin: share of the prediction by which the limit of `limit` lies above it. A grip that may reach
            no more than what is predicted reaches less, and predictions follow what is felt.
        margin_n: newtons by which it lies above besides.
        floor_n: lowest limit of `limit` in newtons, enough to move the hand in free air.
        maximum_n: highest limit of `limit` in newtons.
        tracking: how far and how fast `track` corrects.
    """

    mode: str = "ignore"
    margin: float = 0.6
    margin_n: float = 0.3
    floor_n: float = 1.0
    maximum_n: float = 10.0
    tracking: TorqueTrackingConfig = field(default_factory=TorqueTrackingConfig)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for an unknown mode, limits out of range, or limits out of order.
        """
        if self.mode not in MODES:
            raise ValueError(f"torque.mode must be one of {', '.join(MODES)}; got {self.mode!r}.")
        require_within("torque.margin", self.margin, 0.0, 10.0)
        require_within("torque.margin_n", self.margin_n, 0.0, HIGHEST_LIMIT_N, "N")
        for name in ("floor_n", "maximum_n"):
            require_within(f"torque.{name}", getattr(self, name), 0.0, HIGHEST_LIMIT_N, "N", above_low=True)
        if self.floor_n > self.maximum_n:
            raise ValueError(
                "A torque limit needs 0 < floor_n <= maximum_n; "
                f"got floor_n={self.floor_n}, maximum_n={self.maximum_n}."
            )


def require_ignored(config: TorqueCommandConfig, option: str, sensing_option: str) -> None:
    """Refuse to execute predicted torques where no torque is measured: no action can name any.

    Args:
        config: how torques are executed.
        option: the option of its mode.
        sensing_option: the option that says that no torque is measured.

    Raises:
        ValueError: naming both options.
    """
    if config.mode != "ignore":
        raise ValueError(
            f"{option}={config.mode} executes predicted torques, and with {sensing_option}=false there are "
            f"none: set {option}=ignore. The hand's own limit holds in any case."
        )


def torque_limit(predicted: FloatArray, config: TorqueCommandConfig) -> FloatArray | None:
    """The limit (6,) in newtons for predicted torques (6,) in newtons, or None where predictions limit
    nothing.

    A joint whose prediction is not finite (a joint the action did not mention) gets the maximum.
    """
    if config.mode != "limit":
        return None
    expected = np.where(np.isfinite(predicted), predicted, config.maximum_n).clip(0.0, config.maximum_n)
    wanted = (1.0 + config.margin) * expected + config.margin_n
    return np.clip(wanted, config.floor_n, config.maximum_n)
