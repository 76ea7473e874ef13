"""Following predicted torques: the closure is corrected until the hand feels what the policy expects.

A position servo turns an error of a few thousandths of closure into newtons. Where a joint touches, the
torque that a policy predicts is the better command, so the closure is corrected by the integral of predicted
minus measured torque: force control around a position command, as in FeelTheForce (arXiv 2506.01944).
"""

from dataclasses import dataclass

import numpy as np

from ..bounds import require_within
from ..joints import NUM_JOINTS, THUMB_SWING, FloatArray

_LONGEST_STEP_S = 0.1
"""A loop that stalled for longer corrects no further than this allows."""

_MOST_N = 100.0
"""More than any finger presses with: an absurd prediction counts as this."""


@dataclass(frozen=True)
class TorqueTrackingConfig:
    """How far and how fast the closure may be corrected.

    Attributes:
        gain: closure per second for each newton of difference.
        max_correction: most that is added to or taken from a closure.
        max_rate: fastest change of the correction, closure per second.
        contact_n: newtons from which a joint touches, or is expected to.

    Raises:
        ValueError: if a value is out of range.
    """

    gain: float = 0.006
    max_correction: float = 0.05
    max_rate: float = 0.1
    contact_n: float = 0.25

    def __post_init__(self) -> None:
        require_within("torque.tracking.gain", self.gain, 0.0, 0.1, "closure/(N s)", above_low=True)
        require_within("torque.tracking.max_correction", self.max_correction, 0.0, 0.2, "closure")
        require_within("torque.tracking.max_rate", self.max_rate, 0.0, 1.0, "closure/s", above_low=True)
        require_within("torque.tracking.contact_n", self.contact_n, 0.0, 5.0, "N", above_low=True)


@dataclass(frozen=True)
class TrackedClosure:
    """A closure as it should be commanded, and what is to be remembered once it is.

    Attributes:
        closure: (6,) corrected closure, inside [0, 1] and within `max_correction` of the one asked for.
        correction: (6,) how much of it was added.
        time_s: time of the sample that it answers.
    """

    closure: FloatArray
    correction: FloatArray
    time_s: float


class TorqueTracker:
    """Corrects the closures of the five bending joints; the thumb's swing carries the side load of the grip,
    which says little about its own angle.

    The correction of a joint that neither touches nor is expected to, or of which a torque is not known,
    falls back to zero at `max_rate`. It advances only with corrections that were carried out: one that was
    proposed and never reached the hand leaves nothing here.
    """

    def __init__(self, config: TorqueTrackingConfig) -> None:
        self.config = config
        self.reset()

    def reset(self) -> None:
        """Forget the correction: a new grasp begins."""
        self._correction: FloatArray = np.zeros(NUM_JOINTS)
        self._time: float | None = None

    def propose(
        self, closure: FloatArray, predicted: FloatArray, measured: FloatArray, time_s: float
    ) -> TrackedClosure:
        """Answer one sample of the hand; nothing changes here before `accept`.

        Args:
            closure: (6,) commanded closure, inside [0, 1].
            predicted: (6,) torque the policy expects, newtons; NaN where it names none.
            measured: (6,) torque of the newest sample, newtons.
            time_s: time of that sample; with a repeated or earlier time the correction stays what it is.
        """
        elapsed = 0.0 if self._time is None else min(max(time_s - self._time, 0.0), _LONGEST_STEP_S)
        config = self.config
        known = np.isfinite(predicted) & np.isfinite(measured)
        touches = known & ((predicted >= config.contact_n) | (measured >= config.contact_n))
        touches[THUMB_SWING] = False
        expected, felt = (
            np.where(touches, torque, 0.0).clip(0.0, _MOST_N) for torque in (predicted, measured)
        )
        error = expected - felt
        wanted = np.where(touches, self._correction + config.gain * error * elapsed, 0.0)
        step = config.max_rate * elapsed
        correction = np.clip(wanted, self._correction - step, self._correction + step)
        # What cannot be executed is not remembered either, or it would have to be unwound later.
        bound = config.max_correction
        corrected = np.clip(closure + np.clip(correction, -bound, bound), 0.0, 1.0)
        latest = time_s if self._time is None else max(time_s, self._time)
        return TrackedClosure(corrected, corrected - closure, latest)

    def accept(self, tracked: TrackedClosure) -> None:
        """The hand has taken what was proposed last."""
        self._correction, self._time = tracked.correction, tracked.time_s
