"""The RH56's registers over Modbus, on a serial line (RTU) or over Ethernet (TCP).

Addresses stay byte addresses: six registers from a block's address on are its six values. Only whole blocks
at the documented addresses are used, since drivers disagree about what lies between them.
"""

import abc
import itertools
import select
import socket
import time
from collections.abc import Sequence

from ..errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceSilentError
from ..serial_link import SerialLink
from . import modbus
from .rh56_registers import ANGLE_ACT, NUM_DOF

RETRIES = 2

_POSTPONED_S = 0.005
"""Pause before a hand that is busy is asked again."""

_MARKER_COUNTS = (1, 2, 4, 5)
"""Register counts that no other request uses, see `InspireModbusRtu`."""

_SILENCE_S = 0.00175
"""Modbus RTU separates frames by this much silence above 19 200 baud."""


class InspireModbus(abc.ABC):
    """Reads and writes registers; one thread at a time may use it.

    Args:
        device: name of the device for messages.
        byte_registers: how many registers hold a block of six bytes: 3 (two bytes in each) or 6 (one in
            each). Firmware and manual are reported to differ; check on your device.
        low_byte_first: where two bytes share a register, whether the first is the low one; check on your
            device.
    """

    def __init__(self, device: str, byte_registers: int, low_byte_first: bool) -> None:
        self.device = device
        self._byte_registers = byte_registers
        self._byte_order = "little" if low_byte_first else "big"

    @property
    @abc.abstractmethod
    def is_open(self) -> bool: ...

    @abc.abstractmethod
    def open(self) -> None: ...

    @abc.abstractmethod
    def close(self) -> None: ...

    @abc.abstractmethod
    def _ask(self, request: bytes) -> bytes | None:
        """Send one request; its reply, or None if no valid one came."""

    def read_shorts(self, address: int) -> tuple[int, ...]:
        """Six signed registers from `address` on."""
        values = modbus.registers(self._request(modbus.read_request(address, NUM_DOF)))
        return tuple(value - (value >> 15 << 16) for value in values)

    def write_shorts(self, address: int, values: Sequence[int]) -> None:
        """Write six signed registers from `address` on."""
        self._request(modbus.write_request(address, values))

    def read_bytes(self, address: int) -> tuple[int, ...]:
        """Six byte registers from `address` on."""
        values = modbus.registers(self._request(modbus.read_request(address, self._byte_registers)))
        if self._byte_registers == NUM_DOF:
            return tuple(value & 0xFF for value in values)
        little = self._byte_order == "little"
        return tuple(b for value in values for b in value.to_bytes(2, "little" if little else "big"))

    def write_byte(self, address: int, value: int) -> None:
        """Write one byte register."""
        self._request(modbus.write_single_request(address, value))

    def _request(self, request: bytes) -> bytes:
        address = int.from_bytes(request[1:3], "big")
        postponed: list[str] = []
        for _ in range(1 + RETRIES):
            reply = self._ask(request)
            if reply is None:
                continue
            if reply[0] & modbus.EXCEPTION:
                reason = modbus.EXCEPTION_TEXT.get(reply[1], f"code {reply[1]}")
                if reply[1] in modbus.PASSING_EXCEPTIONS:
                    postponed.append(reason)
                    time.sleep(_POSTPONED_S)
                    continue
                raise DeviceFaultError(
                    self.device,
                    f"it refuses register {address} ({reason}).",
                    "Check that it is an RH56 with Modbus firmware, and byte_registers.",
                )
            return reply
        if postponed:
            raise DeviceError(
                self.device,
                f"it postponed register {address} in {len(postponed)} of {1 + RETRIES} tries "
                f"({postponed[-1]}).",
                "Wait until it has finished what it does; if it goes on, switch its power off and on.",
            )
        raise DeviceSilentError(
            self.device,
            f"no valid reply for register {address} in {1 + RETRIES} tries.",
            "Check its 24 V supply, the wires and hand_id.",
        )


