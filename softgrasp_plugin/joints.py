"""The six joints of the hand: their order, the keys they are recorded under, and the units.

Every array of six in this package is in the order of `JOINTS` (SoftGrasp, section 3.1; the registers of an
Inspire RH56 have the same order). Two quantities exist per joint:

* ``<joint>.pos``: closure, dimensionless, 0 = fully open … 1 = fully closed.
* ``<joint>_torque.pos``: fingertip force in newtons, 0 when nothing is touched. The paper uses the fingertip
  force as the joint torque. The ``.pos`` ending is LeRobot's mark for scalars that a policy may see:
  `lerobot-rollout` drops every other key. A hand without torque sensing has none of them.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

JOINTS: tuple[str, ...] = (
    "little_bend",
    "ring_bend",
    "middle_bend",
    "index_bend",
    "thumb_bend",
    "thumb_swing",
)
NUM_JOINTS = len(JOINTS)
FINGERS = slice(0, 4)
THUMB_BEND = 4
THUMB_SWING = 5

CLOSURE_KEYS: tuple[str, ...] = tuple(f"{joint}.pos" for joint in JOINTS)
TORQUE_KEYS: tuple[str, ...] = tuple(f"{joint}_torque.pos" for joint in JOINTS)
STATE_KEYS: tuple[str, ...] = CLOSURE_KEYS + TORQUE_KEYS
"""Names of `observation.state` and of `action`, in this order."""

ARM_JOINTS: tuple[str, ...] = ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3")
ARM_KEYS: tuple[str, ...] = tuple(f"{joint}.pos" for joint in ARM_JOINTS)
"""Angles of the UR3's joints in radians, where they are observed too."""

CAMERA_KEY = "side"
IMAGE_FEATURE = f"observation.images.{CAMERA_KEY}"


def keys_of(measures_torque: bool) -> tuple[str, ...]:
    """The names of a hand's columns: all twelve, or the six closures of one without torque sensing."""
    return STATE_KEYS if measures_torque else CLOSURE_KEYS


def to_keys(closure: FloatArray, torque: FloatArray | None) -> dict[str, float]:
    """Pair the recorded keys with arrays of shape (6,): closure, torque in newtons or None."""
    values = [*closure.tolist(), *([] if torque is None else torque.tolist())]
    return dict(zip(keys_of(torque is not None), values, strict=True))


def from_keys(values: Mapping[str, Any], keys: tuple[str, ...], missing: FloatArray) -> FloatArray:
    """Read six values by key; a key that is absent takes its value from `missing` (shape (6,)).

    Raises:
        TypeError: if a value is not a number; text that looks like one is none.
    """
    return np.array(
        [_number(key, values.get(key, absent)) for key, absent in zip(keys, missing.tolist(), strict=True)],
        dtype=np.float64,
    )


def _number(key: str, value: Any) -> float:
    try:
        if not isinstance(value, str | bytes):
            return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{key!r} must be a number, got {type(value).__name__} {value!r:.80}.")
