"""One reading of every motor on a bus, and what a motor reports about its own health."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STATE_ADDRESS = 126
STATE_LENGTH = 10
"""Present_Current (2 bytes), Present_Velocity (4) and Present_Position (4) lie side by side in X motors."""

_HARDWARE_ERRORS = {
    0: "input voltage out of range",
    1: "motor hall sensor error",
    2: "overheating",
    3: "motor encoder error",
    4: "electrical shock or not enough power",
    5: "overload",
}

_STATUS_ERRORS = {
    1: "it could not process the packet",
    2: "unknown instruction",
    3: "the packet arrived damaged",
    4: "value out of the register's range",
    5: "wrong length of data",
    6: "value beyond a limit set in the motor",
    7: "this register cannot be read or written now",
}
PASSING_STATUS_ERRORS = (1, 3)
"""Errors in a status packet after which the same request may succeed; the rest are refusals."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class BusState:
    """Current, velocity and position of `n` motors, in the order they were declared, in their own units.

    Attributes:
        current: shape (n,), signed, units of `MotorModel.current_unit_a`.
        velocity: shape (n,), signed, units of 0.229 rev/min.
        position: shape (n,), signed, 4096 to the turn, homing offset included.
    """

    current: IntArray
    velocity: IntArray
    position: IntArray

    @classmethod
    def from_blocks(cls, blocks: list[bytes]) -> "BusState":
        """Decode one block of `STATE_LENGTH` bytes per motor."""
        rows = np.array(
            [
                [int.from_bytes(block[a:b], "little", signed=True) for a, b in ((0, 2), (2, 6), (6, 10))]
                for block in blocks
            ],
            dtype=np.int64,
        ).reshape(len(blocks), 3)
        return cls(current=rows[:, 0], velocity=rows[:, 1], position=rows[:, 2])


def hardware_error_text(status: int) -> str:
    """The bits of Hardware_Error_Status in words."""
    named = [text for bit, text in _HARDWARE_ERRORS.items() if status >> bit & 1]
    return ", ".join(named) if named else f"unknown hardware error {status:#04x}"


def status_error_text(code: int) -> str:
    """The error number of a status packet, alert bit removed, in words."""
    return _STATUS_ERRORS.get(code, f"unknown error {code:#04x}")
