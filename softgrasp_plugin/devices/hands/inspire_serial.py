"""The RH56's registers over its native serial protocol (RS485 or RS232, 115200 8N1)."""

import itertools
import struct
import time
from collections.abc import Sequence

from ..errors import DeviceError, DeviceSilentError
from ..serial_link import SerialLink
from .rh56_frames import READ, REPLY_HEADER, REQUEST_HEADER, WRITE, Frame, FrameParser
from .rh56_registers import ANGLE_ACT, CURRENT, FORCE_ACT, NUM_DOF

RETRIES = 2
_WRITTEN = b"\x01"

_MARKERS = tuple(itertools.product((ANGLE_ACT, FORCE_ACT, CURRENT), (2, 4, 6, 8, 10)))
"""Addresses and byte counts that no other request uses, see `InspireSerial`."""


class InspireSerial:
    """Reads and writes registers; one thread at a time may use it.

    A reply names its register but not its request: after a timeout the missing reply may come later and would
    pass for the answer to the next request of the same register. So after every missing or damaged reply a
    *marker* is read first, a piece of a block that nothing else asks for. The hand answers in the order it
    was asked: when the marker has come, everything older has come too, and has been dropped.

    Args:
        port: path of the serial port.
        hand_id: 1…254, as set in the hand.
        baudrate: as set in the hand.
        reply_timeout_s: how long a reply may take. Public drivers see about 6 ms; check on your device.
    """

    def __init__(self, port: str, hand_id: int, baudrate: int, reply_timeout_s: float) -> None:
        self.device = f"Inspire hand {hand_id} on {port}"
        self._hand_id = hand_id
        self._reply_timeout_s = reply_timeout_s
        self._serial = SerialLink(port, baudrate, self.device)
        self._parser = FrameParser(REPLY_HEADER)
        self._markers = itertools.cycle(_MARKERS)
        self._in_doubt = False

    @property
    def is_open(self) -> bool:
        return self._serial.is_open

    def open(self) -> None:
        self._serial.open()
        # Nobody knows what an earlier program left on the line.
        self._in_doubt = True

    def close(self) -> None:
        self._serial.close()

    def read_shorts(self, address: int) -> tuple[int, ...]:
        """Six signed registers from `address` on."""
        return struct.unpack(f"<{NUM_DOF}h", self._request(READ, address, bytes([2 * NUM_DOF]), 2 * NUM_DOF))

    def write_shorts(self, address: int, values: Sequence[int]) -> None:
        """Write six signed registers from `address` on."""
        self._request(WRITE, address, struct.pack(f"<{NUM_DOF}h", *values), len(_WRITTEN))

    def read_bytes(self, address: int) -> tuple[int, ...]:
        """Six byte registers from `address` on."""
        return tuple(self._request(READ, address, bytes([NUM_DOF]), NUM_DOF))

    def write_byte(self, address: int, value: int) -> None:
        """Write one byte register."""
        self._request(WRITE, address, bytes([value]), len(_WRITTEN))

    def _request(self, command: int, address: int, data: bytes, reply_size: int) -> bytes:
        refused: list[int] = []
        for _ in range(1 + RETRIES):
            if self._in_doubt and not self._resynchronise():
                continue
            reply = self._ask(command, address, data, reply_size)
            if reply is not None and (command == READ or reply == _WRITTEN):
                return reply
            if reply is not None:
                refused.append(reply[0])
            self._in_doubt = True
        verb = "reading" if command == READ else "writing"
        if refused:
            raise DeviceError(
                self.device,
                f"it answered that {verb} register {address} failed ({refused[-1]:#04x}), in "
                f"{len(refused)} of {1 + RETRIES} tries.",
                "Wait until it has finished what it does; if it goes on, switch its power off and on.",
            )
        raise DeviceSilentError(
            self.device,
            f"no valid reply to {verb} register {address} in {1 + RETRIES} tries.",
            "Check its 24 V supply, the A/B wires, hand_id and baudrate.",
        )

    def _resynchronise(self) -> bool:
        address, size = next(self._markers)
        if self._ask(READ, address, bytes([size]), size) is None:
            return False
        self._in_doubt = False
        return True

    def _ask(self, command: int, address: int, data: bytes, reply_size: int) -> bytes | None:
        """Send one request; the data of the reply that fits it, or None."""
        self._parser.clear()
        self._serial.write(Frame(self._hand_id, command, address, data).encode(REQUEST_HEADER))
        deadline = time.monotonic() + self._reply_timeout_s
        while time.monotonic() < deadline:
            for frame in self._parser.feed(self._serial.read()):
                fits = (frame.identity, frame.command, frame.address) == (self._hand_id, command, address)
                if fits and len(frame.data) == reply_size:
                    return frame.data
        return None
