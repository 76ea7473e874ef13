"""What the operator feels: torque mapping and force-feedback control (SoftGrasp, Eq. (1), Algorithm 1)."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..bounds import require_within
from ..joints import NUM_JOINTS, FloatArray
from .contact import ContactConfig, ContactState, ContactTracker, IntArray

BoolArray = NDArray[np.bool_]

_SAME_SAMPLE_S = 1e-4
"""Hand samples closer in time than this are one sample seen twice; no hand reports at 10 kHz."""

MAX_TORQUE_N = 10.0
"""The most that any option can make a glove press with, whichever glove it is."""

SILENCE_TO_ZERO_S = 0.15
"""The glove is at zero this long after the hand's last sample at the latest, whatever its rate."""

_MAX_STALE_AFTER_S = 0.1
_SILENCE_FALL_S = 0.03
"""The longest a torque takes to fall once the hand is silent. With `_MAX_STALE_AFTER_S` it leaves two
ticks of the slowest glove (100 Hz) until `SILENCE_TO_ZERO_S`.
"""

_PLAUSIBLE_TORQUE_N = 60.0
_PLAUSIBLE_CLOSURE = (-0.5, 1.5)


def plausible(torque: FloatArray, closure: FloatArray) -> BoolArray:
    """Which joints of a hand's sample can be true, of the shape of both.

    No hand here measures ±60 N at a fingertip, or bends half a range beyond its ends: such a reading is a
    fault of the hand or its wire, and so is one that is not finite.
    """
    low, high = _PLAUSIBLE_CLOSURE
    return np.asarray(
        (np.abs(torque) <= _PLAUSIBLE_TORQUE_N) & (np.asarray(closure) >= low) & (np.asarray(closure) <= high)
    )


def map_torque(torque: FloatArray, contact_torque: FloatArray | float, max_torque: float) -> FloatArray:
    """Torque for the glove from the torque of the hand (SoftGrasp, Eq. (1)).

    Args:
        torque: Ts, newtons, any shape.
        contact_torque: T_con, newtons, broadcastable to `torque`.
        max_torque: Tm_max, newtons.

    Returns:
        Tm, the shape of `torque`: 0 below T_con, Ts from there on, at most Tm_max.
    """
    return np.where(np.asarray(torque) < contact_torque, 0.0, np.minimum(torque, max_torque))


@dataclass
class FeedbackConfig:
    """How strongly and how fast the glove pushes back.

    Attributes:
        contact: when a joint of the hand touches and when it has clutched.
        max_torque: Tm_max, the most a glove joint is ever asked for, newtons at the fingertip; 10 at most.
        amplification: α, which regulates the glove's joint speed in contact: Âm = Am − α·|ΔAs|. Seconds,
            since ΔAs is a rate here; per step of the paper's 30 Hz loop it is 30 times as large.
        slew_rate: the fastest the commanded torque rises or falls while the hand speaks, newtons per second.
        stale_after_s: age at which a sample of the hand no longer counts, 0.1 s at most.

    Raises:
        ValueError: if a value is out of range, or `max_torque` does not exceed every contact torque.
    """

    contact: ContactConfig = field(default_factory=ContactConfig)
    max_torque: float = 5.0
    amplification: float = 0.01
    slew_rate: float = 50.0
    stale_after_s: float = _MAX_STALE_AFTER_S

    def __post_init__(self) -> None:
        require_within("feedback.max_torque", self.max_torque, 0.0, MAX_TORQUE_N, "N", above_low=True)
        require_within("feedback.slew_rate", self.slew_rate, 10.0, 1000.0, "N/s")
        require_within("feedback.stale_after_s", self.stale_after_s, 0.02, _MAX_STALE_AFTER_S, "s")
        require_within("feedback.amplification", self.amplification, 0.0, 1.0, "s")
        if self.max_torque <= max(self.contact.contact_torque):
            raise ValueError(
                f"max_torque {self.max_torque} N must exceed every contact torque "
                f"{self.contact.contact_torque}, otherwise contact cannot be felt"
            )

    @property
    def silence_to_zero_s(self) -> float:
        """Seconds after the hand's last sample within which every torque is zero, to within two ticks."""
        return self.stale_after_s + self.max_torque / self.silence_rate

    @property
    def silence_rate(self) -> float:
        """Newtons per second at which the torques fall once the hand is silent."""
        return max(self.slew_rate, self.max_torque / _SILENCE_FALL_S)


@dataclass(frozen=True)
class FeedbackCommand:
    """What the glove renders in one tick.

    Attributes:
        torque: (6,) T̂m, newtons at the fingertip, inside [0, Tm_max]; 0 sets a joint free.
        angle: (6,) Âm, the normalised glove angle to hold, inside [0, 1]; 0 where the torque is 0 and the
            joint free.
        state: (6,) values of `ContactState`.
    """

    torque: FloatArray
    angle: FloatArray
    state: IntArray


