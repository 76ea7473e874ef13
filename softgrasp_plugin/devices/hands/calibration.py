"""Calibration of a hand: the range of its joints, and what its force sensors read when nothing is touched."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from lerobot.motors import MotorCalibration

from ...bounds import require_within
from ...joints import FINGERS, JOINTS, NUM_JOINTS, THUMB_BEND, THUMB_SWING, FloatArray
from ..errors import DeviceNotCalibratedError

MAXIMUM_FREE_AIR_N = 5.0
"""The most that a force sensor may read when nothing is touched: 3.2 N were seen before an RH56 had zeroed
its own, and gearboxes rub less than this."""

_VERSION = 1
_MOST_STOPS = 100
_FREE_AIR_CLOSURE = (-0.3, 1.3)
_HOMING_OFFSET_MAX = 1_044_479  # of an X motor
_COUNT_MAX = 2**21
_MOTOR_BOUNDS = {
    "id": (0, 252),
    "drive_mode": (0, 1),
    "homing_offset": (-_HOMING_OFFSET_MAX, _HOMING_OFFSET_MAX),
    "range_min": (-_COUNT_MAX, _COUNT_MAX),
    "range_max": (-_COUNT_MAX, _COUNT_MAX),
}


@dataclass(frozen=True)
class FreeAirForce:
    """What the force sensors read in free air; it depends on how far a joint is closed.

    An RH56 was seen to read 216 g to 330 g over the flexion of a finger before its own calibration, which is
    more than the force at which a contact begins. Motors read their friction.

    Attributes:
        closure: shape (K, 6), increasing along the first axis.
        force_n: shape (K, 6), newtons.
    """

    closure: FloatArray
    force_n: FloatArray

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if the shapes differ, a joint's closures do not increase, or a value is one that no
                hand has.
        """
        if (
            self.closure.ndim != 2
            or self.closure.shape[1:] != (NUM_JOINTS,)
            or self.force_n.shape != self.closure.shape
        ):
            raise ValueError(
                f"A free-air force needs closure and force_n of one shape (K, {NUM_JOINTS}); "
                f"got {self.closure.shape} and {self.force_n.shape}."
            )
        if not (np.diff(self.closure, axis=0) > 0.0).all() or not np.isfinite(self.force_n).all():
            raise ValueError(
                "A free-air force needs closures that increase along each column, and finite forces."
            )
        if not 2 <= len(self.closure) <= _MOST_STOPS:
            raise ValueError(
                f"A free-air force is measured at 2 to {_MOST_STOPS} closures, not {len(self.closure)}."
            )
        for name, values, (low, high), unit in (
            ("closure", self.closure, _FREE_AIR_CLOSURE, ""),
            ("force_n", self.force_n, (-MAXIMUM_FREE_AIR_N, MAXIMUM_FREE_AIR_N), "N"),
        ):
            for row, column in np.ndindex(values.shape):
                place = f"free_air.{name}[{row}] of {JOINTS[column]}"
                require_within(place, float(values[row, column]), low, high, unit)

    @classmethod
    def none(cls) -> "FreeAirForce":
        """Of a hand that measures no force."""
        return cls(np.stack([np.zeros(NUM_JOINTS), np.ones(NUM_JOINTS)]), np.zeros((2, NUM_JOINTS)))

    def at(self, closure: FloatArray) -> FloatArray:
        """Newtons (6,) at a closure (6,)."""
        return np.array(
            [np.interp(closure[j], self.closure[:, j], self.force_n[:, j]) for j in range(NUM_JOINTS)]
        )


