"""A bus of Dynamixel X motors: Protocol 2.0 on a pseudo-terminal.

Motors have a control table, lock their EEPROM while torque is on, move in current-based position mode (5) and
in position modes (3, 4), report hardware errors, and go limp when they do. A tripped Bus_Watchdog stops a
motor where it is and locks its goals. Instructions: Ping, Read, Write, Reboot, Sync Read, Sync Write, Fast
Sync Read, Bulk Read.
"""

import struct
import time
from dataclasses import dataclass, field

from ..devices.dynamixel.models import force_model
from .plant import FirstOrderJoints, Plant
from .wire import Faults, SerialEmulator

BROADCAST = 0xFE
_HEADER = b"\xff\xff\xfd"
_PING, _READ, _WRITE, _REBOOT, _STATUS = 0x01, 0x02, 0x03, 0x08, 0x55
_SYNC_READ, _SYNC_WRITE, _FAST_SYNC_READ, _BULK_READ = 0x82, 0x83, 0x8A, 0x92
_ALERT, _DATA_LIMIT, _ACCESS = 0x80, 0x06, 0x07
_LONGEST_PACKET = 1024

_EEPROM_END = 64
_OPERATING_MODE, _CURRENT_LIMIT, _TORQUE_ENABLE, _HARDWARE_ERROR, _BUS_WATCHDOG = 11, 38, 64, 70, 98
_HOMING_OFFSET, _GOAL_CURRENT, _GOAL_POSITION = 20, 102, 116
_PRESENT_CURRENT, _PRESENT_VELOCITY, _PRESENT_POSITION = 126, 128, 132
_READ_ONLY = (*range(7), _HARDWARE_ERROR, *range(120, 147))
_POSITION_MODES = (3, 4, 5)
_CURRENT_BASED_POSITION = 5
_GOALS = range(100, 120)
_WATCHDOG_UNIT_S = 0.020
_WATCHDOG_TRIPPED = -1


def crc16(data: bytes, crc: int = 0) -> int:
    """The checksum of Protocol 2.0 (polynomial 0x8005, not reflected)."""
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005) & 0xFFFF if crc & 0x8000 else crc << 1 & 0xFFFF
    return crc


def packet(identity: int, instruction: int, parameters: bytes) -> bytes:
    """A packet with byte stuffing and checksum."""
    body = (bytes([instruction]) + parameters).replace(_HEADER, _HEADER + b"\xfd")
    head = _HEADER + b"\x00" + bytes([identity]) + struct.pack("<H", len(body) + 2) + body
    return head + struct.pack("<H", crc16(head))


class PacketParser:
    """Finds packets in a stream; whatever is not one is skipped."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Take bytes; return the packets they complete as (id, instruction, parameters)."""
        self._buffer += data
        packets: list[tuple[int, int, bytes]] = []
        while (start := self._buffer.find(_HEADER + b"\x00")) >= 0:
            self._buffer = self._buffer[start:]
            if len(self._buffer) < 7:
                return packets
            length = struct.unpack_from("<H", self._buffer, 5)[0]
            if not 3 <= length <= _LONGEST_PACKET:
                self._buffer = self._buffer[4:]
                continue
            if len(self._buffer) < 7 + length:
                return packets
            whole = self._buffer[: 7 + length]
            if crc16(whole[:-2]) != struct.unpack("<H", whole[-2:])[0]:
                self._buffer = self._buffer[4:]
                continue
            self._buffer = self._buffer[7 + length :]
            body = whole[7:-2].replace(_HEADER + b"\xfd", _HEADER)
            packets.append((whole[4], body[0], body[1:]))
        self._buffer = self._buffer[-3:]
        return packets


