"""Joints at the far end of an emulated wire that note what they are told, and hold it against the limits."""

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray

JITTER_S = 0.05
"""How much later than another one a command may be on the wire: one exchange, on a loaded computer."""


class RunningTime:
    """Seconds in which this process could run: a goal may be as old as the last reading plus a stop."""

    def __init__(self) -> None:
        self._stopped_s = 0.0

    def now(self) -> float:
        return time.monotonic() - self._stopped_s

    def stop(self, stand_still: Callable[[], object]) -> None:
        """Call what stops the process."""
        began = time.monotonic()
        stand_still()
        self._stopped_s += time.monotonic() - began


RUNNING = RunningTime()


class Recent:
    """Where joints have been within the last moments.

    Args:
        within_s: running seconds; a goal may follow from a reading of so long ago.
        position: (n,) at the beginning.
    """

    def __init__(self, within_s: float, position: FloatArray) -> None:
        self._within_s = within_s
        self._seen: deque[tuple[float, FloatArray]] = deque([(RUNNING.now(), position.copy())])

    def see(self, position: FloatArray) -> None:
        now = RUNNING.now()
        self._seen.append((now, position.copy()))
        # The last one before the window is where they were when it began.
        while len(self._seen) > 1 and self._seen[1][0] < now - self._within_s:
            self._seen.popleft()

    def span(self, joint: int) -> tuple[float, float]:
        """Least and most of one joint."""
        values = [float(position[joint]) for _, position in self._seen]
        return min(values), max(values)


class Allowance:
    """A way that grows with time at a given speed, up to what may be gone at once; spent by going.

    Args:
        speed: per second.
        at_once: the longest single step.
        clock: seconds.
    """

    def __init__(self, speed: float, at_once: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._speed, self._at_once, self._clock = speed, at_once, clock
        self._left, self._at = at_once, clock()

    def spend(self, way: float) -> float:
        """Go; returns what is left, below 0 if that was too fast."""
        now = self._clock()
        self._left = min(self._left + self._speed * (now - self._at), self._at_once) - way
        self._at = now
        left = self._left
        self._left = max(left, 0.0)
        return left


class MeteredHand(FirstOrderJoints):
    """The joints of a hand that judges each command as it arrives.

    Attributes:
        violations: what passed a limit, in words; empty if nothing did.
        commands: how many commands came.
    """

    def __init__(self, max_force_n: float, max_closure_speed: float, longest_step_s: float) -> None:
        super().__init__(time_constant_s=0.005, stiffness_n=100.0)
        self.violations: list[str] = []
        self.commands = 0
        self._max_force_n = max_force_n
        self._speed = max_closure_speed
        self._resolution = 0.002  # of an RH56's angle, or of a count of an encoder, and of rounding both ways
        self._at_once = max_closure_speed * (longest_step_s + JITTER_S) + self._resolution
        self._judging = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """The hand has been connected anew, or its joints have been moved by hand: nothing is known."""
        with self._judging:
            self._goals: dict[int, float] = {}
            self._recent = Recent(JITTER_S, self.measure()[0])
            self._allowances = [Allowance(self._speed, self._at_once) for _ in range(NUM_JOINTS)]

    def command(self, joint: int, closure: float, force_limit_n: float) -> None:
        """Take a command, and judge it; a joint without force is limp, so its goal means nothing."""
        if force_limit_n > 0.0:
            with self._judging:
                self._judge(joint, closure, force_limit_n)
        super().command(joint, closure, force_limit_n)

    def push(self, joint: int, closure: float) -> None:
        """Somebody moves a joint, whatever it was told."""
        with self._judging:
            self._recent.see(self.measure()[0])
            self.move(joint, closure)
            self._recent.see(self.measure()[0])

    def _judge(self, joint: int, closure: float, force_limit_n: float) -> None:
        self.commands += 1
        if not -1e-3 <= closure <= 1.0 + 1e-3:
            self.violations.append(f"joint {joint} was sent to closure {closure:.4f}")
        if force_limit_n > self._max_force_n + 1e-6:
            self.violations.append(f"joint {joint} was allowed {force_limit_n:.3f} N")
        # It may have been pushed away from its goal, and measured on its way back.
        self._recent.see(self.measure()[0])
        low, high = self._recent.span(joint)
        before = self._goals.get(joint, low)
        way = min(abs(closure - before), max(low - closure, closure - high, 0.0))
        left = self._allowances[joint].spend(way)
        if left < 0.0:
            self.violations.append(
                f"joint {joint} was sent from {before:.3f} (it was in {low:.3f}…{high:.3f}) to "
                f"{closure:.3f}: "
                f"{-left:.3f} further than {self._speed} per second allows"
            )
        self._goals[joint] = closure


class MeteredFingers:
    """A `Plant` of fingers stronger than the glove's motors: they are where the test puts them.

    Attributes:
        violations: what passed a limit, in words; empty if nothing did.
        pulled: how often a finger was pressed at all.
    """

    RECENT_S = 0.25
    """A goal may follow from a reading of so long ago: the driver's period, its retries, and a loaded
    computer."""

    def __init__(self, max_force_n: FloatArray) -> None:
        self.violations: list[str] = []
        self.pulled = 0
        self.one_sided = True
        self._max_force_n = max_force_n
        self._lock = threading.Lock()
        self._angle: FloatArray = np.full(NUM_JOINTS, 0.3)
        self._recent = Recent(self.RECENT_S, self._angle)
        self._told: dict[int, tuple[float, float]] = {}

    def move(self, joint: int, angle: float) -> None:
        """The person moves a finger."""
        with self._lock:
            self._recent.see(self._angle)
            self._angle[joint] = angle
            self._recent.see(self._angle)

    def command(self, joint: int, closure: float, force_limit_n: float) -> None:
        """Judge what a motor is told to do to a finger, once: it keeps its goal while nobody speaks to it."""
        told, self._told[joint] = self._told.get(joint), (closure, force_limit_n)
        if force_limit_n <= 0.0 or told == (closure, force_limit_n):
            return
        with self._lock:
            self.pulled += 1
            if force_limit_n > self._max_force_n[joint] + 1e-9:
                self.violations.append(f"finger {joint} was pressed with {force_limit_n:.3f} N")
            self._recent.see(self._angle)
            _, most_bent = self._recent.span(joint)
            if self.one_sided and closure > most_bent + 2e-3:
                self.violations.append(
                    f"finger {joint} was bent to {closure:.3f} by its motor, from {most_bent:.3f}"
                )

    def measure(self) -> tuple[FloatArray, FloatArray]:
        with self._lock:
            return self._angle.copy(), np.zeros(NUM_JOINTS)
