"""The Inspire RH56, over whichever wire carries its registers."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from lerobot.motors import MotorCalibration

from ...joints import JOINTS, FloatArray
from ..errors import DeviceFaultError
from . import rh56_registers as rh56
from .link import Ask, confirmed

logger = logging.getLogger(__name__)

_ERROR_PERIOD_S = 0.5
_FORCE_STEP_G = 10
"""The sensors resolve 0.1 N; a limit that changes by less is not worth a message."""
_FORCE_CALIBRATION_S = 15.0
"""Most drivers wait 6 s, one 15 s; check on your device."""


class Registers(Protocol):
    """Blocks of six and single bytes of an RH56 (`rh56_registers`); all methods may raise a `DeviceError`."""

    device: str

    @property
    def is_open(self) -> bool: ...

    def open(self) -> None: ...

    def close(self) -> None: ...

    def read_shorts(self, address: int) -> tuple[int, ...]: ...

    def write_shorts(self, address: int, values: Sequence[int]) -> None: ...

    def read_bytes(self, address: int) -> tuple[int, ...]: ...

    def write_byte(self, address: int, value: int) -> None: ...


class InspireHand:
    """A `HandLink`: closures from angles, newtons from grams.

    The hand keeps holding its last command when nobody talks to it.

    Args:
        registers: the wire.
        speed: 0…1, share of full speed. Fast fingers overshoot the force limit by far (up to 3 times at full
            speed was measured on one hand); slow down before you rely on it.
        force_calibration_s: how long the hand's own force calibration takes.
    """

    def __init__(
        self, registers: Registers, speed: float, force_calibration_s: float = _FORCE_CALIBRATION_S
    ) -> None:
        self.device = registers.device
        self._registers = registers
        self._speed = round(speed * rh56.SPEED_MAX)
        self.force_calibration_s = force_calibration_s
        self._force_set: list[int] | None = None
        self._errors_due = 0.0

    @property
    def is_open(self) -> bool:
        return self._registers.is_open

    def open(self) -> None:
        self._registers.open()
        self._registers.read_shorts(rh56.ANGLE_ACT)

    def close(self) -> None:
        self._registers.close()

    def start(self, motors: Mapping[str, MotorCalibration], force_limit_n: FloatArray) -> None:
        """Clear old errors, set speed and limit; the joints hold, since their command is left as it is."""
        self._registers.write_byte(rh56.CLEAR_ERROR, 1)
        self._registers.write_shorts(rh56.SPEED_SET, [self._speed] * rh56.NUM_DOF)
        self._force_set = None
        self._limit_force(force_limit_n)
        self._errors_due = 0.0

    def measure(self) -> tuple[FloatArray, FloatArray]:
        self._check_errors()
        angle = np.array(self._registers.read_shorts(rh56.ANGLE_ACT), dtype=np.float64)
        grams = np.array(self._registers.read_shorts(rh56.FORCE_ACT), dtype=np.float64)
        return 1.0 - angle / rh56.ANGLE_OPEN, grams * rh56.NEWTONS_PER_GRAM

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        self._limit_force(force_limit_n)
        angle = np.rint((1.0 - closure) * rh56.ANGLE_OPEN).clip(0, rh56.ANGLE_OPEN)
        self._registers.write_shorts(rh56.ANGLE_SET, [int(value) for value in angle])

    def _limit_force(self, force_limit_n: FloatArray) -> None:
        grams = (force_limit_n / rh56.NEWTONS_PER_GRAM).clip(0, rh56.FORCE_SET_MAX)
        force_set = [int(value // _FORCE_STEP_G * _FORCE_STEP_G) for value in grams]
        if force_set != self._force_set:
            self._registers.write_shorts(rh56.FORCE_SET, force_set)
            self._force_set = force_set

    def calibrate(self, ask: Ask) -> dict[str, MotorCalibration]:
        """Let the hand zero its force sensors, if the user agrees; it knows its own range."""
        question = (
            f"{self.device}: zero its force sensors now? It opens and moves its fingers for about "
            f"{self.force_calibration_s:.0f} s and must touch nothing."
        )
        if confirmed(ask, question):
            self._registers.write_shorts(rh56.ANGLE_SET, [rh56.ANGLE_OPEN] * rh56.NUM_DOF)
            self._registers.write_byte(rh56.GESTURE_FORCE_CLB, 1)
            # The hand takes no other command meanwhile, and reports no end.
            time.sleep(self.force_calibration_s)
        return {}

    def _check_errors(self) -> None:
        now = time.monotonic()
        if now < self._errors_due:
            return
        self._errors_due = now + _ERROR_PERIOD_S
        errors = dict(zip(JOINTS, self._registers.read_bytes(rh56.ERROR), strict=True))
        # A finger that squeezes something rigid is stalled; that is what a grasp looks like, not a fault.
        faults = {joint: bits & ~(1 << rh56.STALL_BIT) for joint, bits in errors.items()}
        if any(faults.values()):
            described = "; ".join(
                f"{joint} {rh56.error_text(bits)}" for joint, bits in faults.items() if bits
            )
            raise DeviceFaultError(
                self.device,
                f"it reports {described}.",
                "Take the load off, let it cool, then connect again, which clears its errors.",
            )
