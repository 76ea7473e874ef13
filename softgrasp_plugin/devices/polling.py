"""A thread that owns a device's port: serial time never stretches LeRobot's loop."""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from ..bounds import require_within
from .errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceSilentError
from .realtime import prefer_this_thread, shorten_pauses

logger = logging.getLogger(__name__)

STALE_AFTER_S = 0.15
"""A sample older than this is not handed out."""

_HIGHEST_RATE_HZ = 1e4
_STOP_TIMEOUT_S = 5.0
_FINAL_ERRORS = (DeviceLostError, DeviceFaultError)


class Poller[T]:
    """Calls `poll` at its own rate and keeps what it returned in a slot: no queue, no lock held across I/O.

    An error that may pass (`DeviceSilentError`, or any other `ConnectionError` of a bus) does not end the
    thread before `give_up_after_s`: the next poll tries again, and the slot grows stale meanwhile. Any other
    exception ends it. Readers get the newest sample or an exception, never an old sample.

    The thread ends with `stop`, with an error, or by itself when the main thread has ended.

    Args:
        device: name of the device for messages.
        poll: one exchange with the device; only the poller's thread calls it.
        rate_hz: how often, if the device is fast enough.
        stale_after_s: age beyond which a sample counts as silence.
        give_up_after_s: nothing but errors for so long, and the last of them ends the thread.
        last_act: what the thread does last, however it ends.
        daemon: whether the process may end while the thread is stuck in the device.
        clock: seconds.

    Raises:
        ValueError: if `rate_hz` or `stale_after_s` is not positive.
    """

    def __init__(
        self,
        device: str,
        poll: Callable[[], T],
        rate_hz: float,
        *,
        stale_after_s: float = STALE_AFTER_S,
        give_up_after_s: float = math.inf,
        last_act: Callable[[], None] = lambda: None,
        daemon: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        require_within(f"{device}: rate_hz", rate_hz, 0.0, _HIGHEST_RATE_HZ, "Hz", above_low=True)
        require_within(f"{device}: stale_after_s", stale_after_s, 0.0, 1e9, "s", above_low=True)
        self._device = device
        self._poll = poll
        self._period_s = 1.0 / rate_hz
        self._stale_after_s = stale_after_s
        self._give_up_after_s = give_up_after_s
        self._last_act = last_act
        self._daemon = daemon
        self._clock = clock
        self._stop = threading.Event()
        self._progress = threading.Event()
        self._thread: threading.Thread | None = None
        self._successes: deque[float] = deque(maxlen=max(round(rate_hz), 2))
        self._forget()

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def rate_hz(self) -> float:
        """Successful polls per second, over the last second's worth of them; 0 before there are two."""
        times = tuple(self._successes)
        span_s = times[-1] - times[0] if times else 0.0
        return (len(times) - 1) / span_s if span_s > 0.0 else 0.0

    @property
    def age_s(self) -> float:
        """Age of the newest sample in seconds; infinite before the first."""
        slot = self._slot
        return math.inf if slot is None else self._clock() - slot[1]

    @property
    def failures(self) -> int:
        """Polls that failed since the start."""
        return self._failures

    @property
    def error(self) -> BaseException | None:
        """Why the thread ended, if it did so by itself."""
        return self._error

    def start(self, first_sample_timeout_s: float | None = 2.0) -> None:
        """Start the thread and wait for the first sample; with None, until there is one or the thread gives
        up.

        Raises:
            DeviceError: if the first sample did not come; the thread has then ended.
        """
        if self.is_running:
            raise RuntimeError(f"{self._device}: the poller is already running.")
        self._forget()
        self._stop.clear()
        self._progress.clear()
        shorten_pauses()
        self._thread = threading.Thread(target=self._run, name=f"poll {self._device}", daemon=self._daemon)
        self._thread.start()
        self._progress.wait(first_sample_timeout_s)
        if self._slot is None:
            self.stop()
            self._raise(self.age_s)

    def stop(
        self,
        timeout_s: float = _STOP_TIMEOUT_S,
        remedy: str = "Unplug the device and start the program again.",
    ) -> None:
        """End the thread; when this returns nobody uses the port any more.

        Args:
            timeout_s: how long the device may take.
            remedy: what to do where it takes longer.

        Raises:
            DeviceLostError: if the thread is stuck in the device.
        """
        self._stop.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        thread.join(timeout_s)
        if thread.is_alive():
            raise DeviceLostError(self._device, f"its thread did not end within {timeout_s:.0f} s.", remedy)

    def latest(self) -> T:
        """The newest sample.

        Raises:
            DeviceSilentError: if it is older than `stale_after_s`.
            DeviceError: whatever ended the thread.
        """
        self.check()
        assert self._slot is not None
        return self._slot[0]

    def check(self) -> None:
        """Raise what `latest` would raise."""
        age_s = self.age_s
        if not self.is_running or age_s > self._stale_after_s:
            self._raise(age_s)

    def _forget(self) -> None:
        self._slot: tuple[T, float] | None = None
        self._successes.clear()
        self._error: BaseException | None = None
        self._failures = 0
        # Of the failures since the last success: the last one, how many, and since when.
        self._trouble: BaseException | None = None
        self._in_a_row = 0
        self._failing_since = math.inf

    def _raise(self, age_s: float) -> None:
        trouble = self._trouble
        if isinstance(trouble, DeviceError) and isinstance(trouble, _FINAL_ERRORS):
            raise type(trouble)(trouble.device, trouble.problem, trouble.remedy) from trouble
        if not self.is_running and trouble is None:
            raise DeviceSilentError(self._device, "it is not being read.", "Connect it first.")
        since = "has not answered yet" if age_s == math.inf else f"has been silent for {1e3 * age_s:.0f} ms"
        raise DeviceSilentError(
            self._device, f"it {since}{_cause(trouble, self._in_a_row)}.", _remedy(trouble)
        ) from trouble

    def _run(self) -> None:
        # A program that dies without disconnecting must neither hang nor leave a thread talking to a device.
        main = threading.main_thread()
        try:
            prefer_this_thread()
            due = self._clock()
            while not self._stop.is_set() and main.is_alive():
                self._exchange()
                due = max(due + self._period_s, self._clock())
                self._stop.wait(due - self._clock())
        except BaseException as error:
            # Whatever ended the thread belongs to whoever reads next.
            self._trouble = self._error = error
        finally:
            self._last_act()
            self._progress.set()
        if isinstance(self._error, ConnectionError):
            logger.error("%s", self._error)
        elif self._error is not None:
            logger.error("%s: its thread ended.", self._device, exc_info=self._error)

    def _exchange(self) -> None:
        started = self._clock()
        try:
            sample = self._poll()
        except _FINAL_ERRORS:
            raise
        except ConnectionError as error:
            self._note_failure(error)
            return
        # The sample was taken at or after this moment: its age is never understated.
        self._slot = (sample, started)
        self._trouble, self._in_a_row, self._failing_since = None, 0, math.inf
        self._successes.append(self._clock())
        self._progress.set()

    def _note_failure(self, error: ConnectionError) -> None:
        now = self._clock()
        self._trouble = error
        self._failures += 1
        self._in_a_row += 1
        self._failing_since = min(self._failing_since, now)
        if now - self._failing_since >= self._give_up_after_s:
            raise error
        logger.debug("%s: a reading failed and is tried again: %s", self._device, error)


def _cause(trouble: BaseException | None, failures: int) -> str:
    """Why there is no sample, as far as the driver knows."""
    if trouble is None:
        return ""
    reason = str(getattr(trouble, "problem", trouble) or type(trouble).__name__).rstrip(".")
    if not isinstance(trouble, ConnectionError):
        return f" (its driver ended with {type(trouble).__name__}: {reason})"
    return f" ({reason}), after {failures} failed reading{'s' if failures > 1 else ''} in a row"


def _remedy(trouble: BaseException | None) -> str:
    """What to do about it: cables only where cables can be the cause."""
    if trouble is not None and not isinstance(trouble, ConnectionError):
        return "This is a fault of the program and not of the device; the log shows where."
    if isinstance(trouble, DeviceError) and not isinstance(trouble, DeviceSilentError):
        return trouble.remedy
    own = f"{trouble.remedy} " if isinstance(trouble, DeviceError) else ""
    return f"{own}Check power and cable; if it happens now and then, lower its rate or relieve the computer."
