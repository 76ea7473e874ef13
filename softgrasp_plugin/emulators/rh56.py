"""An Inspire RH56: its registers, and its native serial protocol on a pseudo-terminal."""

import struct

import numpy as np

from ..devices.hands import rh56_registers as rh56
from ..devices.hands.rh56_frames import READ, REPLY_HEADER, REQUEST_HEADER, WRITE, Frame, FrameParser
from ..joints import FloatArray
from .plant import FirstOrderJoints, Plant
from .wire import Faults, SerialEmulator

_MEMORY_SIZE = 6000
_POS_ACT = 1534
_AT_POSITION, _AT_FORCE, _RELEASING, _GRASPING = 2, 3, 0, 1
_HOLD = -1
_ROOM_TEMPERATURE = 35


class RH56Registers:
    """The hand's memory, byte by byte, coupled to a plant.

    Args:
        plant: what the registers move; default, first-order joints.
        hand_id: 1…254.

    Attributes:
        errors: bits of the six ERROR registers.
        goal_writes: how often angles to reach have been written.
    """

    def __init__(self, plant: Plant | None = None, hand_id: int = 1) -> None:
        self.plant = plant if plant is not None else FirstOrderJoints()
        self.hand_id = hand_id
        self.goal_writes = 0
        self.errors = [0] * rh56.NUM_DOF
        self._memory = bytearray(_MEMORY_SIZE)
        self._force_zero: FloatArray = np.zeros(rh56.NUM_DOF)
        self._memory[rh56.HAND_ID] = hand_id
        self._put(rh56.ANGLE_SET, [_HOLD] * rh56.NUM_DOF)
        self._put(rh56.FORCE_SET, [rh56.FORCE_SET_MAX] * rh56.NUM_DOF)
        self._put(rh56.SPEED_SET, [rh56.SPEED_MAX] * rh56.NUM_DOF)
        self._memory[rh56.TEMPERATURE : rh56.TEMPERATURE + rh56.NUM_DOF] = bytes(
            [_ROOM_TEMPERATURE] * rh56.NUM_DOF
        )

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes from `address` on, as they are now."""
        self._sense()
        return bytes(self._memory[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        """Write bytes from `address` on, with all that follows from it."""
        self._memory[address : address + len(data)] = data
        self.goal_writes += address <= rh56.ANGLE_SET < address + len(data)
        if address == rh56.CLEAR_ERROR and data == b"\x01":
            self.errors = [0] * rh56.NUM_DOF
        if address == rh56.GESTURE_FORCE_CLB and data == b"\x01":
            self._force_zero = self._grams()
        for joint, (angle, force) in enumerate(
            zip(self._get(rh56.ANGLE_SET), self._get(rh56.FORCE_SET), strict=True)
        ):
            if angle != _HOLD:
                limit = (force + self._force_zero[joint]) * rh56.NEWTONS_PER_GRAM
                self.plant.command(joint, 1.0 - angle / rh56.ANGLE_OPEN, limit)

    def _grams(self) -> FloatArray:
        return self.plant.measure()[1] / rh56.NEWTONS_PER_GRAM

    def _sense(self) -> None:
        closure, _ = self.plant.measure()
        angle = (1.0 - closure) * rh56.ANGLE_OPEN
        force = self._grams() - self._force_zero
        self._put(rh56.ANGLE_ACT, angle)
        self._put(_POS_ACT, 2.0 * rh56.ANGLE_OPEN * closure)
        self._put(rh56.FORCE_ACT, force)
        self._put(rh56.CURRENT, np.clip(force, 0.0, 1000.0))
        self._memory[rh56.ERROR : rh56.ERROR + rh56.NUM_DOF] = bytes(self.errors)
        status = [self._status(joint, angle[joint], force[joint]) for joint in range(rh56.NUM_DOF)]
        self._memory[rh56.STATUS : rh56.STATUS + rh56.NUM_DOF] = bytes(status)

    def _status(self, joint: int, angle: float, force: float) -> int:
        target = self._get(rh56.ANGLE_SET)[joint]
        if target == _HOLD or abs(target - angle) < 5:
            return _AT_POSITION
        if force >= self._get(rh56.FORCE_SET)[joint] - 5:
            return _AT_FORCE
        return _GRASPING if target < angle else _RELEASING

    def _put(self, address: int, values: FloatArray | list[int]) -> None:
        struct.pack_into(
            f"<{rh56.NUM_DOF}h", self._memory, address, *(round(float(value)) for value in values)
        )

    def _get(self, address: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{rh56.NUM_DOF}h", self._memory, address)


class RH56SerialEmulator(SerialEmulator):
    """A hand on a serial line.

    Args:
        registers: the hand; default, one with first-order joints.
        faults: how the line misbehaves.

    Use as a context manager, or call `close`. `port` is what a driver opens.
    """

    def __init__(self, registers: RH56Registers | None = None, faults: Faults | None = None) -> None:
        self.registers = registers if registers is not None else RH56Registers()
        self._parser = FrameParser(REQUEST_HEADER)
        super().__init__(self._answer, faults)

    def _answer(self, data: bytes) -> list[bytes]:
        requests = [frame for frame in self._parser.feed(data) if frame.identity == self.registers.hand_id]
        return [
            self._reply(request).encode(REPLY_HEADER)
            for request in requests
            if request.command in (READ, WRITE)
        ]

    def _reply(self, request: Frame) -> Frame:
        if request.command == READ:
            data = self.registers.read(request.address, request.data[0])
        else:
            self.registers.write(request.address, request.data)
            data = b"\x01"
        identity = request.identity % 254 + 1 if self.faults.take("wrong_id") else request.identity
        return Frame(identity, request.command, request.address, data)
