"""The wearer's range: from a device's integer readings to the normalised angle, 0 straight … 1 bent.

Stored as LeRobot stores every calibration, one `MotorCalibration` per joint: `range_min` < `range_max` in the
device's own counts, and `drive_mode` 1 where the count falls as the finger bends.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median_low

import numpy as np
from lerobot.motors import MotorCalibration

from ...joints import JOINTS, NUM_JOINTS, FloatArray

_READINGS = 15
_MINIMUM_RANGE = 100
"""Counts between straight and bent: 9° of a Dynamixel, a hundredth of a bridge glove's range."""


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
        angle = np.zeros(NUM_JOINTS)
        for joint, count in counts.items():
            entry = self._calibration[joint]
            share = (count - entry.range_min) / (entry.range_max - entry.range_min)
            angle[JOINTS.index(joint)] = min(max(1.0 - share if entry.drive_mode else share, 0.0), 1.0)
        return angle

    def denormalise(self, angle: FloatArray) -> dict[str, int]:
        """Readings by joint for angles (6,)."""
        counts = {}
        for joint, entry in self._calibration.items():
            bent = float(angle[JOINTS.index(joint)])
            share = 1.0 - bent if entry.drive_mode else bent
            counts[joint] = round(entry.range_min + share * (entry.range_max - entry.range_min))
        return counts

    def opens_downwards(self, joint: str) -> bool:
        """Whether the count falls as the finger straightens."""
        return not self._calibration[joint].drive_mode


def ask_open_and_bent(
    joints: Sequence[str],
    ids: Mapping[str, int],
    read_counts: Callable[[], Mapping[str, int]],
    homing_offsets: Mapping[str, int] | None = None,
) -> dict[str, MotorCalibration]:
    """Guide the wearer through the two ends of the range.

    Args:
        joints: the joints to calibrate.
        ids: the id stored with each.
        read_counts: one reading of all of them.
        homing_offsets: the offset stored with each; 0 if left out.

    Returns:
        The calibration by joint.

    Raises:
        ValueError: if a joint hardly moved between the two.
    """
    input("Stretch every finger straight, thumb beside the palm, hold still and press ENTER....")
    straight = _steady(joints, read_counts)
    input(
        "Bend every finger fully, thumb bent and swung in front of the palm, hold still and press ENTER...."
    )
    bent = _steady(joints, read_counts)
    still = [joint for joint in joints if abs(bent[joint] - straight[joint]) < _MINIMUM_RANGE]
    if still:
        raise ValueError(
            f"{', '.join(still)} moved by less than {_MINIMUM_RANGE} counts between straight and bent "
            f"({', '.join(f'{straight[j]}→{bent[j]}' for j in still)}). "
            "Look whether the right motor is configured for the joint and fixed to the finger, then run "
            "lerobot-calibrate again."
        )
    return {
        joint: MotorCalibration(
            id=ids[joint],
            drive_mode=int(bent[joint] < straight[joint]),
            homing_offset=homing_offsets[joint] if homing_offsets else 0,
            range_min=min(straight[joint], bent[joint]),
            range_max=max(straight[joint], bent[joint]),
        )
        for joint in joints
    }


def _steady(joints: Sequence[str], read_counts: Callable[[], Mapping[str, int]]) -> dict[str, int]:
    readings = [read_counts() for _ in range(_READINGS)]
    return {joint: median_low(reading[joint] for reading in readings) for joint in joints}
