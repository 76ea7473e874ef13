"""The wire of a UR controller's real-time data exchange (RTDE, protocol version 2) for one connected client.

Frames are big-endian: u16 size, u8 type, payload (Universal Robots, "Real-Time Data Exchange (RTDE) Guide").
"""

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Sequence
from typing import Protocol

_STRUCT = {
    "DOUBLE": "d",
    "INT32": "i",
    "UINT32": "I",
    "UINT64": "Q",
    "UINT8": "B",
    "VECTOR3D": "3d",
    "VECTOR6D": "6d",
    "VECTOR6INT32": "6i",
}
_UINT32 = {"runtime_state", "robot_status_bits", "safety_status_bits", "speed_slider_mask"}
_INT32 = {"robot_mode", "safety_mode"}
_UINT64 = {"actual_digital_input_bits", "actual_digital_output_bits"}
_VECTOR3D = {"actual_tool_accelerometer", "payload_cog"}
_VECTOR6D = {
    "actual_TCP_force", "actual_TCP_pose", "actual_TCP_speed", "actual_current", "actual_joint_voltage",
    "actual_q", "actual_qd", "external_force_torque", "ft_raw_wrench", "joint_control_output",
    "joint_temperatures", "payload_inertia", "target_TCP_pose", "target_TCP_speed", "target_current",
    "target_moment", "target_q", "target_qd", "target_qdd",
}  # fmt: skip


def variable_type(name: str) -> str:
    """RTDE's type of a variable."""
    if re.fullmatch(r"(in|out)put_int_register_\d+", name):
        return "INT32"
    for names, kind in (
        (_UINT32, "UINT32"),
        (_INT32, "INT32"),
        (_UINT64, "UINT64"),
        (_VECTOR3D, "VECTOR3D"),
        (_VECTOR6D, "VECTOR6D"),
    ):
        if name in names:
            return kind
    if name == "joint_mode":
        return "VECTOR6INT32"
    if name.endswith("_mask") or name.startswith(
        ("standard_digital_", "configurable_digital_", "tool_digital_")
    ):
        return "UINT8"
    return "UINT8" if name.endswith("_type") else "DOUBLE"


def register(name: str) -> tuple[str, int]:
    """("int" | "double", index) of an input or output register's name; ("", 0) for any other variable."""
    match = re.fullmatch(r"(?:in|out)put_(int|double)_register_(\d+)", name)
    return (match[1], int(match[2])) if match else ("", 0)


class Controller(Protocol):
    """What a client reads and writes; `lock` guards the whole state."""

    lock: threading.RLock
    version: tuple[int, int, int, int]
    rate_hz: int

    def output(self, name: str) -> Sequence[float] | float: ...

    def write_input(self, kind: str, index: int, value: float) -> None: ...


class RtdeClient:
    """Serves one client: negotiates its recipes, takes its inputs, and sends its outputs when `publish` is
    called.
    """

    def __init__(self, connection: socket.socket, controller: Controller) -> None:
        self.is_silent = False
        self._connection = connection
        self._controller = controller
        self._sending = threading.Lock()
        self._outputs: list[tuple[str, str]] = []
        self._inputs: dict[int, list[tuple[str, str]]] = {}
        self._started = False
        self._every = 1

    def serve(self) -> None:
        """Answer until the client goes."""
        buffer = b""
        while chunk := self._connection.recv(65536):
            if self.is_silent:
                continue
            buffer += chunk
            while len(buffer) >= 3:
                size, kind = struct.unpack_from(">HB", buffer)
                if size < 3:
                    raise ValueError(f"an RTDE frame has at least 3 bytes, got {size}")
                if len(buffer) < size:
                    break
                self._handle(chr(kind), buffer[3:size])
                buffer = buffer[size:]

    def publish(self, step: int) -> None:
        """Send the outputs of control step `step`, if this client gets every such step."""
        if not self._started or self.is_silent or step % self._every:
            return
        payload = b"\x01"
        with self._controller.lock:
            for name, kind in self._outputs:
                value = self._controller.output(name)
                code = _STRUCT[kind]
                # A number stands for a whole vector of it.
                count = int(code[:-1] or 1)
                values = value if isinstance(value, Sequence) else (value,) * count
                numbers = values if code[-1] == "d" else [int(item) for item in values]
                payload += struct.pack(">" + code, *numbers)
        self._send("U", payload)

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _send(self, kind: str, payload: bytes) -> None:
        with self._sending, contextlib.suppress(OSError):
            self._connection.sendall(struct.pack(">HB", 3 + len(payload), ord(kind)) + payload)

    def _handle(self, kind: str, payload: bytes) -> None:
        match kind:
            case "V":
                self._send(kind, b"\x01")
            case "v":
                self._send(kind, struct.pack(">4I", *self._controller.version))
            case "O":
                (frequency,) = struct.unpack_from(">d", payload)
                self._every = max(1, round(self._controller.rate_hz / frequency))
                self._outputs = _recipe(payload[8:])
                self._send(kind, b"\x01" + _types(self._outputs))
            case "I":
                recipe = len(self._inputs) + 1
                self._inputs[recipe] = _recipe(payload)
                self._send(kind, bytes([recipe]) + _types(self._inputs[recipe]))
            case "S" | "P":
                self._started = kind == "S"
                self._send(kind, b"\x01")
            case "U":
                self._take_inputs(payload)

    def _take_inputs(self, payload: bytes) -> None:
        offset = 1
        with self._controller.lock:
            # The command is in an integer register, its arguments in others: write it last, as a controller
            # applies a frame at once.
            taken = []
            for name, kind in self._inputs[payload[0]]:
                code = ">" + _STRUCT[kind]
                (value, *_) = struct.unpack_from(code, payload, offset)
                offset += struct.calcsize(code)
                taken.append((register(name), value))
            for (bank, index), value in reversed(taken):
                if bank:
                    self._controller.write_input(bank, index, value)


def _recipe(names: bytes) -> list[tuple[str, str]]:
    # ur_rtde ends its lists with a comma.
    return [(name, variable_type(name)) for name in names.decode("ascii").split(",") if name]


def _types(recipe: list[tuple[str, str]]) -> bytes:
    return ",".join(kind for _, kind in recipe).encode("ascii")