class ForceFeedback:
    """Algorithm 1 for all six joints, one `update` per tick of the glove.

    A joint whose torque or closure cannot be true (`plausible`) or whose glove angle is not finite counts as
    free, and its torque falls to zero at the slew rate. So does the whole hand once its newest sample is
    older than `stale_after_s`, missing (`age_s` infinite) or from the future; then every torque falls within
    30 ms.
    """

    def __init__(self, config: FeedbackConfig) -> None:
        self.config = config
        self._tracker = ContactTracker(config.contact)
        # A joint in contact stays so down to the hysteresis band, and is felt down to there.
        self._felt_from = np.array(config.contact.contact_torque) * (1 - config.contact.hysteresis)
        self.reset()

    def reset(self) -> None:
        """Forget everything: every joint free at zero torque."""
        self._tracker.reset()
        self._torque: FloatArray = np.zeros(NUM_JOINTS)
        self._angle: FloatArray = np.zeros(NUM_JOINTS)
        self._time = 0.0
        self._forget_motion()

    def _forget_motion(self) -> None:
        self._closure: FloatArray | None = None
        self._sample_time = -np.inf
        self._rate: FloatArray = np.full(NUM_JOINTS, np.inf)

    def update(
        self,
        torque: FloatArray | None,
        closure: FloatArray | None,
        angle: FloatArray,
        age_s: float,
        dt_s: float,
    ) -> FeedbackCommand:
        """Advance by one tick.

        Args:
            torque: (6,) Ts of the hand's newest sample, newtons; None if the hand never spoke.
            closure: (6,) As of the same sample; None likewise.
            angle: (6,) Am, the glove's own angles now.
            age_s: seconds since that sample was taken.
            dt_s: seconds since the previous tick, on the clock of `age_s`.

        Raises:
            ValueError: if an array does not have six entries, or `dt_s` is negative or not finite.
        """
        if not 0 <= dt_s < np.inf:
            raise ValueError(f"dt_s must be finite and not negative, got {dt_s}; use a monotonic clock")
        self._time += dt_s
        angle = _six(angle, "angle")
        angle_known = np.isfinite(angle)
        self._angle = np.where(angle_known, np.clip(angle, 0.0, 1.0), self._angle)

        # A sample from the future would never grow stale, and nobody can have measured it.
        is_fresh = -_SAME_SAMPLE_S <= age_s <= self.config.stale_after_s
        if torque is None or closure is None or not is_fresh:
            self._forget_motion()
            self._tracker.reset()
            return self._slew(np.zeros(NUM_JOINTS), self._angle, self.config.silence_rate * dt_s)

        torque, closure = _six(torque, "torque"), _six(closure, "closure")
        known = angle_known & plausible(torque, closure)
        torque = np.where(known, torque, 0.0)
        self._measure_rate(np.where(known, closure, np.nan), self._time - age_s)
        state = self._tracker.update(torque, self._rate)

        contact, clutched = state == ContactState.CONTACT, state == ContactState.CLUTCHED
        target = np.select(
            [contact, clutched],
            [map_torque(torque, self._felt_from, self.config.max_torque), self.config.max_torque],
            default=0.0,
        )
        yielded = np.where(contact & np.isfinite(self._rate), self.config.amplification * self._rate, 0.0)
        return self._slew(target, np.clip(self._angle - yielded, 0.0, 1.0), self.config.slew_rate * dt_s)

    def _measure_rate(self, closure: FloatArray, sample_time: float) -> None:
        """|ΔAs| between hand samples, not between ticks: the glove ticks faster than the hand speaks."""
        elapsed = sample_time - self._sample_time
        if elapsed <= _SAME_SAMPLE_S:
            return
        if self._closure is not None:
            with np.errstate(over="ignore"):  # an absurd closure is too fast, which is what it should be
                rate = np.abs(closure - self._closure) / elapsed
            self._rate = np.where(np.isfinite(rate), rate, np.inf)
        self._closure, self._sample_time = closure, sample_time

    def _slew(self, target: FloatArray, angle: FloatArray, step: float) -> FeedbackCommand:
        self._torque = np.clip(target, self._torque - step, self._torque + step)
        # Âm = 0 under a torque that is still falling would pull the finger open; until it is zero, follow the
        # finger.
        held = np.where(self._torque > 0, angle, 0.0)
        return FeedbackCommand(self._torque.copy(), held, self._tracker.state)


def _six(values: FloatArray, name: str) -> FloatArray:
    values = np.asarray(values, dtype=np.float64)
    if values.shape != (NUM_JOINTS,):
        raise ValueError(f"{name} must have shape ({NUM_JOINTS},), got {values.shape}")
    return values
