"""The registers of an Inspire RH56 hand, and their units.

From the vendor's RH56DFTP manual V1.0.0 (PRJ-02-TS-U-010) and public drivers that cite the RH56 manuals
V1.0.8 and V1.0.9. Addresses are byte addresses on every link. Blocks of six are in the order of
`joints.JOINTS`.
"""

from ...joints import NUM_JOINTS

NUM_DOF = NUM_JOINTS

HAND_ID = 1000
CLEAR_ERROR = 1004
SAVE = 1005
GESTURE_FORCE_CLB = 1009
"""Write 1 with the hand open and touching nothing: it moves its fingers and zeroes its force sensors."""

ANGLE_SET = 1486
FORCE_SET = 1498
SPEED_SET = 1522
ANGLE_ACT = 1546
FORCE_ACT = 1582
CURRENT = 1594
ERROR = 1606
STATUS = 1612
TEMPERATURE = 1618

ANGLE_OPEN = 1000
"""Angles run from 0, closed, to 1000, open."""

SPEED_MAX = 1000
FULL_TRAVEL_S = 0.6
"""At `SPEED_MAX`, on the DFTP; the classic takes about 0.8 s."""

FORCE_SET_MAX = 1000
"""Grams; the DFTP accepts 3000 (check on your device)."""

FORCE_ACT_MAX = 4000
"""Grams in either direction, the range of the DFTP's sensors."""

NEWTONS_PER_GRAM = 9.80665e-3

STALL_BIT = 0
ERROR_TEXT = {
    0: "stalled",
    1: "overheated",
    2: "over-current",
    3: "motor abnormal",
    4: "internal communication",
}


def error_text(bits: int) -> str:
    """The bits of one joint's ERROR register in words."""
    named = [text for bit, text in ERROR_TEXT.items() if bits >> bit & 1]
    return ", ".join(named) if named else f"unknown error {bits:#04x}"
