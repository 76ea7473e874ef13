"""A thread that owns a device's port and keeps its newest sample: serial time never stretches the loop."""

import logging
import threading
import time
from collections.abc import Callable

from ..bounds import require_within
from .errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceSilentError
from .realtime import prefer_this_thread, shorten_pauses

logger = logging.getLogger(__name__)

STALE_AFTER_S = 0.15
"""A sample older than this is not handed out."""

_HIGHEST_RATE_HZ = 1e4
_RATE_WINDOW = 50
_STOP_TIMEOUT_S = 5.0
_FINAL_ERRORS = (DeviceLostError, DeviceFaultError)


class Poller[T]:
    """Calls `poll` at its own rate and keeps what it returned in a slot: no queue, no lock held across I/O.

    An error that may pass (`DeviceSilentError`, or any other `ConnectionError` of a bus) does not end the
    thread: the next poll tries again, and the slot grows stale meanwhile. Any other exception ends it.
    Readers get the newest sample or an exception, never an old sample.

    The thread is no daemon: it ends with `stop`, with a final error, or by itself when the main thread has
    ended.

    Args:
        device: name of the device for messages.
        poll: one exchange with the device; only the poller's thread calls it.
        rate_hz: how often, if the device is fast enough.
        stale_after_s: age beyond which a sample counts as silence.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        require_within(f"{device}: rate_hz", rate_hz, 0.0, _HIGHEST_RATE_HZ, "Hz", above_low=True)
        require_within(f"{device}: stale_after_s", stale_after_s, 0.0, 1e9, "s", above_low=True)
        self._device = device
        self._poll = poll
        self._period_s = 1.0 / rate_hz
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._slot: tuple[T, float] | None = None
        self._trouble: BaseException | None = None
        self._failures = 0
        self._rate_hz = 0.0
        self._stop = threading.Event()
        self._progress = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def rate_hz(self) -> float:
        """Successful polls per second, over the last 50; 0 before there are two."""
        return self._rate_hz

    @property
    def age_s(self) -> float:
        """Age of the newest sample in seconds; infinite before the first."""
        slot = self._slot
        return float("inf") if slot is None else self._clock() - slot[1]

    def start(self, first_sample_timeout_s: float = 2.0) -> None:
        """Start the thread and wait for the first sample.

        Raises:
            DeviceError: if the first sample did not come; the thread has then ended.
        """
        if self.is_running:
            raise RuntimeError(f"{self._device}: the poller is already running.")
        self._slot, self._trouble, self._failures, self._rate_hz = None, None, 0, 0.0
        self._stop.clear()
        self._progress.clear()
        shorten_pauses()
        self._thread = threading.Thread(target=self._run, name=f"poll {self._device}")
        self._thread.start()
        self._progress.wait(first_sample_timeout_s)
        if self._slot is None:
            self.stop()
            self._raise(self.age_s)

    def stop(self) -> None:
        """End the thread; when this returns nobody uses the port any more.

        Raises:
            DeviceLostError: if the thread is stuck in the device.
        """
        self._stop.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        thread.join(_STOP_TIMEOUT_S)
        if thread.is_alive():
            raise DeviceLostError(
                self._device,
                f"its thread did not end within {_STOP_TIMEOUT_S:.0f} s.",
                "Unplug the device and start the program again.",
            )

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

    def _raise(self, age_s: float) -> None:
        trouble = self._trouble
        if isinstance(trouble, DeviceError) and isinstance(trouble, _FINAL_ERRORS):
            raise type(trouble)(trouble.device, trouble.problem, trouble.remedy) from trouble
        if not self.is_running and trouble is None:
            raise DeviceSilentError(self._device, "it is not being read.", "Connect it first.")
        since = (
            "has not answered yet" if age_s == float("inf") else f"has been silent for {1e3 * age_s:.0f} ms"
        )
        raise DeviceSilentError(
            self._device, f"it {since}{_cause(trouble, self._failures)}.", _remedy(trouble)
        ) from trouble

    def _run(self) -> None:
        # A program that dies without disconnecting must neither hang nor leave a thread talking to a device.
        main = threading.main_thread()
        prefer_this_thread()
        done = [self._clock()]
        due = self._clock()
        try:
            while not self._stop.is_set() and main.is_alive():
                if self._exchange():
                    done = [*done[-_RATE_WINDOW:], self._clock()]
                    self._rate_hz = (len(done) - 1) / max(done[-1] - done[0], 1e-9) if len(done) > 2 else 0.0
                due = max(due + self._period_s, self._clock())
                self._stop.wait(due - self._clock())
        except BaseException as error:
            # Whatever ended the thread belongs to whoever reads next.
            self._trouble = error
            self._progress.set()
            if not isinstance(error, _FINAL_ERRORS):
                logger.exception("%s: reading it failed.", self._device)

    def _exchange(self) -> bool:
        started = self._clock()
        try:
            sample = self._poll()
        except _FINAL_ERRORS:
            raise
        except ConnectionError as error:
            self._trouble = error
            self._failures += 1
            return False
        # The sample was taken at or after this moment: its age is never understated.
        self._slot = (sample, started)
        self._trouble = None
        self._failures = 0
        self._progress.set()
        return True


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