@dataclass(frozen=True)
class HandCalibration:
    """Everything `PolledHand.calibrate` finds out.

    Attributes:
        free_air: what to subtract from the force sensors.
        motors: range of motion by joint, for a hand of single motors; `drive_mode` 1 where the count falls as
            the joint closes. Empty for a hand that knows its own range.
        hand: whose calibration this is, see `HandLink.kind`; empty in files that do not say.
    """

    free_air: FreeAirForce
    motors: Mapping[str, MotorCalibration] = field(default_factory=dict)
    hand: str = ""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is none that a motor can have.
        """
        if not isinstance(self.hand, str):
            raise ValueError(f"hand must be a name, got {self.hand!r}.")
        for joint, motor in self.motors.items():
            if joint not in JOINTS:
                raise ValueError(f"motors: {joint!r} is no joint; joints are {', '.join(JOINTS)}.")
            for name, (low, high) in _MOTOR_BOUNDS.items():
                value = getattr(motor, name)
                if not isinstance(value, int):
                    raise ValueError(f"motors.{joint}.{name} must be a whole number, got {value!r:.40}.")
                require_within(f"motors.{joint}.{name}", value, low, high)
            if motor.range_min >= motor.range_max:
                raise ValueError(
                    f"motors.{joint}: range_min {motor.range_min} is not below range_max {motor.range_max}."
                )

    def to_json(self) -> str:
        """Text for a calibration file."""
        document = {
            "version": _VERSION,
            "hand": self.hand,
            "free_air": {
                "closure": self.free_air.closure.tolist(),
                "force_n": self.free_air.force_n.tolist(),
            },
            "motors": {joint: asdict(motor) for joint, motor in self.motors.items()},
        }
        return json.dumps(document, indent=4)

    @classmethod
    def from_json(cls, text: str) -> "HandCalibration":
        """Read what `to_json` wrote.

        Raises:
            ValueError: if it is something else, or holds a value that no hand has.
        """
        try:
            document: dict[str, Any] = json.loads(text)
            if document["version"] != _VERSION:
                raise ValueError(f"version {document['version']}, expected {_VERSION}")
            free_air = FreeAirForce(
                np.array(document["free_air"]["closure"], dtype=np.float64),
                np.array(document["free_air"]["force_n"], dtype=np.float64),
            )
            motors = {joint: MotorCalibration(**motor) for joint, motor in document["motors"].items()}
            return cls(free_air, motors, document.get("hand", ""))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(
                f"This is no calibration of a hand ({error}). Run lerobot-calibrate again."
            ) from error


class Movable(Protocol):
    """The part of a hand that a calibration needs, see `LimitedLink`."""

    device: str

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> object: ...

    def measure(self) -> tuple[FloatArray, FloatArray]: ...


@dataclass(frozen=True)
class FreeAirSweep:
    """How the free-air force is measured: joint by joint over its range, holding still at each stop.

    Attributes:
        stops: closures at which it is measured.
        samples: readings averaged at each stop.
        settle_s: how long a joint must have stood still.
        timeout_s: how long it may take to arrive.
    """

    stops: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)
    samples: int = 20
    settle_s: float = 0.2
    timeout_s: float = 4.0


# The four fingers close together; the thumb moves only while they are open, so that nothing touches anything.
_GROUPS = (FINGERS, slice(THUMB_BEND, THUMB_BEND + 1), slice(THUMB_SWING, THUMB_SWING + 1))
_STILL = 0.002
_REACHED = 0.1


def measure_free_air(
    link: Movable,
    force_limit_n: FloatArray,
    sweep: FreeAirSweep,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> FreeAirForce:
    """Move every joint through its range and note what its force sensor reads; ends with the hand open.

    Args:
        link: a hand that has been started and touches nothing; how fast it may move is its affair.
        force_limit_n: shape (6,), force limit while it moves.
        sweep: where to stop and for how long.
        clock: seconds.
        sleep: waits for seconds.

    Raises:
        DeviceNotCalibratedError: if a joint does not get where it is sent, or its sensor reads more than
            free air explains.
    """
    closures, forces = np.zeros((2, len(sweep.stops), NUM_JOINTS))
    for group in _GROUPS:
        move(link, np.zeros(NUM_JOINTS), force_limit_n, sweep, clock, sleep)
        for row, stop in enumerate(sweep.stops):
            target = np.zeros(NUM_JOINTS)
            target[group] = stop
            move(link, target, force_limit_n, sweep, clock, sleep)
            readings = np.array([link.measure() for _ in range(sweep.samples)])
            closures[row, group], forces[row, group] = readings.mean(axis=0)[:, group]
    move(link, np.zeros(NUM_JOINTS), force_limit_n, sweep, clock, sleep)
    if not (np.diff(closures, axis=0) > 0.0).all():
        raise DeviceNotCalibratedError(
            link.device,
            "a joint did not move on from stop to stop.",
            "Free its way, then run lerobot-calibrate again.",
        )
    try:
        return FreeAirForce(closures, forces)
    except ValueError as error:
        raise DeviceNotCalibratedError(
            link.device,
            str(error),
            "See that the hand is empty, let it zero its own sensors if it can, then run lerobot-calibrate "
            "again.",
        ) from error


def move(
    link: Movable,
    target: FloatArray,
    force_limit_n: FloatArray,
    sweep: FreeAirSweep,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Drive every joint to `target` (6,) and wait until it stands still there.

    Raises:
        DeviceNotCalibratedError: if a joint does not get there.
    """
    started = still_since = clock()
    before, _ = link.measure()
    while clock() - started < sweep.timeout_s:
        # Some hands do not acknowledge a command, so one that got lost is said again.
        link.command(target, force_limit_n)
        sleep(sweep.settle_s / 10)
        now, _ = link.measure()
        if np.abs(now - before).max() > _STILL or np.abs(now - target).max() > _REACHED:
            still_since = clock()
        before = now
        if clock() - still_since >= sweep.settle_s:
            return
    astray = [joint for joint, gap in zip(JOINTS, np.abs(before - target), strict=True) if gap > _REACHED]
    if astray:
        raise DeviceNotCalibratedError(
            link.device,
            f"{', '.join(astray)} did not get where it was sent in {sweep.timeout_s:.0f} s.",
            "See that nothing is in the hand's way and that max_force_n is enough to move it, then run "
            "lerobot-calibrate again.",
        )
