"""The last thing before a hand's wire: every motion is slow enough, every reading possible."""

import logging
import time
from collections.abc import Callable

from ...grasping.closure_limiter import ClosureLimiter
from ...joints import FloatArray
from ..errors import DeviceError, DeviceFaultError
from .link import HandLink

logger = logging.getLogger(__name__)

IMPOSSIBLE_BEFORE_FAULT = 3
"""So many impossible readings, not outweighed by good ones, are a fault of the device and no noise."""

_FORGIVEN_PER_READING = 0.1
_REMEDY = (
    "Check the encoders, the sensors and their cables, and that nothing turned a joint by hand while it was "
    "without power; then connect again, or run lerobot-calibrate."
)


class LimitedLink:
    """Drives a `HandLink` no faster than allowed and believes it nothing impossible.

    One user at a time: the hand's thread, or whoever calibrates.

    A step counts as made once the hand has answered after it; if it does not, the next step starts from where
    the hand measures itself to be. After a silence nobody knows what became of the hand (its power may have
    been cut), and its limits are told to it again.

    Args:
        link: a hand that is started.
        max_closure_speed: closure per second.
        silence_s: how long the hand may not have answered before its position counts as unknown.
        clock: seconds.
    """

    def __init__(
        self,
        link: HandLink,
        max_closure_speed: float,
        silence_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.device = link.device
        self.limiter = ClosureLimiter(max_closure_speed)
        self._link = link
        self._silence_s = silence_s
        self._clock = clock
        self.start()

    def start(self) -> None:
        """The link has been started: every joint holds, wherever it is."""
        self.limiter.forget()
        self._attempted: tuple[FloatArray, float] | None = None
        self._answered_at = self._clock()
        self._was_silent = False
        self._doubt = 0.0

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> bool:
        """Make the step towards `closure` (6,) that may be made now.

        Args:
            closure: shape (6,).
            force_limit_n: shape (6,), newtons as the sensors give them.

        Returns:
            Whether `closure` was commanded: False if there is more to go, or the position is unknown.

        Raises:
            DeviceError: as the link does.
        """
        now = self._clock()
        self._notice_silence(now)
        step = self.limiter.step(closure, now)
        if step is None:
            return False
        try:
            self._link.command(step, force_limit_n)
        except DeviceError:
            self._lose_step()
            raise
        self._attempted = step, now
        return bool((step == closure).all())

    def measure(self) -> tuple[FloatArray, FloatArray]:
        """Closure (6,), and force (6,) in newtons as the sensors give it.

        Raises:
            DeviceError: as the link does; also, and dropped like a missing reply, for one impossible reading.
            DeviceFaultError: if impossible readings go on.
        """
        asked = self._clock()
        self._notice_silence(asked)
        try:
            closure, force = self._link.measure()
            self._believe(closure, force)
        except DeviceError:
            if self._attempted is not None:
                self._lose_step()
            raise
        # It may have been silent until a moment ago, while it was being asked.
        self._notice_silence(self._clock())
        if self._was_silent:
            self._link.repeat_limits()
            self._was_silent = False
        self._answered_at = self._clock()
        if self.limiter.is_lost:
            self.limiter.start_at(closure, asked)
        elif self._attempted is not None:
            self.limiter.start_at(*self._attempted)
        else:
            self.limiter.rest(asked)
        self._attempted = None
        return closure, force

    def _notice_silence(self, now: float) -> None:
        if now - self._answered_at > self._silence_s:
            self._lose_step()
            self._was_silent = True

    def _lose_step(self) -> None:
        """The last step may have been made or not: the hand is where it will measure itself to be.

        Taken for not made, a step back would start beyond it: on the wire, a jump of both.
        """
        self._attempted = None
        self.limiter.forget()

    def _believe(self, closure: FloatArray, force_n: FloatArray) -> None:
        objection = self._link.possible().objection(closure, force_n)
        if objection is None:
            self._doubt = max(0.0, self._doubt - _FORGIVEN_PER_READING)
            return
        self._doubt += 1.0
        if self._doubt >= IMPOSSIBLE_BEFORE_FAULT:
            raise DeviceFaultError(self.device, f"{objection}.", _REMEDY)
        logger.warning("%s: %s; the reading is dropped.", self.device, objection)
        raise DeviceError(self.device, f"{objection}.", _REMEDY)
