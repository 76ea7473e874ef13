"""The frames of the DOGlove's encoder board: sixteen joint encoders at 921600 baud.

76 bytes: ``AA 55 00 00``, u32 reference in µV, 16 × i32 readings, u32 with the checksum in its upper half
(sum of the 17 words before it, modulo 65536) and a timestamp in its lower half; little-endian
(github.com/doublehan07/DOGlove_Firmware).
"""

import struct

import numpy as np

from ...joints import FloatArray

NUM_ENCODERS = 16
FRAME_BYTES = 76
BAUDRATE = 921_600

_HEADER = b"\xaa\x55\x00\x00"
_BODY = struct.Struct("<I16iI")
_FULL_SCALE = 0x7FFFFF
_SUPPLY_V = 5.0
_TOLERANCE_DEG = 10.0
"""Noise at the ends of the sensor; a reading further outside a turn is no angle."""


class EncoderFrames:
    """Finds valid frames in a stream; whatever is not one is skipped and counted in `damaged`."""

    def __init__(self) -> None:
        self.damaged = 0
        self._buffer = b""

    def forget(self) -> None:
        """Drop the beginning of a frame whose rest will not come."""
        self._buffer = b""

    def feed(self, data: bytes) -> list[FloatArray]:
        """Take bytes; return the frames they complete, each (16,) angles in degrees, 0…360."""
        self._buffer += data
        frames: list[FloatArray] = []
        while (start := self._buffer.find(_HEADER)) >= 0:
            self._buffer = self._buffer[start:]
            if len(self._buffer) < FRAME_BYTES:
                return frames
            degrees = _decode(self._buffer[:FRAME_BYTES])
            if degrees is None:
                self.damaged += 1
                self._buffer = self._buffer[1:]
                continue
            frames.append(degrees)
            self._buffer = self._buffer[FRAME_BYTES:]
        self._buffer = self._buffer[-(len(_HEADER) - 1) :]
        return frames


def encode_frame(degrees: FloatArray, reference_v: float = 5.0, timestamp: int = 0) -> bytes:
    """The frame the board sends for angles (16,) in degrees; for emulators and tests."""
    reference = round(reference_v * 1e6)
    readings = [round(value / 360.0 * reference_v / _SUPPLY_V * _FULL_SCALE) for value in degrees.tolist()]
    checksum = (reference + sum(readings)) & 0xFFFF
    return _HEADER + _BODY.pack(reference, *readings, checksum << 16 | timestamp & 0xFFFF)


def _decode(frame: bytes) -> FloatArray | None:
    reference, *readings, tail = _BODY.unpack_from(frame, len(_HEADER))
    if (reference + sum(readings)) & 0xFFFF != tail >> 16 or reference == 0:
        return None
    volts = np.array(readings, dtype=np.float64) * _SUPPLY_V / _FULL_SCALE
    degrees = np.asarray(volts / (reference / 1e6) * 360.0, dtype=np.float64)
    is_possible = (degrees >= -_TOLERANCE_DEG) & (degrees <= 360.0 + _TOLERANCE_DEG)
    return degrees if is_possible.all() else None
