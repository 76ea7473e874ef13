"""The few messages of Modbus that a hand needs, as bytes.

A client of our own, and not a library's, for three reasons: replies of Modbus RTU name neither register nor
request, so a late one can only be told from a fresh one by whoever controls the requests; the transaction id
of the RH56's Modbus TCP is reported to be wrong, which libraries take for an error; and it is one dependency
less.
"""

import struct
from collections.abc import Sequence

READ_HOLDING, WRITE_SINGLE, WRITE_MULTIPLE = 0x03, 0x06, 0x10
EXCEPTION = 0x80
_EXCEPTION_SIZE = 2
EXCEPTION_TEXT = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "accepted, not yet done",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target does not answer",
}
PASSING_EXCEPTIONS = (5, 6, 10, 11)
"""After these the same request may succeed, says the Modbus Application Protocol V1.1b3, section 7; after the
others it cannot: the function, address or value is wrong, or the device has failed."""

MBAP_SIZE = 7


def read_request(address: int, count: int) -> bytes:
    """Ask for `count` registers."""
    return struct.pack(">BHH", READ_HOLDING, address, count)


def write_request(address: int, values: Sequence[int]) -> bytes:
    """Write signed registers from `address` on."""
    head = struct.pack(">BHHB", WRITE_MULTIPLE, address, len(values), 2 * len(values))
    return head + struct.pack(f">{len(values)}h", *values)


def write_single_request(address: int, value: int) -> bytes:
    """Write one register."""
    return struct.pack(">BHh", WRITE_SINGLE, address, value)


def reply_size(request: bytes) -> int:
    """Bytes in the regular reply to a request."""
    return 2 + 2 * int.from_bytes(request[3:5], "big") if request[0] == READ_HOLDING else 5


def is_reply_to(request: bytes, reply: bytes) -> bool:
    """Whether a reply has the form that a request asks for, or is an exception to it."""
    if len(reply) == _EXCEPTION_SIZE:
        return reply[0] == request[0] | EXCEPTION
    if len(reply) != reply_size(request) or reply[0] != request[0]:
        return False
    if request[0] == READ_HOLDING:
        return reply[1] == len(reply) - 2
    return reply[1:5] == request[1:5]


def registers(reply: bytes) -> tuple[int, ...]:
    """Unsigned registers in the reply to a read."""
    return struct.unpack(f">{reply[1] // 2}H", reply[2:])


def crc16(data: bytes) -> int:
    """The checksum of Modbus RTU (polynomial 0xA001, reflected)."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def rtu_frame(unit: int, message: bytes) -> bytes:
    """A message as Modbus RTU puts it on a serial line."""
    body = bytes([unit]) + message
    return body + struct.pack("<H", crc16(body))


def find_rtu_reply(stream: bytes, unit: int, request: bytes) -> bytes | None:
    """The first valid reply to a request in what a serial line delivered, garbage and all, or None."""
    for start in range(len(stream)):
        for size in (reply_size(request), _EXCEPTION_SIZE):
            frame = stream[start : start + 3 + size]
            complete = len(frame) == 3 + size and frame[0] == unit
            if complete and frame == rtu_frame(unit, frame[1:-2]) and is_reply_to(request, frame[1:-2]):
                return frame[1:-2]
    return None


def tcp_frame(transaction: int, unit: int, message: bytes) -> bytes:
    """A message as Modbus TCP puts it on a connection."""
    return struct.pack(">HHHB", transaction & 0xFFFF, 0, 1 + len(message), unit) + message


def tcp_message_size(head: bytes) -> int | None:
    """Bytes of the message that follows a header of `MBAP_SIZE` bytes, or None if it is no Modbus header."""
    _, protocol, length, _ = struct.unpack(">HHHB", head)
    return length - 1 if protocol == 0 and 2 <= length <= 254 else None
