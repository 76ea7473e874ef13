"""Frames of the RH56's native serial protocol.

    request  EB 90 ID LEN CMD ADDR_LO ADDR_HI DATA… CS
    reply    90 EB ID LEN CMD ADDR_LO ADDR_HI DATA… CS

LEN counts CMD to the last byte of DATA; CS is the sum of ID to DATA, modulo 256. From the vendor's manual,
whose examples are the golden vectors of the tests.
"""

import struct
from dataclasses import dataclass

REQUEST_HEADER = b"\xeb\x90"
REPLY_HEADER = b"\x90\xeb"
READ, WRITE = 0x11, 0x12

_MINIMUM_LENGTH = 3


@dataclass(frozen=True)
class Frame:
    """A request or a reply.

    Attributes:
        identity: of the hand, 1…254.
        command: `READ` or `WRITE`.
        address: of the first register.
        data: the bytes read or written; in a read request one byte, how many are wanted; in the reply to a
            write one byte, 1 for success.
    """

    identity: int
    command: int
    address: int
    data: bytes

    def encode(self, header: bytes) -> bytes:
        """The bytes on the wire."""
        length = _MINIMUM_LENGTH + len(self.data)
        body = struct.pack("<BBBH", self.identity, length, self.command, self.address) + self.data
        return header + body + bytes([sum(body) & 0xFF])


class FrameParser:
    """Finds frames with a given header in a stream; whatever is not one is skipped."""

    def __init__(self, header: bytes) -> None:
        self._header = header
        self._buffer = b""

    def clear(self) -> None:
        """Forget an unfinished frame."""
        self._buffer = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes; return the frames they complete."""
        self._buffer += data
        frames = []
        while (found := self._first_complete()) is not None:
            frame, end = found
            frames.append(frame)
            self._buffer = self._buffer[end:]
        return frames

    def _first_complete(self) -> tuple[Frame, int] | None:
        """The first whole frame and where it ends. One that is whole wins over an earlier one that is not."""
        unfinished: int | None = None
        start = self._buffer.find(self._header)
        while start >= 0:
            head = self._buffer[start : start + 4]
            length = head[3] if len(head) == 4 else None
            end = start + 4 + (length or 0)
            if length is None or (length >= _MINIMUM_LENGTH and len(self._buffer) <= end):
                unfinished = start if unfinished is None else unfinished
            elif length >= _MINIMUM_LENGTH and sum(self._buffer[start + 2 : end]) & 0xFF == self._buffer[end]:
                identity, _, command, address = struct.unpack_from("<BBBH", self._buffer, start + 2)
                return Frame(identity, command, address, self._buffer[start + 7 : end]), end + 1
            start = self._buffer.find(self._header, start + 1)
        # Keep an unfinished frame, or a last byte that may be the first of a header.
        self._buffer = self._buffer[unfinished:] if unfinished is not None else self._buffer[-1:]
        return None
