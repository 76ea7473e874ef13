"""Port and packets of a Dynamixel bus on which a late reply can never pass for a fresh one.

A Dynamixel reply carries no number that ties it to its request. After a timeout the missing reply may still
be on its way; the SDK never clears the input, so it would take that reply for the answer to the next request,
and every later reading would silently be one cycle old. Clearing the input before a retry is not enough
either: the reply may arrive just after.

Here, when a reply was missing or damaged, the motors concerned are in doubt. Before they are asked anything
again, a *marker* is read from them: a block of a length that no other request uses. A motor, and the adapter
before it, answers in the order it was asked, so when a motor's marker has arrived everything older from it
has arrived too, and has been dropped.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dynamixel_sdk as dxl

from ..errors import DeviceLostError
from ..serial_link import port_failures

_READ_SLICE_S = 0.002
"""How long a read waits for bytes before the SDK looks at its timeout; the SDK's own 0 spins on a core."""

_MARKER_ADDRESS = 116
_MARKER_LENGTHS = range(11, 32)
"""Registers 116 to 146 have no gap in any X-series motor; ordinary reads are 1, 2, 4 and 10 bytes long."""

_MARKER_TRIES = 3

# Layout of a packet. The SDK's constants of these names are those of the protocol it happened to import last.
_ID = 4
_LENGTH = slice(5, 7)
_INSTRUCTION = 7
_PARAMETERS = 8


class GuardedPort(dxl.PortHandler):
    """The SDK's port, held exclusively, without spinning, whose failures name the device.

    Args:
        port: path of the serial port.
        device: name of the device for messages.
    """

    def __init__(self, port: str, device: str) -> None:
        super().__init__(port)
        self._device = f"{device} on {port}"

    def setupPort(self, cflag_baud: int) -> bool:  # noqa: N802 (the SDK's name)
        try:
            with port_failures(self._device):
                opened = super().setupPort(cflag_baud)
                self.ser.exclusive = True
                self.ser.timeout = _READ_SLICE_S
        except DeviceLostError:
            self.closePort()
            raise
        return bool(opened)

    def closePort(self) -> None:  # noqa: N802
        if self.is_open:
            super().closePort()

    def clearPort(self) -> None:  # noqa: N802
        """Called by the SDK before every packet it sends; drop what arrived unasked."""
        with port_failures(self._device):
            self.ser.reset_input_buffer()

    def drain(self) -> None:
        """Wait until everything written has left, so that closing the port cannot lose it."""
        with port_failures(self._device):
            self.ser.flush()

    def readPort(self, length: int) -> bytes:  # noqa: N802
        with port_failures(self._device):
            return bytes(self.ser.read(length))

    def writePort(self, packet: list[int]) -> int:  # noqa: N802
        with port_failures(self._device):
            return int(self.ser.write(packet))


class ResyncPacketHandler(dxl.Protocol2PacketHandler):
    """Protocol 2.0; motors whose reply was missing or damaged are resynchronised before the next request."""

    def __init__(self) -> None:
        super().__init__()
        self._plain = dxl.Protocol2PacketHandler()
        self._markers = itertools.cycle(_MARKER_LENGTHS)
        self._asked: frozenset[int] = frozenset()
        self._expected_length: int | None = None
        self._in_doubt: set[int] = set()

    def txPacket(self, port: Any, txpacket: list[int]) -> int:  # noqa: N802 (the SDK's name)
        asked = _asked_ids(txpacket)
        if not self._resynchronise(port, asked & self._in_doubt):
            return int(dxl.COMM_RX_TIMEOUT)
        self._asked = asked
        self._expected_length = _reply_length(txpacket)
        with _port_freed_on_error(port):
            return int(super().txPacket(port, txpacket))

    def rxPacket(self, port: Any, fast_option: bool) -> tuple[list[int], int]:  # noqa: N802
        try:
            with _port_freed_on_error(port):
                packet, result = super().rxPacket(port, fast_option)
        except BaseException:
            self._in_doubt |= self._asked
            raise
        if result == dxl.COMM_SUCCESS and not self._has_expected_length(packet):
            result = dxl.COMM_RX_CORRUPT
        if result != dxl.COMM_SUCCESS:
            self._in_doubt |= self._asked
        return packet, result

    def _has_expected_length(self, packet: list[int]) -> bool:
        from_asked = packet[_ID] in self._asked or packet[_ID] == dxl.BROADCAST_ID
        return not from_asked or self._expected_length is None or _length(packet) == self._expected_length

    def _resynchronise(self, port: Any, ids: frozenset[int] | set[int]) -> bool:
        if not ids:
            return True
        for _ in range(_MARKER_TRIES):
            if self._read_marker(port, sorted(ids), next(self._markers)):
                self._in_doubt -= ids
                return True
        return False

    def _read_marker(self, port: Any, ids: list[int], length: int) -> bool:
        with _port_freed_on_error(port):
            sent = self._plain.syncReadTx(port, _MARKER_ADDRESS, length, ids, len(ids), False)
            if sent != dxl.COMM_SUCCESS:
                return False
            waiting = set(ids)
            while waiting and not port.isPacketTimeout():
                packet, result = self._plain.rxPacket(port, False)
                if result == dxl.COMM_RX_TIMEOUT:
                    return False
                if result == dxl.COMM_SUCCESS and _length(packet) == length + 4:
                    waiting.discard(packet[_ID])
            return not waiting


@contextmanager
def _port_freed_on_error(port: Any) -> Iterator[None]:
    # The SDK marks a port as busy during a transaction and leaves it so when a read or write raises.
    try:
        yield
    except BaseException:
        port.is_using = False
        raise


def _length(packet: list[int]) -> int:
    return int.from_bytes(bytes(packet[_LENGTH]), "little")


def _asked_ids(txpacket: list[int]) -> frozenset[int]:
    """The motors that will answer a packet (before byte stuffing)."""
    instruction, identity = txpacket[_INSTRUCTION], txpacket[_ID]
    if instruction in (dxl.INST_SYNC_READ, dxl.INST_FAST_SYNC_READ):
        return frozenset(txpacket[_PARAMETERS + 4 : _INSTRUCTION + _length(txpacket) - 2])
    return frozenset() if identity == dxl.BROADCAST_ID else frozenset({identity})


def _reply_length(txpacket: list[int]) -> int | None:
    """Length field of a right answer (instruction, error, parameters, CRC), or None if it is not fixed."""
    instruction = txpacket[_INSTRUCTION]
    if instruction == dxl.INST_PING:
        return 7
    if instruction == dxl.INST_WRITE:
        return 4
    wanted = int.from_bytes(bytes(txpacket[_PARAMETERS + 2 : _PARAMETERS + 4]), "little")
    if instruction in (dxl.INST_READ, dxl.INST_SYNC_READ):
        return wanted + 4
    if instruction == dxl.INST_FAST_SYNC_READ:
        return len(_asked_ids(txpacket)) * (wanted + 4) + 1
    return None
