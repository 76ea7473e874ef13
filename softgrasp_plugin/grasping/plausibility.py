"""Signs that a hand does not measure what it does: a sensor that is stuck, a joint that ignores its command.

Both give episodes that look good: a sensor stuck at 3 N lifts the arm with nothing in the hand, and a joint
that stands still is recorded beside the commands it ignores. The detectors here are slow and sure: rather
late than a false alarm.
"""

from collections import deque

import numpy as np

from ..joints import JOINTS, NUM_JOINTS, FloatArray

_WINDOW_S = 1.0
"""Everything is judged over this time."""

_FEWEST_SAMPLES = 10

_PRESSES_N = 0.5
"""A force that means contact on any joint."""

_MOVES = 0.15
"""Closure over the window from which a joint certainly moves; an object it holds yields less."""

_STUCK_N = 1e-9
"""A force that is measured is never the same for a second while its joint moves."""

_TRAVELS = 0.5
"""Closure over the window that no joint gets while it presses on something all the time."""

_IGNORED = 0.3
"""Closure between command and joint, all through the window, that nothing explains but an obstacle."""

_STANDS = 0.02
"""Closure over the window within which a joint stands."""

_FREE_N = 0.1
"""A joint that something holds back feels more."""


class PlausibilityWatch:
    """Looks at commands and measurements of an episode; names each implausible joint once."""

    def __init__(self) -> None:
        self._window: deque[tuple[float, FloatArray]] = deque()
        self._named: set[str] = set()

    def reset(self) -> None:
        """Begin a new episode, in which everything may be named again."""
        self._window.clear()
        self._named.clear()

    def update(
        self, commanded: FloatArray, closure: FloatArray, torque: FloatArray, time_s: float
    ) -> list[str]:
        """Take in one sample.

        Args:
            commanded: (6,) commanded closure.
            closure: (6,) measured closure.
            torque: (6,) measured fingertip force, newtons.
            time_s: when it was measured; a repeated time is ignored.

        Returns:
            What is implausible and was not named before, a sentence each.
        """
        if self._window and time_s <= self._window[-1][0]:
            return []
        self._window.append((time_s, np.stack([commanded, closure, torque]).astype(np.float64)))
        while time_s - self._window[0][0] > _WINDOW_S:
            self._window.popleft()
        is_full = time_s - self._window[0][0] > 0.9 * _WINDOW_S and len(self._window) >= _FEWEST_SAMPLES
        if not is_full:
            return []
        commands, closures, torques = np.stack([sample for _, sample in self._window], axis=1)
        moved, force_moved = np.ptp(closures, axis=0), np.ptp(torques, axis=0)
        presses = torques.min(axis=0) >= _PRESSES_N
        is_stuck = presses & (((moved > _MOVES) & (force_moved <= _STUCK_N)) | (moved > _TRAVELS))
        # A joint at its end, or one that an object or another finger holds back, is behind its command too;
        # then some force of the hand says so.
        is_behind = np.abs(commands - closures).min(axis=0) > _IGNORED
        is_ignoring = is_behind & (moved < _STANDS) & bool((torques.max(axis=0) < _FREE_N).all())
        found = [
            (f"force of {JOINTS[joint]}", f"its force stood at {torques[-1, joint]:.2f} N while it moved")
            for joint in range(NUM_JOINTS)
            if is_stuck[joint]
        ] + [
            (
                f"motion of {JOINTS[joint]}",
                f"it stood at {closures[-1, joint]:.2f} for a second while {commands[-1, joint]:.2f} was "
                "commanded and nothing was touched",
            )
            for joint in range(NUM_JOINTS)
            if is_ignoring[joint]
        ]
        new = [(subject, text) for subject, text in found if subject not in self._named]
        self._named.update(subject for subject, _ in new)
        return [f"{subject}: {text}" for subject, text in new]
