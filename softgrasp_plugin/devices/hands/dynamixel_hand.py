"""A hand of six Dynamixel motors in current-based position mode: position held with limited current."""

from collections.abc import Mapping

import numpy as np
from lerobot.motors import MotorCalibration

from ...joints import JOINTS, NUM_JOINTS, FloatArray
from ..dynamixel import ForceMotorsBus
from ..dynamixel.bus import RETRIES
from ..errors import DeviceNotCalibratedError
from .link import Ask, Drive
from .plausible import PossibleReadings, closure_margin

_TURN = 4096
_PEAK = 1.5
"""A current above the stall current is possible for a moment, but not this much above."""
_MAXIMUM_RANGE = 0.9 * _TURN
_MINIMUM_RANGE = 100
_READINGS = 15


class DynamixelHand:
    """A `HandLink`: closures from encoder counts, newtons from current.

    force = torque constant × current / lever arm, positive when the joint presses in the direction of
    closing. It is nominal: gearbox friction is in it (see `dynamixel/models.py`).

    Args:
        bus: motors named as the joints, in their order.
        lever_arm_m: shape (6,), from each motor's axis to its fingertip.
        max_force_n: no joint is ever given a higher limit.
    """

    def __init__(self, bus: ForceMotorsBus, lever_arm_m: FloatArray, max_force_n: float) -> None:
        self.device = bus.device
        self.kind = f"six Dynamixel motors ({', '.join(motor.model for motor in bus.motors.values())})"
        self.max_force_n = max_force_n
        self._bus = bus
        self._newtons_per_unit = np.array(
            [model.newtons_per_unit(arm) for model, arm in zip(bus.force_models, lever_arm_m, strict=True)]
        )
        self._most_n = _PEAK * np.array(
            [model.stall_torque_nm / arm for model, arm in zip(bus.force_models, lever_arm_m, strict=True)]
        )
        self._open: FloatArray = np.zeros(NUM_JOINTS)
        self._span: FloatArray = np.ones(NUM_JOINTS)
        self._turns: FloatArray = np.zeros(NUM_JOINTS)
        self._current_limit: FloatArray = np.zeros(NUM_JOINTS)

    @property
    def is_open(self) -> bool:
        return bool(self._bus.is_connected)

    def open(self) -> None:
        self._bus.connect()

    def close(self) -> None:
        """Close the port; the motors keep their torque and hold."""
        self._bus.disconnect(disable_torque=False)

    def start(self, motors: Mapping[str, MotorCalibration], force_limit_n: FloatArray) -> None:
        """Hold every joint where it is, in current-based position mode; they go limp for a moment before.

        Raises:
            DeviceNotCalibratedError: if the calibration does not fit these motors.
        """
        self._check(motors)
        low = np.array([motors[joint].range_min for joint in JOINTS], dtype=np.float64)
        high = np.array([motors[joint].range_max for joint in JOINTS], dtype=np.float64)
        falls = np.array([bool(motors[joint].drive_mode) for joint in JOINTS])
        self._open = np.where(falls, high, low)
        self._span = np.where(falls, low - high, high - low)
        self._bus.configure_current_based_position()
        self._current_limit = self._bus.current_limits().astype(np.float64)
        position = self._bus.read_state().position
        # After power-on a motor counts from the turn it happens to be in; a joint moves by less than a turn.
        self._turns = np.rint(((low + high) / 2.0 - position) / _TURN) * _TURN
        # Changing the mode may reset the goals (check on your device): write them before the torque comes.
        self._bus.hold(self._units(force_limit_n), position)

    def measure(self) -> tuple[FloatArray, FloatArray]:
        state = self._bus.read_state()
        closure = (state.position + self._turns - self._open) / self._span
        return closure, np.sign(self._span) * state.current * self._newtons_per_unit

    def possible(self) -> PossibleReadings:
        return PossibleReadings(self._most_n, closure_margin(_TURN / np.abs(self._span)))

    def repeat_limits(self) -> None:
        """Nothing to do: every command carries its limit, and a motor that lost its power is limp."""

    def mismatch(self, motors: Mapping[str, MotorCalibration]) -> str | None:
        missing = [joint for joint in JOINTS if joint not in motors]
        if missing:
            return f"It has no range for the motors of {', '.join(missing)}."
        wrong = [joint for joint in JOINTS if motors[joint].id != self._bus.motors[joint].id]
        if wrong:
            return f"The ids in it are not those of the motors of {', '.join(wrong)}."
        return None

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        self._bus.write_goals(self._units(force_limit_n), self._open + closure * self._span - self._turns)

    def calibrate(self, ask: Ask, drive: Drive) -> dict[str, MotorCalibration]:
        """Record the range of motion while the user moves the limp fingers.

        Raises:
            DeviceNotCalibratedError: if a joint hardly moved, or by nearly a turn.
            DeviceFaultError: if a motor cannot be confirmed to be limp; nobody is asked to move it then.
        """
        self._bus.configure_current_based_position()
        self._bus.require_torque_off()
        offsets = self._bus.sync_read("Homing_Offset", normalize=False, num_retry=RETRIES)
        ask(f"{self.device} is limp now. Open the hand fully, thumb beside the palm, and press ENTER. ")
        opened = self._steady_position()
        ask("Close every finger, bend the thumb and swing it in front of the palm, and press ENTER. ")
        closed = self._steady_position()
        spans = dict(zip(JOINTS, (closed - opened).tolist(), strict=True))
        bad = {
            joint: span for joint, span in spans.items() if not _MINIMUM_RANGE <= abs(span) <= _MAXIMUM_RANGE
        }
        if bad:
            described = ", ".join(f"{joint} moved by {span:.0f} counts" for joint, span in bad.items())
            raise DeviceNotCalibratedError(
                self.device,
                f"{described} between open and closed; expected {_MINIMUM_RANGE} to {_MAXIMUM_RANGE:.0f}.",
                "See that the ids belong to these joints, then run lerobot-calibrate again.",
            )
        return {
            joint: MotorCalibration(
                id=self._bus.motors[joint].id,
                drive_mode=int(closed[i] < opened[i]),
                homing_offset=int(offsets[joint]),
                range_min=int(min(opened[i], closed[i])),
                range_max=int(max(opened[i], closed[i])),
            )
            for i, joint in enumerate(JOINTS)
        }

    def _units(self, force_n: FloatArray) -> FloatArray:
        """The currents (6,) that make forces (6,), as far as motors and `max_force_n` allow."""
        allowed = np.clip(force_n, 0.0, self.max_force_n)
        return np.asarray(np.clip(np.floor(allowed / self._newtons_per_unit), 0.0, self._current_limit))

    def _steady_position(self) -> FloatArray:
        readings = [self._bus.read_state().position for _ in range(_READINGS)]
        return np.asarray(np.median(readings, axis=0), dtype=np.float64)

    def _check(self, motors: Mapping[str, MotorCalibration]) -> None:
        offsets = self._bus.sync_read("Homing_Offset", normalize=False, num_retry=RETRIES)
        wrong = [
            joint
            for joint in JOINTS
            if motors[joint].homing_offset != offsets[joint]
            or motors[joint].range_min >= motors[joint].range_max
        ]
        if wrong:
            raise DeviceNotCalibratedError(
                self.device,
                f"its calibration does not fit the motors of {', '.join(wrong)} (offset or range).",
                "Run lerobot-calibrate again.",
            )
