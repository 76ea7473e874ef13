"""LeRobot's Dynamixel bus for devices that feel: current beside position, no stale value, no hidden fault."""

import logging
from typing import Any

import dynamixel_sdk as dxl
import numpy as np
from lerobot.motors import Motor, MotorCalibration, MotorNormMode
from lerobot.motors.dynamixel import DynamixelMotorsBus, OperatingMode
from lerobot.motors.dynamixel.dynamixel import TorqueMode
from numpy.typing import ArrayLike

from ..errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceSilentError
from ..serial_link import warn_about_latency
from .models import MOTOR_MODELS, force_model
from .state import (
    PASSING_STATUS_ERRORS,
    STATE_ADDRESS,
    STATE_LENGTH,
    BusState,
    IntArray,
    hardware_error_text,
    status_error_text,
)
from .wire import GuardedPort, ResyncPacketHandler

logger = logging.getLogger(__name__)

RETRIES = 2
_ALERT = 0x80
_SAME_TABLE_AS = "xl330-m288"
_TORQUE_OFF = "its torque is off"
_SAME_POSITION = 20
"""Counts by which a goal may differ from where a motor stands without a visible motion: 1.8 degrees."""


def _with_missing_models(table: dict[str, Any]) -> dict[str, Any]:
    return {**table, **{name: table[_SAME_TABLE_AS] for name in MOTOR_MODELS if name not in table}}


