"""When and how the arm lifts: 100 mm at 100 mm/s, once clutched (SoftGrasp, sections 4.1.2, 4.1.4).

The same supervisor serves teleoperation and policies, so that neither decides when to lift.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from ..bounds import require_within
from ..joints import FINGERS, NUM_JOINTS, THUMB_BEND, FloatArray
from .contact import ContactConfig, ContactState, ContactTracker, IntArray

_MAX_STEP_S = 0.1
"""The lift advances by no more than this per call: a stalled loop must not end in a jump of the arm."""


class LiftPhase(StrEnum):
    """What the arm is doing."""

    GRASPING = "grasping"
    LIFTING = "lifting"
    HOLDING = "holding"
    LOWERING = "lowering"


@dataclass
class LiftConfig:
    """The lift and the condition that starts it.

    Attributes:
        height_m: height of the lift, metres.
        speed_m_s: speed of the lift, metres per second, up and down.
        ramp_s: seconds in which the speed rises from zero at the bottom and falls to zero at the top.
        settle_s: seconds for which closures and torques must have been steady.
        settle_closure_rate: steadiness of every closure over those seconds, closure per second.
        settle_torque_rate: steadiness of every torque over those seconds, newtons per second.
        contact: when a joint counts as clutched.

    Raises:
        ValueError: if a value is outside its hard bounds, or the ramps leave no way between them.
    """

    height_m: float = 0.1
    speed_m_s: float = 0.1
    ramp_s: float = 0.2
    settle_s: float = 0.5
    settle_closure_rate: float = 0.02
    settle_torque_rate: float = 0.6
    contact: ContactConfig = field(default_factory=ContactConfig)

    def __post_init__(self) -> None:
        for name, low, high, unit in (
            ("height_m", 0.0, 0.5, "m"),
            ("speed_m_s", 0.0, 0.25, "m/s"),
            ("ramp_s", 0.01, 5.0, "s"),
            ("settle_s", 0.05, 10.0, "s"),
            ("settle_closure_rate", 0.0, 1.0, "1/s"),
            ("settle_torque_rate", 0.0, 20.0, "N/s"),
        ):
            require_within(f"lift.{name}", getattr(self, name), low, high, unit, above_low=True)
        if self.speed_m_s * self.ramp_s > self.height_m:
            raise ValueError(
                f"ramps of {self.ramp_s} s to {self.speed_m_s} m/s need more than the lift's "
                f"{self.height_m} m; shorten ramp_s"
            )

    @property
    def duration_s(self) -> float:
        """Seconds from the bottom to the top, and back."""
        return self.height_m / self.speed_m_s + self.ramp_s

    @property
    def acceleration_m_s2(self) -> float:
        """How fast the speed of the lift changes in its ramps."""
        return self.speed_m_s / self.ramp_s


def is_grasped(state: IntArray) -> bool:
    """Whether thumb_bend and at least one finger are clutched, given `ContactState` values (6,)."""
    clutched = state == ContactState.CLUTCHED
    return bool(clutched[THUMB_BEND] and clutched[FINGERS].any())


class LiftSupervisor:
    """Commands the height of the arm from what the hand measures.

    The lift starts when `is_grasped` and, between the halves of the last `settle_s` seconds, the mean of no
    closure and no torque has changed faster than its settle rate. Once started it goes to the top and stays
    there, until `lower` lets it come down as it went up; the next grasp counts from the bottom on.
    """

    def __init__(self, config: LiftConfig) -> None:
        self.config = config
        self._tracker = ContactTracker(config.contact)
        self._window: deque[tuple[float, FloatArray]] = deque()
        self._time: float | None = None
        self._lifted_s: float | None = None
        self._lowered_s: float | None = None

    def reset(self) -> None:
        """Start a new grasp, with the arm at the grasp pose."""
        self._time = None
        self._begin_grasp()

    def lower(self) -> None:
        """Come down from the top; elsewhere this does nothing."""
        if self.phase is LiftPhase.HOLDING:
            self._lowered_s = 0.0

    def _begin_grasp(self) -> None:
        self._tracker.reset()
        self._window.clear()
        self._lifted_s = self._lowered_s = None

    @property
    def phase(self) -> LiftPhase:
        """What the arm is doing."""
        if self._lifted_s is None:
            return LiftPhase.GRASPING
        if self._lowered_s is not None:
            return LiftPhase.LOWERING
        return LiftPhase.LIFTING if self._lifted_s < self.config.duration_s else LiftPhase.HOLDING

    def update(self, closure: FloatArray, torque: FloatArray, time_s: float) -> float:
        """Take in one sample of the hand.

        Args:
            closure: (6,) measured closure.
            torque: (6,) measured fingertip force, newtons. A NaN here or above counts as not steady.
            time_s: time of the sample; steps may be irregular, a repeated time is ignored.

        Returns:
            The commanded height above the grasp pose, metres.

        Raises:
            ValueError: if time runs backwards (call `reset` between episodes), is not finite, or an array
                does not have six entries.
        """
        sample = np.concatenate([closure, torque]).astype(np.float64)
        if sample.shape != (2 * NUM_JOINTS,):
            raise ValueError(
                f"closure and torque must have {NUM_JOINTS} entries each, "
                f"got {len(closure)} and {len(torque)}"
            )
        if not np.isfinite(time_s) or (self._time is not None and time_s < self._time):
            raise ValueError(
                f"time went from {self._time} to {time_s} s; it must not fall, call reset() between episodes"
            )
        elapsed = 0.0 if self._time is None else time_s - self._time
        if self._lowered_s is not None:
            self._lowered_s += min(elapsed, _MAX_STEP_S)
            if self._lowered_s >= self.config.duration_s:
                self._begin_grasp()
        elif self._lifted_s is not None:
            self._lifted_s += min(elapsed, _MAX_STEP_S)
        elif self._time is None or elapsed > 0:
            self._watch(sample, elapsed, time_s)
        self._time = time_s
        return self._height()

    def _watch(self, sample: FloatArray, elapsed: float, time_s: float) -> None:
        # After a gap as long as the whole window nothing is known of what happened in it.
        if elapsed > self.config.settle_s:
            self._window.clear()
        rate: FloatArray = np.full(NUM_JOINTS, np.inf)
        if self._window:
            rate = (sample[:NUM_JOINTS] - self._window[-1][1][:NUM_JOINTS]) / elapsed
        state = self._tracker.update(sample[NUM_JOINTS:], rate)

        self._window.append((time_s, sample))
        edge = time_s - self.config.settle_s + 1e-9
        while len(self._window) > 1 and self._window[1][0] <= edge:
            self._window.popleft()
        if is_grasped(state) and self._window[0][0] <= edge and self._is_steady():
            self._lifted_s = 0.0

    def _is_steady(self) -> bool:
        """Compare the means of the window's halves: sensor noise and a trembling hand average out, a grip
        that still closes does not.
        """
        samples = np.stack([sample for _, sample in self._window])
        older, newer = np.array_split(samples, 2)
        rate = np.abs(newer.mean(axis=0) - older.mean(axis=0)) / (self.config.settle_s / 2)
        closures, torques = rate[:NUM_JOINTS], rate[NUM_JOINTS:]
        return bool(
            (closures < self.config.settle_closure_rate).all()
            and (torques < self.config.settle_torque_rate).all()
        )

    def _height(self) -> float:
        if self._lifted_s is None:
            return 0.0
        if self._lowered_s is not None:
            return self.config.height_m - self._way(self._lowered_s)
        return self._way(self._lifted_s)

    def _way(self, moved_s: float) -> float:
        """How far the arm gets in `moved_s` seconds: up to speed in `ramp_s`, down from it in `ramp_s`."""
        ramp, speed = self.config.ramp_s, self.config.speed_m_s
        time = min(moved_s, self.config.duration_s)
        rising = min(time, ramp)
        falling = max(time - (self.config.duration_s - ramp), 0.0)
        cruising = max(time - ramp, 0.0)
        way = speed * (rising**2 / (2 * ramp) + cruising - falling**2 / (2 * ramp))
        return min(max(way, 0.0), self.config.height_m)
