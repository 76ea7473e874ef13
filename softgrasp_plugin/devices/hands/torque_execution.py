"""What a hand is told when an action names closures and torques: the same for every robot and environment."""

from dataclasses import dataclass

import numpy as np

from ...grasping.torque_command import TorqueCommandConfig, torque_limit
from ...grasping.torque_tracking import TorqueTracker, TrackedClosure
from ...joints import FloatArray
from .protocol import Hand

_SAME_N = 1e-5
"""Torques that differ by less are one reading that went through another number format."""


@dataclass(frozen=True)
class GripCommand:
    """What to write to the hand; every limit still applies to it.

    Attributes:
        closure: (6,), inside [0, 1].
        torque_limit: (6,) in newtons; None where only the hand's own limit holds.
        tracked: what the tracker proposed; None where torques are not followed.
    """

    closure: FloatArray
    torque_limit: FloatArray | None
    tracked: TrackedClosure | None = None


class TorqueExecution:
    """Executes predicted torques as the configuration says.

    Args:
        config: how.
    """

    def __init__(self, config: TorqueCommandConfig) -> None:
        self._config = config
        self._tracker = TorqueTracker(config.tracking)

    def reset(self) -> None:
        """A new grasp begins."""
        self._tracker.reset()

    def plan(self, hand: Hand, closure: FloatArray, predicted: FloatArray) -> GripCommand:
        """Turn an action into a command; nothing is remembered before `executed` says that it was one.

        Torques that the hand itself has measured lately are no prediction: a person's demonstration or
        correction carries them, and is executed as it is. What the hand cannot press is not waited for.

        Args:
            hand: what the command is for.
            closure: (6,), inside [0, 1].
            predicted: (6,) in newtons; NaN where the action names none.

        Raises:
            DeviceError: if the hand is lost or silent, where torques are followed.
        """
        if self._config.mode != "track":
            return GripCommand(closure, torque_limit(predicted, self._config))
        sample = hand.read()
        if (np.abs(hand.recent_torques() - predicted) <= _SAME_N).all(axis=1).any():
            predicted = np.full_like(predicted, np.nan)
        reachable = np.minimum(predicted, hand.strongest_grip)
        tracked = self._tracker.propose(closure, reachable, sample.torque, sample.timestamp)
        return GripCommand(tracked.closure, None, tracked)

    def executed(self, command: GripCommand) -> None:
        """The hand has taken a command."""
        if command.tracked is not None:
            self._tracker.accept(command.tracked)
