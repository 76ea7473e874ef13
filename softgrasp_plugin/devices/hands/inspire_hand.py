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
from .link import Ask, Drive, confirmed
from .plausible import PossibleReadings, closure_margin

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
        hand_id: as set in the hand.
        max_force_n: no joint is ever given a higher limit.
        speed: 0…1, share of full speed. Fast fingers overshoot the force limit by far (up to 3 times at full
            speed was measured on one hand); slow down before you rely on it.
        force_calibration_s: how long the hand's own force calibration takes.
    """

    def __init__(
        self,
        registers: Registers,
        hand_id: int,
        *,
        max_force_n: float,
        speed: float,
        force_calibration_s: float = _FORCE_CALIBRATION_S,
    ) -> None:
        self.device = registers.device
        self.kind = f"Inspire RH56, hand_id {hand_id}"
        self.max_force_n = max_force_n
        self.force_calibration_s = force_calibration_s
        self._registers = registers
        self._speed = max(int(speed * rh56.SPEED_MAX), 1)
        self._force_set: list[int] = []
        self._force_is_set = False
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
        """Clear old errors, set speed and limit; the command becomes where the joints are.

        An earlier program may have left a command that a lower limit kept the fingers from carrying out.
        """
        self._registers.write_byte(rh56.CLEAR_ERROR, 1)
        self._registers.write_shorts(rh56.SPEED_SET, [self._speed] * rh56.NUM_DOF)
        # Until the old command is replaced no limit rises, and none stays above ours, as after power-on.
        self._force_is_set = False
        ours = self._force_units(force_limit_n)
        theirs = self._registers.read_shorts(rh56.FORCE_SET)
        self._registers.write_shorts(rh56.FORCE_SET, [min(pair) for pair in zip(ours, theirs, strict=True)])
        angles = self._registers.read_shorts(rh56.ANGLE_ACT)
        self._registers.write_shorts(rh56.ANGLE_SET, [min(max(a, 0), rh56.ANGLE_OPEN) for a in angles])
        self._limit_force(force_limit_n)
        self._errors_due = 0.0

    def measure(self) -> tuple[FloatArray, FloatArray]:
        self._check_errors()
        angle = np.array(self._registers.read_shorts(rh56.ANGLE_ACT), dtype=np.float64)
        grams = np.array(self._registers.read_shorts(rh56.FORCE_ACT), dtype=np.float64)
        return 1.0 - angle / rh56.ANGLE_OPEN, grams * rh56.NEWTONS_PER_GRAM

    def possible(self) -> PossibleReadings:
        most = rh56.FORCE_ACT_MAX * rh56.NEWTONS_PER_GRAM
        return PossibleReadings(np.full(rh56.NUM_DOF, most), closure_margin())

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        self._limit_force(force_limit_n)
        angle = np.rint((1.0 - closure) * rh56.ANGLE_OPEN).clip(0, rh56.ANGLE_OPEN)
        self._registers.write_shorts(rh56.ANGLE_SET, [int(value) for value in angle])

    def repeat_limits(self) -> None:
        """After a power cut the hand has a speed and a force limit of its own again."""
        self._registers.write_shorts(rh56.SPEED_SET, [self._speed] * rh56.NUM_DOF)
        self._force_is_set = False
        self._registers.write_shorts(rh56.FORCE_SET, self._force_set)
        self._force_is_set = True

    def mismatch(self, motors: Mapping[str, MotorCalibration]) -> str | None:
        return "It is the calibration of a hand of motors, and this is an RH56." if motors else None

    def calibrate(self, ask: Ask, drive: Drive) -> dict[str, MotorCalibration]:
        """Let the hand zero its force sensors, if the user agrees; it knows its own range.

        The movement in which it does so is its firmware's, at the speed it has been set to.
        """
        question = (
            f"{self.device}: zero its force sensors now? It opens and moves its fingers for about "
            f"{self.force_calibration_s:.0f} s and must touch nothing."
        )
        if confirmed(ask, question):
            self.start({}, np.full(rh56.NUM_DOF, self.max_force_n))
            drive(np.zeros(rh56.NUM_DOF))
            self._registers.write_byte(rh56.GESTURE_FORCE_CLB, 1)
            # The hand takes no other command meanwhile, and reports no end.
            time.sleep(self.force_calibration_s)
        return {}

    def _limit_force(self, force_limit_n: FloatArray) -> None:
        force_set = self._force_units(force_limit_n)
        if self._force_is_set and force_set == self._force_set:
            return
        # Should the reply be lost, nobody knows which limit the hand has.
        self._force_set, self._force_is_set = force_set, False
        self._registers.write_shorts(rh56.FORCE_SET, force_set)
        self._force_is_set = True

    def _force_units(self, force_limit_n: FloatArray) -> list[int]:
        """FORCE_SET for limits (6,) in newtons."""
        allowed = force_limit_n.clip(0.0, self.max_force_n)
        grams = (allowed / rh56.NEWTONS_PER_GRAM).clip(0, rh56.FORCE_SET_MAX)
        return [int(value // _FORCE_STEP_G * _FORCE_STEP_G) for value in grams]

    def _check_errors(self) -> None:
        now = time.monotonic()
        if now < self._errors_due:
            return
        errors = dict(zip(JOINTS, self._registers.read_bytes(rh56.ERROR), strict=True))
        self._errors_due = now + _ERROR_PERIOD_S
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
