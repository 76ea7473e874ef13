"""What an emulated device moves: the joints behind the registers."""

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..joints import NUM_JOINTS, FloatArray


class Plant(Protocol):
    """Joints that can be commanded and measured, `n` of them; all values are those of `joints.py`."""

    def command(self, joint: int, closure: float, force_limit_n: float) -> None:
        """Drive one joint towards `closure` with at most `force_limit_n` newtons; with 0 it goes limp."""

    def measure(self) -> tuple[FloatArray, FloatArray]:
        """Closure (n,), and force (n,) in newtons as a sensor in the joint would see it."""


class FirstOrderJoints:
    """Joints that approach their command exponentially, and an object that each of them may meet.

    As in a real hand, the force limit is compared with what the sensor reads, free-air offset included.

    Args:
        num_joints: how many.
        time_constant_s: of the approach.
        object_closure: closure at which every joint touches the object; None for free air.
        stiffness_n: force per unit of closure beyond the object's surface, in newtons.
        offset_n: what the force sensors read in free air at closure 0, in newtons.
        offset_slope_n: how much more they read at closure 1.
        clock: seconds.
    """

    def __init__(
        self,
        num_joints: int = NUM_JOINTS,
        *,
        time_constant_s: float = 0.05,
        object_closure: float | None = None,
        stiffness_n: float = 100.0,
        offset_n: float = 0.0,
        offset_slope_n: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._time_constant_s = time_constant_s
        self._stiffness_n = stiffness_n
        self._offset_n = offset_n
        self._offset_slope_n = offset_slope_n
        self._clock = clock
        self._lock = threading.Lock()
        self._last = clock()
        self.object_closure = object_closure
        self._closure: FloatArray = np.zeros(num_joints)
        self._target = np.zeros(num_joints)
        self._limit_n = np.zeros(num_joints)

    def command(self, joint: int, closure: float, force_limit_n: float) -> None:
        with self._lock:
            self._advance()
            self._target[joint] = closure
            self._limit_n[joint] = force_limit_n

    def measure(self) -> tuple[FloatArray, FloatArray]:
        with self._lock:
            self._advance()
            return self._closure.copy(), self._contact_force() + self._offset()

    def move(self, joint: int, closure: float) -> None:
        """Move one joint by hand, as somebody calibrating a limp device does."""
        with self._lock:
            self._advance()
            self._closure[joint] = closure

    def _advance(self) -> None:
        now = self._clock()
        remaining = math.exp(-(now - self._last) / self._time_constant_s)
        self._last = now
        moved = self._target + (self._closure - self._target) * remaining
        self._closure = np.where(self._limit_n > 0.0, moved, self._closure)
        if self.object_closure is not None:
            deepest = (
                self.object_closure + np.maximum(self._limit_n - self._offset(), 0.0) / self._stiffness_n
            )
            self._closure = np.where(self._limit_n > 0.0, np.minimum(self._closure, deepest), self._closure)

    def _offset(self) -> FloatArray:
        return self._offset_n + self._offset_slope_n * self._closure

    def _contact_force(self) -> FloatArray:
        if self.object_closure is None:
            return np.zeros_like(self._closure)
        return self._stiffness_n * np.maximum(self._closure - self.object_closure, 0.0)