class InspireModbusRtu(InspireModbus):
    """Over RS485, 115200 8N1.

    A reply to a read names neither register nor request. After a missing or damaged one the line is in doubt:
    a late reply could pass for the next. So a *marker* is read first, with a count of registers that nothing
    else asks for; when it has come, everything older has come too, and has been dropped.

    Args:
        port: path of the serial port.
        hand_id: 1…254, as set in the hand; Modbus calls it the unit.
        baudrate: as set in the hand.
        reply_timeout_s: how long a reply may take; check on your device.
        byte_registers: see `InspireModbus`.
        low_byte_first: see `InspireModbus`.
    """

    def __init__(
        self,
        port: str,
        hand_id: int,
        baudrate: int,
        reply_timeout_s: float,
        byte_registers: int,
        low_byte_first: bool,
    ) -> None:
        super().__init__(f"Inspire hand {hand_id} (Modbus RTU) on {port}", byte_registers, low_byte_first)
        self._unit = hand_id
        self._reply_timeout_s = reply_timeout_s
        self._serial = SerialLink(port, baudrate, self.device)
        self._markers = itertools.cycle(_MARKER_COUNTS)
        self._in_doubt = False
        self._quiet_since = 0.0

    @property
    def is_open(self) -> bool:
        return self._serial.is_open

    def open(self) -> None:
        self._serial.open()
        # Nobody knows what an earlier program left on the line.
        self._in_doubt = True

    def close(self) -> None:
        self._serial.close()

    def _ask(self, request: bytes) -> bytes | None:
        if self._in_doubt:
            self._in_doubt = self._exchange(modbus.read_request(ANGLE_ACT, next(self._markers))) is None
            if self._in_doubt:
                return None
        reply = self._exchange(request)
        self._in_doubt = reply is None
        return reply

    def _exchange(self, request: bytes) -> bytes | None:
        time.sleep(max(0.0, self._quiet_since + _SILENCE_S - time.monotonic()))
        self._serial.write(modbus.rtu_frame(self._unit, request))
        deadline = time.monotonic() + self._reply_timeout_s
        received = b""
        reply = None
        while reply is None and time.monotonic() < deadline:
            received += self._serial.read()
            reply = modbus.find_rtu_reply(received, self._unit, request)
        self._quiet_since = time.monotonic()
        return reply


class InspireModbusTcp(InspireModbus):
    """Over Ethernet, port 6000.

    A connection on which a reply was missing, late or damaged is closed: whatever is still under way dies
    with it, so a late reply cannot pass for a fresh one. Transaction ids are therefore not needed, and not
    looked at (the hand's are reported to be off by one).

    Args:
        host: address of the hand; the manual's default is 192.168.11.210, other firmware differs.
        tcp_port: of the hand.
        hand_id: Modbus' unit; check on your device.
        reply_timeout_s: how long a connection or a reply may take; check on your device.
        byte_registers: see `InspireModbus`.
        low_byte_first: see `InspireModbus`.
    """

    def __init__(
        self,
        host: str,
        tcp_port: int,
        hand_id: int,
        reply_timeout_s: float,
        byte_registers: int,
        low_byte_first: bool,
    ) -> None:
        super().__init__(f"Inspire hand at {host}:{tcp_port}", byte_registers, low_byte_first)
        self._address = (host, tcp_port)
        self._unit = hand_id
        self._reply_timeout_s = reply_timeout_s
        self._transaction = 0
        self._is_open = False
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._is_open

    def open(self) -> None:
        self._socket = self._connected()
        self._is_open = True

    def close(self) -> None:
        self._is_open = False
        self._hang_up()

    def _connected(self) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, timeout=self._reply_timeout_s)
        except OSError as error:
            raise DeviceLostError(
                self.device,
                f"cannot connect ({error}).",
                "Check its power, cable, host and tcp_port, and that it answers a ping; then connect again.",
            ) from error
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _hang_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask(self, request: bytes) -> bytes | None:
        if self._socket is not None and _has_unread(self._socket):
            self._hang_up()
        if self._socket is None:
            self._socket = self._connected()
        self._transaction += 1
        try:
            self._socket.sendall(modbus.tcp_frame(self._transaction, self._unit, request))
            reply = self._receive(self._socket, time.monotonic() + self._reply_timeout_s)
        except OSError:
            reply = None
        if reply is None or not modbus.is_reply_to(request, reply):
            self._hang_up()
            return None
        return reply

    def _receive(self, connection: socket.socket, deadline: float) -> bytes | None:
        size = modbus.tcp_message_size(_receive_exactly(connection, modbus.MBAP_SIZE, deadline))
        return None if size is None else _receive_exactly(connection, size, deadline)


def _has_unread(connection: socket.socket) -> bool:
    """Whether something came that nobody asked for, or the other side has hung up."""
    return bool(select.select([connection], [], [], 0.0)[0])


def _receive_exactly(connection: socket.socket, size: int, deadline: float) -> bytes:
    received = b""
    while len(received) < size:
        connection.settimeout(max(deadline - time.monotonic(), 1e-3))
        chunk = connection.recv(size - len(received))
        if not chunk:
            raise ConnectionResetError("the hand closed the connection")
        received += chunk
    return received
