"""The wearer's range: from a device's integer readings to the normalised angle, 0 straight … 1 bent.

Stored as LeRobot stores every calibration, one `MotorCalibration` per joint: `range_min` < `range_max` in the
device's own counts, and `drive_mode` 1 where the count falls as the finger bends.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median_low

import numpy as np
from lerobot.motors import MotorCalibration

from ...bounds import require_within
from ...joints import JOINTS, NUM_JOINTS, FloatArray

_READINGS = 15
MINIMUM_RANGE = 100
"""Counts between straight and bent: 9° of a Dynamixel, a hundredth of a bridge glove's range."""


_MAX_COUNTS = 1_048_575
"""256 turns, the reach of a Dynamixel's position and its offset."""


def check_entry(joint: str, entry: MotorCalibration, device_id: int, counts_per_turn: int) -> None:
    """Refuse a joint's calibration that cannot be this device's.

    Args:
        joint: the joint.
        entry: what a file says of it; its values may be of any type.
        device_id: the id that the configuration gives the joint.
        counts_per_turn: the widest range that the joint's sensor can see.

    Raises:
        ValueError: if the id is another, or a number is not whole or not plausible.
    """
    if joint not in JOINTS:
        raise ValueError(f"{joint!r} is none of the joints {', '.join(JOINTS)}.")
    bounds = {"id": 252, "drive_mode": 1, "homing_offset": _MAX_COUNTS, "range_min": _MAX_COUNTS}
    for name, most in {**bounds, "range_max": _MAX_COUNTS}.items():
        value = getattr(entry, name)
        least = 0 if name in ("id", "drive_mode") else -most
        require_within(f"{name} of {joint}", value, least, most)
        if not isinstance(value, int):
            raise ValueError(f"{name} of {joint} must be a whole number, got {value!r}.")
    if entry.id != device_id:
        raise ValueError(f"{joint} has id {device_id} in this glove and {entry.id} in the calibration.")
    require_within(
        f"range of {joint}, range_max - range_min,",
        entry.range_max - entry.range_min,
        MINIMUM_RANGE,
        counts_per_turn,
        "counts",
    )


class RangeTable:
    """Converts readings of the joints in a calibration; any other joint is open.

    Raises:
        ValueError: for a joint that does not exist or a range without width.
    """

    def __init__(self, calibration: Mapping[str, MotorCalibration]) -> None:
        for joint, entry in calibration.items():
            if joint not in JOINTS or entry.range_min >= entry.range_max:
                raise ValueError(
                    f"The glove's calibration of {joint!r} is not usable "
                    f"(range {entry.range_min}…{entry.range_max}); run lerobot-calibrate again."
                )
        self._calibration = dict(calibration)

    def normalise(self, counts: Mapping[str, float]) -> FloatArray:
        """Angles (6,) inside [0, 1] for readings by joint."""
        return np.clip(self.measure(counts), 0.0, 1.0)

    def measure(self, counts: Mapping[str, float]) -> FloatArray:
        """Angles (6,) for readings by joint; outside [0, 1] where a finger is straighter or more bent than
        at calibration. A goal comes from these: cut to the range it would drive the finger back into it.
        """
        angle = np.zeros(NUM_JOINTS)
        for joint, count in counts.items():
            entry = self._calibration[joint]
            share = (count - entry.range_min) / (entry.range_max - entry.range_min)
            angle[JOINTS.index(joint)] = 1.0 - share if entry.drive_mode else share
        return angle

    def denormalise(self, angle: FloatArray) -> dict[str, int]:
        """Readings by joint for angles (6,)."""
        counts = {}
        for joint, entry in self._calibration.items():
            bent = float(angle[JOINTS.index(joint)])
            share = 1.0 - bent if entry.drive_mode else bent
            counts[joint] = round(entry.range_min + share * (entry.range_max - entry.range_min))
        return counts


def ask_open_and_bent(
    joints: Sequence[str],
    ids: Mapping[str, int],
    read_counts: Callable[[], Mapping[str, int]],
    homing_offsets: Mapping[str, int] | None = None,
    wraps: Mapping[str, int] | None = None,
) -> dict[str, MotorCalibration]:
    """Guide the wearer through the two ends of the range.

    Args:
        joints: the joints to calibrate.
        ids: the id stored with each.
        read_counts: one reading of all of them.
        homing_offsets: the offset stored with each; 0 where there is none.
        wraps: counts after which a joint's sensor starts again from 0; none where it does not.

    Returns:
        The calibration by joint.

    Raises:
        ValueError: if a joint hardly moved between the two.
    """
    input("Stretch every finger straight, thumb beside the palm, hold still and press ENTER....")
    wraps = wraps or {}
    straight = _steady(joints, read_counts, wraps)
    input(
        "Bend every finger fully, thumb bent and swung in front of the palm, hold still and press ENTER...."
    )
    bent = _steady(joints, read_counts, wraps)
    bent = {joint: unwrapped(count, straight[joint], wraps.get(joint)) for joint, count in bent.items()}
    still = [joint for joint in joints if abs(bent[joint] - straight[joint]) < MINIMUM_RANGE]
    if still:
        raise ValueError(
            f"{', '.join(still)} moved by less than {MINIMUM_RANGE} counts between straight and bent "
            f"({', '.join(f'{straight[j]}→{bent[j]}' for j in still)}). "
            "Look whether the right motor is configured for the joint and fixed to the finger, then run "
            "lerobot-calibrate again."
        )
    return {
        joint: MotorCalibration(
            id=ids[joint],
            drive_mode=int(bent[joint] < straight[joint]),
            homing_offset=(homing_offsets or {}).get(joint, 0),
            range_min=min(straight[joint], bent[joint]),
            range_max=max(straight[joint], bent[joint]),
        )
        for joint in joints
    }


def unwrapped(count: int, near: int, wrap: int | None) -> int:
    """The reading `count` whole turns of `wrap` away that lies next to `near`."""
    return count if wrap is None else count + round((near - count) / wrap) * wrap


def _steady(
    joints: Sequence[str], read_counts: Callable[[], Mapping[str, int]], wraps: Mapping[str, int]
) -> dict[str, int]:
    readings = [read_counts() for _ in range(_READINGS)]
    return {
        joint: median_low(
            unwrapped(reading[joint], readings[0][joint], wraps.get(joint)) for reading in readings
        )
        for joint in joints
    }
