"""An Inspire RH56 on Modbus: RTU on a pseudo-terminal, TCP on a socket of this computer."""

import contextlib
import socket
import struct
import threading

from ..devices.hands import rh56_registers as rh56
from ..devices.hands.modbus import (
    EXCEPTION,
    MBAP_SIZE,
    READ_HOLDING,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
    crc16,
    rtu_frame,
    tcp_frame,
    tcp_message_size,
)
from ..devices.realtime import prefer_this_thread
from .rh56 import RH56Registers
from .wire import Faults, SerialEmulator

_ILLEGAL_FUNCTION, _ILLEGAL_VALUE = 1, 3
_MOST_REGISTERS = 120
_BYTE_BLOCKS = (rh56.ERROR, rh56.STATUS, rh56.TEMPERATURE)
_BYTE_REGISTERS = (rh56.HAND_ID, rh56.CLEAR_ERROR, rh56.SAVE, rh56.GESTURE_FORCE_CLB)


class RH56ModbusServer:
    """Answers Modbus messages from a hand's registers.

    Args:
        registers: the hand.
        byte_registers: 3 or 6 registers for a block of six bytes.
        low_byte_first: with 3, whether the first of two bytes is the low one.
    """

    def __init__(
        self, registers: RH56Registers, byte_registers: int = 3, low_byte_first: bool = True
    ) -> None:
        self._registers = registers
        self._byte_registers = byte_registers
        self._low_byte_first = low_byte_first

    def answer(self, message: bytes) -> bytes:
        """The reply to a request."""
        function, address, value = struct.unpack_from(">BHH", message)
        if function == READ_HOLDING:
            if not 1 <= value <= _MOST_REGISTERS:
                return bytes([function | EXCEPTION, _ILLEGAL_VALUE])
            data = self._read(address, value)
            return bytes([function, len(data)]) + data
        if function == WRITE_SINGLE:
            self._registers.write(address, struct.pack("<B" if address in _BYTE_REGISTERS else "<H", value))
            return message[:5]
        if function == WRITE_MULTIPLE:
            values = struct.unpack_from(f">{value}H", message, 6)
            self._registers.write(address, struct.pack(f"<{value}H", *values))
            return message[:5]
        return bytes([function | EXCEPTION, _ILLEGAL_FUNCTION])

    def _read(self, address: int, count: int) -> bytes:
        if address in _BYTE_BLOCKS and self._byte_registers == rh56.NUM_DOF:
            return b"".join(bytes([0, b]) for b in self._registers.read(address, count))
        data = self._registers.read(address, 2 * count)
        if address in _BYTE_BLOCKS and not self._low_byte_first:
            return data
        return b"".join(data[i + 1 : i + 2] + data[i : i + 1] for i in range(0, len(data), 2))


class RH56RtuEmulator(SerialEmulator):
    """A hand on RS485 with Modbus RTU.

    Args:
        server: the hand.
        unit: its id.
        faults: how the line misbehaves.
    """

    def __init__(self, server: RH56ModbusServer, unit: int = 1, faults: Faults | None = None) -> None:
        self._server = server
        self._unit = unit
        self._received = b""
        super().__init__(self._answer, faults)

    def _answer(self, data: bytes) -> list[bytes]:
        self._received += data
        replies = []
        while (message := self._next_request()) is not None:
            unit = self._unit + 1 if self.faults.take("wrong_id") else self._unit
            replies.append(rtu_frame(unit, self._server.answer(message)))
        return replies

    def _next_request(self) -> bytes | None:
        for start in range(len(self._received) - 7):
            frame = self._received[start:]
            size = 9 + frame[6] if frame[1] == WRITE_MULTIPLE else 8
            valid = (
                len(frame) >= size
                and crc16(frame[: size - 2]) == struct.unpack("<H", frame[size - 2 : size])[0]
            )
            if frame[0] == self._unit and valid:
                self._received = frame[size:]
                return frame[1 : size - 2]
        return None


class RH56TcpEmulator:
    """A hand on Ethernet with Modbus TCP, at 127.0.0.1.

    Args:
        server: the hand.
        faults: how the connection misbehaves (a checksum cannot be corrupted here: TCP has its own).
        transaction_offset: added to the transaction id of every reply; 1 for the fault reported of the real
            hand.
        port: to listen on; 0 for any free one.
    """

    def __init__(
        self,
        server: RH56ModbusServer,
        faults: Faults | None = None,
        *,
        transaction_offset: int = 0,
        port: int = 0,
    ) -> None:
        self.faults = faults if faults is not None else Faults()
        self._server = server
        self._transaction_offset = transaction_offset
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.host, self.port = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept, name=f"emulator {self.port}", daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> "RH56TcpEmulator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the hand off the network."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        prefer_this_thread()
        try:
            self._answer_all(connection)
        finally:
            with self._lock:
                self._connections.remove(connection)
                if threading.current_thread() in self._threads:
                    self._threads.remove(threading.current_thread())

    def _answer_all(self, connection: socket.socket) -> None:
        # A client that hangs up is the end of its connection, at whatever point it comes.
        with connection, contextlib.suppress(OSError):
            stream = connection.makefile("rb")
            while len(head := stream.read(MBAP_SIZE)) == MBAP_SIZE:
                size = tcp_message_size(head)
                if size is None:
                    return
                transaction, _, _, unit = struct.unpack(">HHHB", head)
                request = stream.read(size)
                if self.faults.deaf:
                    continue
                reply = self._server.answer(request)
                self.faults.deliver(
                    tcp_frame(transaction + self._transaction_offset, unit, reply), connection.sendall
                )