@dataclass
class EmulatedMotor:
    """One motor and what it is mounted on.

    Attributes:
        identity: its id.
        model: LeRobot's name of the model.
        joint: index of the joint it moves in the plant.
        open_tick: its encoder's reading, before any homing offset, at closure 0.
        closed_tick: the same at closure 1; below `open_tick` if the motor is mounted the other way round.
        lever_arm_m: from its axis to the fingertip.
        firmware: version; Fast Sync Read needs 46.
        hardware_error: bits of Hardware_Error_Status.
    """

    identity: int
    model: str
    joint: int
    open_tick: int = 1024
    closed_tick: int = 3072
    lever_arm_m: float = 0.07
    firmware: int = 52
    hardware_error: int = 0
    table: bytearray = field(default_factory=lambda: bytearray(1024), init=False)

    def __post_init__(self) -> None:
        self._specification = force_model(self.model)
        self.reset()

    def reset(self) -> None:
        """Power on with factory settings."""
        self.table[:] = bytes(len(self.table))
        self.hardware_error = 0
        for address, size, value in (
            (0, 2, self._specification.number),
            (6, 1, self.firmware),
            (7, 1, self.identity),
            (8, 1, 1),
            (9, 1, 250),
            (_OPERATING_MODE, 1, 3),
            (_CURRENT_LIMIT, 2, 1750),
            (48, 4, 4095),
            (68, 1, 2),
            (_GOAL_CURRENT, 2, 1750),
            (144, 2, 50),
            (146, 1, 30),
        ):
            self.put(address, size, value)

    def get(self, address: int, size: int) -> int:
        return int.from_bytes(self.table[address : address + size], "little", signed=True)

    def put(self, address: int, size: int, value: int) -> None:
        self.table[address : address + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def write(self, address: int, data: bytes) -> int:
        """Write as a client would; returns the protocol's error code."""
        touched = range(address, address + len(data))
        if any(a in _READ_ONLY for a in touched) or (address < _EEPROM_END and self.table[_TORQUE_ENABLE]):
            return _ACCESS
        if address == _GOAL_CURRENT and abs(int.from_bytes(data[:2], "little", signed=True)) > self.get(
            _CURRENT_LIMIT, 2
        ):
            return _DATA_LIMIT
        if address == _TORQUE_ENABLE and self.hardware_error:
            return _ACCESS
        if address in _GOALS and self.get(_BUS_WATCHDOG, 1) == _WATCHDOG_TRIPPED:
            return _ACCESS
        self.table[address : address + len(data)] = data
        return 0

    def watch(self, silence_s: float) -> bool:
        """Stop where it is if nobody has spoken for longer than Bus_Watchdog allows; whether it just did."""
        allowed = self.get(_BUS_WATCHDOG, 1)
        if allowed <= 0 or silence_s <= allowed * _WATCHDOG_UNIT_S:
            return False
        self.put(_BUS_WATCHDOG, 1, _WATCHDOG_TRIPPED)
        self.put(_GOAL_POSITION, 4, self.get(_PRESENT_POSITION, 4))
        return True

    def sense(self, closure: float, force_n: float) -> None:
        """Put what the joint does into the Present registers; velocity stays 0."""
        ticks = self.open_tick + closure * (self.closed_tick - self.open_tick)
        direction = 1 if self.closed_tick > self.open_tick else -1
        # A collision in the simulated world may push harder than any motor can.
        most = self._specification.stall_torque_nm / self.lever_arm_m
        force_n = min(max(force_n, -most), most)
        current = force_n / self._specification.newtons_per_unit(self.lever_arm_m)
        self.put(_PRESENT_POSITION, 4, round(ticks) + self.get(_HOMING_OFFSET, 4))
        self.put(_PRESENT_CURRENT, 2, direction * round(current))
        self.put(_HARDWARE_ERROR, 1, self.hardware_error)

    def drive(self, plant: Plant) -> None:
        """Tell the plant what this motor wants."""
        if self.hardware_error:
            self.table[_TORQUE_ENABLE] = 0
        mode = self.get(_OPERATING_MODE, 1)
        on = self.table[_TORQUE_ENABLE] and mode in _POSITION_MODES
        goal = self.get(_GOAL_POSITION, 4) - self.get(_HOMING_OFFSET, 4)
        closure = (goal - self.open_tick) / (self.closed_tick - self.open_tick)
        units = abs(self.get(_GOAL_CURRENT if mode == _CURRENT_BASED_POSITION else _CURRENT_LIMIT, 2))
        plant.command(
            self.joint, closure, units * self._specification.newtons_per_unit(self.lever_arm_m) if on else 0.0
        )


class DynamixelBusEmulator(SerialEmulator):
    """Motors on one serial line.

    Args:
        motors: the motors.
        plant: what they move; default, a first-order joint each.
        faults: how the line misbehaves.
        fast_sync_read: whether the firmware knows Fast Sync Read.

    Attributes:
        goal_writes: how often goals (position, current) have been written, to any motor.

    Use as a context manager, or call `close`. `port` is what a driver opens.
    """

    def __init__(
        self,
        motors: list[EmulatedMotor],
        plant: Plant | None = None,
        faults: Faults | None = None,
        *,
        fast_sync_read: bool = True,
    ) -> None:
        self.motors = {motor.identity: motor for motor in motors}
        self.plant = plant if plant is not None else FirstOrderJoints(1 + max(m.joint for m in motors))
        self.goal_writes = 0
        self._fast_sync_read = fast_sync_read
        self._parser = PacketParser()
        self._last_packet = time.monotonic()
        super().__init__(self._answer, faults, self._watch)

    def _answer(self, data: bytes) -> list[bytes]:
        return [reply for request in self._parser.feed(data) for reply in self._handle(*request)]

    def _watch(self) -> None:
        self._sense()
        for motor in self.motors.values():
            if motor.watch(time.monotonic() - self._last_packet):
                motor.drive(self.plant)

    def _handle(self, identity: int, instruction: int, parameters: bytes) -> list[bytes]:
        self._last_packet = time.monotonic()
        if instruction in (_SYNC_READ, _FAST_SYNC_READ):
            address, size = struct.unpack_from("<HH", parameters)
            present = [self.motors[i] for i in parameters[4:] if i in self.motors]
            if instruction == _SYNC_READ:
                return [self._read(motor, address, size) for motor in present]
            complete = self._fast_sync_read and len(present) == len(parameters[4:])
            return [self._fast_read(present, address, size)] if complete else []
        if instruction == _SYNC_WRITE:
            address, size = struct.unpack_from("<HH", parameters)
            for start in range(4, len(parameters), 1 + size):
                if (motor := self.motors.get(parameters[start])) is not None:
                    self._write(motor, address, parameters[start + 1 : start + 1 + size])
            return []
        if instruction == _BULK_READ:
            wanted = [struct.unpack_from("<BHH", parameters, start) for start in range(0, len(parameters), 5)]
            return [
                self._read(self.motors[i], address, size) for i, address, size in wanted if i in self.motors
            ]
        addressed = (
            sorted(self.motors) if identity == BROADCAST else [i for i in (identity,) if i in self.motors]
        )
        return [
            reply for i in addressed for reply in self._handle_one(self.motors[i], instruction, parameters)
        ]

    def _handle_one(self, motor: EmulatedMotor, instruction: int, parameters: bytes) -> list[bytes]:
        if instruction == _PING:
            return [self._status(motor, 0, bytes([*motor.table[0:2], motor.table[6]]))]
        if instruction == _READ:
            return [self._read(motor, *struct.unpack("<HH", parameters))]
        if instruction == _WRITE:
            return [
                self._status(
                    motor, self._write(motor, int.from_bytes(parameters[:2], "little"), parameters[2:])
                )
            ]
        if instruction == _REBOOT:
            motor.hardware_error = 0
            motor.table[_TORQUE_ENABLE] = 0
            return [self._status(motor, 0)]
        return []

    def _write(self, motor: EmulatedMotor, address: int, data: bytes) -> int:
        if address == _TORQUE_ENABLE and motor.get(_GOAL_POSITION, 4) == 0:
            # A goal that was never written is the present position.
            self._sense()
            motor.put(_GOAL_POSITION, 4, motor.get(_PRESENT_POSITION, 4))
        error = motor.write(address, data)
        self.goal_writes += address in _GOALS
        motor.drive(self.plant)
        return error

    def _read(self, motor: EmulatedMotor, address: int, size: int) -> bytes:
        self._sense()
        return self._status(motor, 0, bytes(motor.table[address : address + size]))

    def _fast_read(self, motors: list[EmulatedMotor], address: int, size: int) -> bytes:
        # One packet for all, not byte-stuffed; each motor appends its block and the checksum of all so far.
        self._sense()
        head = _HEADER + b"\x00" + bytes([BROADCAST])
        reply = head + struct.pack("<H", len(motors) * (size + 4) + 1) + bytes([_STATUS])
        for motor in motors:
            reply += (
                bytes([self._error(motor, 0), self._identity(motor)]) + motor.table[address : address + size]
            )
            reply += struct.pack("<H", crc16(reply))
        return reply

    def _status(self, motor: EmulatedMotor, error: int, parameters: bytes = b"") -> bytes:
        return packet(self._identity(motor), _STATUS, bytes([self._error(motor, error)]) + parameters)

    def _identity(self, motor: EmulatedMotor) -> int:
        return (motor.identity + 100) % 253 if self.faults.take("wrong_id") else motor.identity

    def _error(self, motor: EmulatedMotor, error: int) -> int:
        return error | (_ALERT if motor.hardware_error else 0)

    def _sense(self) -> None:
        for motor in self.motors.values():
            motor.drive(self.plant)
        closure, force = self.plant.measure()
        for motor in self.motors.values():
            motor.sense(float(closure[motor.joint]), float(force[motor.joint]))
