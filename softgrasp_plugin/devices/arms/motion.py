"""Smooth motion along a path of joint angles, with limited speed and acceleration."""

import math
from dataclasses import dataclass

import numpy as np

from ...joints import FloatArray


class SpeedLimiter:
    """A position that runs to its target with limited speed and acceleration and stops there, overshooting by
    less than one step's worth of acceleration (a·dt², micrometres).

    Args:
        position: where it stands.
        max_speed: per second.
        max_acceleration: per second squared, also for braking.
    """

    def __init__(self, position: float, max_speed: float, max_acceleration: float) -> None:
        self.position = position
        self.velocity = 0.0
        self._max_speed = max_speed
        self._max_acceleration = max_acceleration

    def step(self, target: float, dt_s: float) -> float:
        """Advance by `dt_s` seconds; returns the position."""
        gap = target - self.position
        change = self._max_acceleration * dt_s
        # The fastest start from which braking by `change` per step still ends at the target, in steps: v·dt +
        # (v − change)·dt + … ≤ gap.
        reachable = change * (math.sqrt(0.25 + 2.0 * abs(gap) / (change * dt_s)) - 0.5)
        wanted = math.copysign(min(reachable, self._max_speed, abs(gap) / dt_s), gap)
        self.velocity += min(max(wanted - self.velocity, -change), change)
        self.position += self.velocity * dt_s
        return self.position

    def brake(self, deceleration: float, dt_s: float) -> float:
        """Advance by `dt_s` seconds while coming to rest, at `deceleration` per second squared; returns the
        position. Where it comes to rest, `velocity` is zero.
        """
        self.velocity = math.copysign(max(abs(self.velocity) - deceleration * dt_s, 0.0), self.velocity)
        self.position += self.velocity * dt_s
        return self.position


class TargetRamp:
    """Targets that come 30 times a second, spread over the time between them, so that a motion at 125 Hz has
    no steps.
    """

    _SHORTEST_S, _LONGEST_S = 0.005, 0.1

    def __init__(self, position: float) -> None:
        self._from = self._to = position
        self._start_s = -math.inf
        self._duration_s = self._LONGEST_S

    def command(self, target: float, now_s: float) -> None:
        """A new target arrived."""
        self._from = self.at(now_s)
        self._duration_s = min(max(now_s - self._start_s, self._SHORTEST_S), self._LONGEST_S)
        self._to, self._start_s = target, now_s

    def at(self, now_s: float) -> float:
        """The target to follow now."""
        share = min(max((now_s - self._start_s) / self._duration_s, 0.0), 1.0)
        return self._from + share * (self._to - self._from)


@dataclass(frozen=True)
class JointPath:
    """Joint angles along a path.

    Attributes:
        stations: shape (N,), increasing positions on the path.
        joints: shape (N, 6), radians, at each of them.
    """

    stations: FloatArray
    joints: FloatArray

    def at(self, position: float) -> FloatArray:
        """Joint angles (6,) at `position`, interpolated, held beyond the ends."""
        return np.array([np.interp(position, self.stations, column) for column in self.joints.T])

    @property
    def steepest(self) -> float:
        """The most any joint turns per unit of the path, radians."""
        return float(np.abs(np.diff(self.joints, axis=0) / np.diff(self.stations)[:, None]).max())


def straight_path(start: FloatArray, end: FloatArray) -> JointPath:
    """A straight line in joint space; its position is the way of the joint that turns furthest, in
    radians.
    """
    length = max(float(np.abs(end - start).max()), 1e-9)
    return JointPath(np.array([0.0, length]), np.stack([start, end]))
