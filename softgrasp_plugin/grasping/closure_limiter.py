"""How fast the joints of a hand are told to move, from wherever they really are."""

import numpy as np

from ..joints import FloatArray

SLOWEST_CLOSURE_SPEED, FASTEST_CLOSURE_SPEED = 0.02, 10.0
"""Closure per second that an option may ask for; a hand needs 0.2 s and more for its whole travel."""

MAX_CLOSURE_SPEED = 2.5
"""Closure per second where nobody chose: the whole travel in 0.4 s."""

LONGEST_STEP_S = 0.1
"""However long nothing was sent, the next step is no longer than this allows."""


class ClosureLimiter:
    """Turns where a hand shall go into the next step there.

    It advances only from what is known: where the hand measured itself to be, or a step that has demonstrably
    reached it. A step that was asked for and may have been lost moves nothing here.

    Args:
        max_closure_speed: closure per second of every joint.
    """

    def __init__(self, max_closure_speed: float) -> None:
        self.max_closure_speed = max_closure_speed
        self._known: tuple[FloatArray, float] | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it is unknown where the hand is; no step is made then."""
        return self._known is None

    def start_at(self, closure: FloatArray, now: float) -> None:
        """The hand was at `closure` (6,), or reached a step to it, at the time `now` in seconds."""
        self._known = (closure, now)

    def rest(self, now: float) -> None:
        """The hand was told nothing new until `now`: time in which it stood still is no time to catch up."""
        if self._known is not None:
            self._known = (self._known[0], now)

    def forget(self) -> None:
        """Nobody knows where the hand is; the next step waits for a measurement."""
        self._known = None

    def step(self, wanted: FloatArray, now: float) -> FloatArray | None:
        """The closure (6,) that may be commanded now on the way to `wanted` (6,); None while it is lost.

        It changes nothing here: whether the step was made is for `start_at` to say.
        """
        known = self._known
        if known is None:
            return None
        start, since = known
        longest = self.max_closure_speed * min(max(now - since, 0.0), LONGEST_STEP_S)
        return np.asarray(start + np.clip(wanted - start, -longest, longest))
