"""The thread that owns a glove: it feels what the hand feels at the glove's rate, whatever LeRobot's loop
does.
"""

import logging
import math
import threading
import time
from dataclasses import dataclass

from ...grasping.force_feedback import FeedbackCommand, FeedbackConfig, ForceFeedback
from ...joints import FloatArray
from ..errors import DeviceError, DeviceLostError, DeviceSilentError
from ..feel import FeelChannel
from ..hand_sample import HandSample
from ..polling import STALE_AFTER_S, Poller
from .exit_guard import guard, unguard
from .feedback_loop import FeedbackLoop
from .protocol import GloveSample, WearableGlove

logger = logging.getLogger(__name__)

_GIVE_UP_AFTER_S = 0.1
"""Silent this long, the glove counts as lost; single lost packets are tried again in the next tick."""

_JOIN_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class GloveHealth:
    """How the glove's loop is doing.

    Attributes:
        rate_hz: ticks per second, measured over the last second's worth of them; 0 before the second.
        sample_age_s: age of the newest reading of the glove; infinite if there is none.
        torque_age_s: age of the newest torque of the hand that was felt; infinite if there was none.
        feedback_delay_s: from asking the hand for that torque to having told the glove's motors what to do
            about it; infinite if there was none.
        command: what Algorithm 1 told the glove last; None while the glove is led or muted.
        failures: ticks that failed since the start.
        error: why the thread ended, if it did so by itself.
    """

    rate_hz: float
    sample_age_s: float
    torque_age_s: float
    feedback_delay_s: float
    command: FeedbackCommand | None
    failures: int
    error: BaseException | None


class _Tap:
    """Passes everything on to a glove and keeps its newest sample."""

    def __init__(self, glove: WearableGlove) -> None:
        self._glove = glove
        self.sample: GloveSample | None = None
        self.connect = glove.connect
        self.disconnect = glove.disconnect
        self.render = glove.render
        self.release = glove.release

    @property
    def is_connected(self) -> bool:
        return self._glove.is_connected

    def read(self) -> GloveSample:
        self.sample = self._glove.read()
        return self.sample


class GloveThread:
    """Runs `FeedbackLoop` on a connected glove; from `start` to `stop` nobody else may touch the glove.

    However it ends (`stop`, a lost glove, the process's exit or a signal), its last act is to release the
    glove.

    Args:
        glove: the glove; `str(glove)` names it in messages.
        channel: where the hand publishes.
        feedback: settings of Algorithm 1.
        rate_hz: ticks per second.
    """

    def __init__(
        self, glove: WearableGlove, channel: FeelChannel, feedback: FeedbackConfig, rate_hz: float
    ) -> None:
        self._glove = glove
        self._tap = _Tap(glove)
        self._channel = channel
        self._loop = FeedbackLoop(self._tap, channel, ForceFeedback(feedback), time.monotonic)
        # A daemon: the process's exit must not hang on a glove, and the exit guard stops it in any case.
        self._poller: Poller[None] = Poller(
            str(glove),
            self._tick,
            rate_hz,
            give_up_after_s=_GIVE_UP_AFTER_S,
            last_act=self._release_for_the_last_time,
            daemon=True,
        )
        self._lead: tuple[FloatArray, FloatArray] | None = None
        self._mute = threading.Event()
        self._quiet = threading.Event()
        self._command: FeedbackCommand | None = None
        self._torque_time = -math.inf
        self._feedback_delay_s = math.inf
        self._is_released = False

    @property
    def health(self) -> GloveHealth:
        """How the loop is doing, now."""
        now = time.monotonic()
        sample = self._tap.sample
        return GloveHealth(
            rate_hz=self._poller.rate_hz,
            sample_age_s=math.inf if sample is None else now - sample.timestamp,
            torque_age_s=now - self._torque_time,
            feedback_delay_s=self._feedback_delay_s,
            command=self._command,
            failures=self._poller.failures,
            error=self._poller.error,
        )

    def start(self) -> None:
        """Start, once, and return when the glove has been read.

        Raises:
            DeviceError: if the first readings fail.
        """
        if self._poller.is_running or self._quiet.is_set():
            raise RuntimeError(f"{self._glove}: its thread can only be started once.")
        guard(self)
        try:
            self._poller.start(first_sample_timeout_s=None)
        except BaseException:  # a Ctrl-C too: whoever called does not own a running thread
            self.stop()
            raise

    def stop(self) -> None:
        """End the thread; the glove has been released when this returns.

        Raises:
            DeviceLostError: if the thread does not end, so that nothing is known about the glove.
        """
        self._poller.stop(_JOIN_TIMEOUT_S, "Take the glove's power away, then start the command again.")
        unguard(self)

    def mute(self, timeout_s: float) -> bool:
        """From now on no force, for good; the glove is still read.

        Returns:
            Whether the glove was released within `timeout_s`, and that was read back.
        """
        self._mute.set()
        return self._quiet.wait(timeout_s) and self._is_released

    def lead(self, angle: FloatArray, torque: FloatArray) -> None:
        """Drive the fingers to `angle` (6,) with at most `torque` (6,) newtons, instead of feeling."""
        self._lead = (angle, torque)

    def stop_leading(self) -> None:
        """Feel the hand again."""
        self._lead = None

    def latest(self) -> GloveSample:
        """The newest sample.

        Raises:
            DeviceError: if the glove is lost, or its newest sample is older than 150 ms.
        """
        if (error := self._poller.error) is not None:
            raise self._loss(error) from error
        sample = self._tap.sample
        age = math.inf if sample is None else time.monotonic() - sample.timestamp
        if sample is None or age > STALE_AFTER_S:
            raise DeviceSilentError(
                str(self._glove),
                f"its newest reading is {age:.2f} s old, at most {STALE_AFTER_S} s is accepted.",
                "Check its cable, and that the computer is not overloaded.",
            )
        return sample

    def _loss(self, error: BaseException) -> DeviceError:
        released = (
            "Its force was read back and is zero."
            if self._is_released
            else "Its force was set to zero as far as it could be reached; this could not be verified."
        )
        if isinstance(error, DeviceError):
            return type(error)(error.device, f"{error.problem} {released}", error.remedy)
        return DeviceLostError(
            str(self._glove), f"its thread ended ({error}). {released}", "Start the command again."
        )

    def _tick(self) -> None:
        lead = self._lead
        if self._mute.is_set():
            if not self._quiet.is_set():
                self._loop.reset()
                self._is_released = True
                self._quiet.set()
            self._tap.read()
            self._command = None
        elif lead is not None:
            self._tap.read()
            self._glove.lead(lead[1], lead[0])
            self._command = None
        else:
            if self._command is None:
                self._loop.reset()
            self._command = self._loop.tick()
            self._note(self._loop.felt)

    def _note(self, felt: HandSample | None) -> None:
        if felt is None:
            self._torque_time, self._feedback_delay_s = -math.inf, math.inf
        elif felt.timestamp != self._torque_time:
            self._torque_time = felt.timestamp
            self._feedback_delay_s = time.monotonic() - felt.timestamp

    def _release_for_the_last_time(self) -> None:
        self._is_released = False
        try:
            self._glove.release()
            self._is_released = True
        except Exception as error:  # whatever it was, it is said, and the thread ends
            logger.error("The force could NOT be verified to be zero. %s", error)
        self._quiet.set()