class ForceMotorsBus(DynamixelMotorsBus):
    """Dynamixel motors whose current is read as a force. One thread at a time may use a bus.

    It differs from LeRobot's bus in this:

    * XC330-M288 and XC330-M181 are known; models without a current sensor are refused.
    * `read_state` reads current, velocity and position of all motors in one transaction, by Fast Sync Read
      where the firmware has it.
    * A reply that comes late is never returned as fresh (see `wire.py`), in any of LeRobot's own methods
      either.
    * A motor that reports a hardware error raises it, with its name, the error in words, and whether its
      torque is off, as read back. A motor that refuses a write is named with its reason.
    * The handshake retries, so that a busy computer does not look like a missing motor, and a failed one
      leaves the port closed.

    Args:
        port: path of the serial port.
        motors: motor name → (id, model); order decides the order of `read_state`.
        calibration: as in LeRobot.
        device: name of the device for messages.
        baudrate: of every motor on the bus (factory 57 600; 1 000 000 or more recommended).
        fast_sync_read: True or False to force it, None to use it if the motors answer it. XL330 needs
            firmware 46 (other models: check on your device).

    Raises:
        ValueError: for a model that is unknown or has no current sensor.
    """

    model_ctrl_table = _with_missing_models(DynamixelMotorsBus.model_ctrl_table)
    model_baudrate_table = _with_missing_models(DynamixelMotorsBus.model_baudrate_table)
    model_encoding_table = _with_missing_models(DynamixelMotorsBus.model_encoding_table)
    model_resolution_table = _with_missing_models(DynamixelMotorsBus.model_resolution_table)
    model_number_table = {  # noqa: RUF012 (LeRobot's class attribute)
        **DynamixelMotorsBus.model_number_table,
        **{model.name: model.number for model in MOTOR_MODELS.values()},
    }

    def __init__(
        self,
        port: str,
        motors: dict[str, Motor],
        calibration: dict[str, MotorCalibration] | None = None,
        *,
        device: str = "Dynamixel bus",
        baudrate: int = DynamixelMotorsBus.default_baudrate,
        fast_sync_read: bool | None = None,
    ) -> None:
        self.force_models = [force_model(motor.model) for motor in motors.values()]
        super().__init__(port, motors, calibration)
        self.device = f"{device} on {port}"
        self.port_handler = GuardedPort(port, device)
        self.port_handler.baudrate = baudrate
        self.packet_handler = ResyncPacketHandler()
        self.sync_reader = dxl.GroupSyncRead(self.port_handler, self.packet_handler, 0, 0)
        self.sync_writer = dxl.GroupSyncWrite(self.port_handler, self.packet_handler, 0, 0)
        self._fast_wanted = fast_sync_read
        self._fast = False

    @property
    def uses_fast_sync_read(self) -> bool:
        """Whether `read_state` uses Fast Sync Read; known once connected."""
        return self._fast

    def _connect(self, handshake: bool = True) -> None:
        if not self.port_handler.openPort():
            raise DeviceLostError(
                self.device,
                f"the SDK cannot set a baud rate of {self.get_baudrate()}.",
                f"Use one of {sorted(self.available_baudrates)}.",
            )
        if not handshake:
            return
        try:
            self._handshake()
        except BaseException:
            self.port_handler.closePort()
            raise
        warn_about_latency(self.port, self.device)

    def _handshake(self) -> None:
        problems = [problem for name in self.motors if (problem := self._greet(name))]
        if problems:
            raise DeviceSilentError(
                self.device,
                f"{'; '.join(problems)}.",
                f"Check power and cables, ids and baud rate ({self.get_baudrate()}).",
            )
        self._fast = self._fast_wanted is not False and self._probe_fast_sync_read()

    def _greet(self, name: str) -> str | None:
        """Ping one motor; what is wrong with it, or None."""
        motor, expected = self.motors[name], self.model_number_table[self.motors[name].model]
        for _ in range(1 + RETRIES):
            number, result, error = self.packet_handler.ping(self.port_handler, motor.id)
            if result == dxl.COMM_SUCCESS:
                break
        else:
            return f"motor {name} (id {motor.id}) does not answer"
        if number != expected:
            return (
                f"motor {name} (id {motor.id}) has model number {number}, expected {expected} ({motor.model})"
            )
        if error & _ALERT:
            raise self._hardware_fault({motor.id})
        return None

    def _probe_fast_sync_read(self) -> bool:
        if any(self._read_blocks(fast=True) for _ in range(1 + RETRIES)):
            return True
        if self._fast_wanted:
            raise DeviceSilentError(
                self.device,
                "the motors do not answer Fast Sync Read.",
                "Update their firmware, or set fast_sync_read to false.",
            )
        logger.info("%s: no Fast Sync Read; using Sync Read.", self.device)
        return False

    def read_state(self, num_retry: int = RETRIES) -> BusState:
        """Current, velocity and position of every motor, in one transaction.

        Raises:
            DeviceSilentError: if no valid reply came after `num_retry` retries.
            DeviceFaultError: if a motor reports a hardware error; the message names it.
            DeviceLostError: if the port failed.
        """
        problem = f"no valid reply from the motors {list(self.motors)} in {num_retry + 1} tries."
        for _ in range(1 + num_retry):
            replies = self._read_blocks(fast=self._fast)
            if replies is None:
                continue
            alerted = {motor_id for motor_id, (error, _) in replies.items() if error & _ALERT}
            if alerted:
                raise self._hardware_fault(alerted)
            codes = {motor_id: error for motor_id, (error, _) in replies.items() if error}
            if any(code not in PASSING_STATUS_ERRORS for code in codes.values()):
                raise self._refusal(codes, "reading its state")
            if codes:
                problem = f"the motors answer that reading failed: {self._described(codes)}."
                continue
            return BusState.from_blocks([replies[motor_id][1] for motor_id in self.ids])
        raise DeviceSilentError(
            self.device,
            problem,
            "Check power and cables; if it happens now and then, lower the rate or the baud rate.",
        )

    def _read_blocks(self, *, fast: bool) -> dict[int, tuple[int, bytes]] | None:
        """Error byte and state block of each motor, or None if any is missing or damaged."""
        handler, ids = self.packet_handler, self.ids
        if (
            handler.syncReadTx(self.port_handler, STATE_ADDRESS, STATE_LENGTH, ids, len(ids), fast)
            != dxl.COMM_SUCCESS
        ):
            return None
        if not fast:
            replies = {}
            for motor_id in ids:
                data, result, error = handler.readRx(self.port_handler, motor_id, STATE_LENGTH)
                if result != dxl.COMM_SUCCESS:
                    return None
                replies[motor_id] = (error, bytes(data))
            return replies
        size = STATE_LENGTH + 4  # error, id, block, CRC
        data, result, _ = handler.fastSyncReadRx(self.port_handler, dxl.BROADCAST_ID, size * len(ids))
        if result != dxl.COMM_SUCCESS:
            return None
        parts = [bytes(data[start : start + size]) for start in range(0, len(data), size)]
        replies = {part[1]: (part[0], part[2 : 2 + STATE_LENGTH]) for part in parts}
        return replies if replies.keys() == set(ids) else None

    def _refusal(self, codes: dict[int, int], request: str) -> DeviceFaultError:
        """The error for motors that refuse a request; `codes` has the error number by id."""
        return DeviceFaultError(
            self.device,
            f"{request} is refused by {self._described(codes)}.",
            "Check that the model and its firmware are the ones configured.",
        )

    def _described(self, codes: dict[int, int]) -> str:
        return "; ".join(
            f"motor {self._id_to_name(motor_id)} (id {motor_id}): {status_error_text(code)}"
            for motor_id, code in codes.items()
        )

    def _write(
        self,
        addr: int,
        length: int,
        motor_id: int,
        value: int,
        *,
        num_retry: int = 0,
        raise_on_error: bool = True,
        err_msg: str = "",
    ) -> tuple[int, int]:
        """LeRobot's acknowledged write, with errors that name the motor and its reason.

        Raises:
            DeviceFaultError: if the motor reports a hardware error, or refuses the value.
            DeviceSilentError: if no valid acknowledgement came.
            DeviceError: if the motor could not process the packet, several times.
        """
        comm, error = dxl.COMM_RX_TIMEOUT, 0
        for _ in range(1 + num_retry):
            comm, error = super()._write(addr, length, motor_id, value, raise_on_error=False)
            if comm == dxl.COMM_SUCCESS and error not in PASSING_STATUS_ERRORS:
                break
        if not raise_on_error or (comm == dxl.COMM_SUCCESS and not error):
            return comm, error
        name = self._id_to_name(motor_id)
        if comm != dxl.COMM_SUCCESS:
            raise DeviceSilentError(
                self.device,
                f"motor {name} (id {motor_id}) did not acknowledge a write to register {addr} in "
                f"{1 + num_retry} tries.",
                "Check power and cables.",
            )
        if error & _ALERT:
            raise self._hardware_fault({motor_id})
        if error in PASSING_STATUS_ERRORS:
            raise DeviceError(
                self.device,
                f"motor {name} (id {motor_id}) answers a write to register {addr}: "
                f"{status_error_text(error)}, {1 + num_retry} times.",
                "Check cables and grounding, or lower the baud rate.",
            )
        raise self._refusal({motor_id: error}, f"writing {value} to register {addr}")

    def _torque_text(self, motor_id: int) -> str:
        """Whether a motor's torque is off, as it says itself at this moment."""
        address, _ = self.model_ctrl_table[self._id_to_model(motor_id)]["Torque_Enable"]
        for _ in range(1 + RETRIES):
            value, result, error = self.packet_handler.read1ByteTxRx(self.port_handler, motor_id, address)
            if result == dxl.COMM_SUCCESS and not error & ~_ALERT:
                return _TORQUE_OFF if value == TorqueMode.DISABLED.value else "its torque is still ON"
        return "whether its torque is off could not be verified"

    def _hardware_fault(self, motor_ids: set[int]) -> DeviceFaultError:
        problems, torques = [], []
        for motor_id in sorted(motor_ids):
            address, _ = self.model_ctrl_table[self._id_to_model(motor_id)]["Hardware_Error_Status"]
            status, result, _ = self.packet_handler.read1ByteTxRx(self.port_handler, motor_id, address)
            text = (
                hardware_error_text(status)
                if result == dxl.COMM_SUCCESS
                else "hardware error, status unreadable"
            )
            torques.append(self._torque_text(motor_id))
            problems.append(f"motor {self._id_to_name(motor_id)} (id {motor_id}): {text}; {torques[-1]}")
        caution = "" if all(torque == _TORQUE_OFF for torque in torques) else "It may move: cut its power. "
        return DeviceFaultError(
            self.device,
            f"{'. '.join(problems)}.",
            f"{caution}Remove the cause (load, heat, supply), then switch its power off and on.",
        )

    def require_torque_off(self) -> None:
        """See that every motor is limp, before a person is told so.

        Raises:
            DeviceFaultError: if one is not, or does not say; the message names it.
        """
        texts = {name: self._torque_text(motor.id) for name, motor in self.motors.items()}
        problems = [f"motor {name}: {text}" for name, text in texts.items() if text != _TORQUE_OFF]
        if problems:
            raise DeviceFaultError(
                self.device,
                f"{'; '.join(problems)}.",
                "Do not touch it; cut its power, then connect again.",
            )

    def write_goals(self, current: ArrayLike, position: ArrayLike) -> None:
        """Set Goal_Current, then Goal_Position, of every motor; not acknowledged by the motors.

        In current-based position mode a motor holds its position with at most this current.

        Args:
            current: shape (n,), at most the motor's Current_Limit (a motor ignores a higher one), in its own
                units.
            position: shape (n,), 4096 to the turn.
        """
        names = list(self.motors)
        self.sync_write("Goal_Current", dict(zip(names, _integers(current), strict=True)), normalize=False)
        self.sync_write("Goal_Position", dict(zip(names, _integers(position), strict=True)), normalize=False)

    def hold(self, current: ArrayLike, position: ArrayLike) -> None:
        """Switch torque on, with every motor holding `position` with at most `current`, see `write_goals`.

        Goals are not acknowledged, and a motor that missed its goal would drive to an older one as soon as
        its torque is on; so they are read back before.

        Raises:
            DeviceFaultError: if a motor does not take its goals; torque stays off then.
            DeviceError: if the motors cannot be reached.
        """
        names = list(self.motors)
        currents, positions = _integers(current), _integers(position)
        astray = names
        for _ in range(1 + RETRIES):
            self.write_goals(currents, positions)
            goal_currents = self.sync_read("Goal_Current", normalize=False, num_retry=RETRIES)
            goal_positions = self.sync_read("Goal_Position", normalize=False, num_retry=RETRIES)
            astray = [
                name
                for name, most, here in zip(names, currents, positions, strict=True)
                if goal_currents[name] > most or abs(goal_positions[name] - here) > _SAME_POSITION
            ]
            if not astray:
                self.enable_torque(num_retry=RETRIES)
                return
        raise DeviceFaultError(
            self.device,
            f"the motors {', '.join(astray)} do not take their goals.",
            "Their torque has not been switched on. Check cables and firmware, then connect again.",
        )

    def current_limits(self) -> IntArray:
        """Current_Limit of every motor, shape (n,), in its own units."""
        limits = self.sync_read("Current_Limit", normalize=False, num_retry=RETRIES)
        return np.array([limits[name] for name in self.motors], dtype=np.int64)

    def configure_current_based_position(self) -> None:
        """Switch every motor's torque off and put it into current-based position mode, with no return delay
        and no watchdog.
        """
        self.disable_torque(num_retry=RETRIES)
        for name in self.motors:
            self.write("Bus_Watchdog", name, 0, num_retry=RETRIES)
            self.write("Return_Delay_Time", name, 0, num_retry=RETRIES)
            self.write("Operating_Mode", name, OperatingMode.CURRENT_POSITION.value, num_retry=RETRIES)

    def release(self) -> None:
        """Switch every motor's torque off at once.

        No answer is waited for, so that a dead motor cannot keep the others pulling.

        Raises:
            DeviceLostError: if the port failed.
        """
        for _ in range(1 + RETRIES):
            self.sync_write("Torque_Enable", TorqueMode.DISABLED.value, normalize=False)
        self.port_handler.drain()

    def disconnect(self, disable_torque: bool = True) -> None:
        """Close the port, after switching every motor's torque off if `disable_torque`."""
        try:
            if disable_torque and self.is_connected:
                self.release()
        finally:
            self.port_handler.closePort()


def _integers(values: ArrayLike) -> list[int]:
    return [int(value) for value in np.rint(np.asarray(values, dtype=np.float64))]


def motor_table(names: tuple[str, ...], ids: list[int], models: list[str]) -> dict[str, Motor]:
    """LeRobot's motor table of a device; one model for all, or one per motor.

    Raises:
        ValueError: if there are not as many ids and models as names, or ids repeat.
    """
    models = models * len(names) if len(models) == 1 else models
    if len(ids) != len(names) or len(models) != len(names) or len(set(ids)) != len(ids):
        raise ValueError(
            f"Expected one distinct motor id for each of {', '.join(names)}, and one model or as many; "
            f"got ids {ids}, models {models}."
        )
    return {
        name: Motor(motor_id, model, MotorNormMode.RANGE_0_100)
        for name, motor_id, model in zip(names, ids, models, strict=True)
    }
