import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.gloves.encoder_frames import FRAME_BYTES, EncoderFrames, encode_frame

degrees = st.lists(st.floats(0.0, 359.0), min_size=16, max_size=16).map(np.array)


@settings(deadline=None)
@given(degrees, st.binary(max_size=40), st.integers(1, FRAME_BYTES - 1))
def test_frames_are_found_behind_anything_and_in_pieces(angles, rubbish, cut) -> None:
    # Rubbish that holds the start of a header can swallow the first frame, never the second.
    stream = rubbish + encode_frame(angles) * 2
    frames = EncoderFrames()
    found = frames.feed(stream[:cut]) + frames.feed(stream[cut:])
    assert len(found) >= 1
    np.testing.assert_allclose(found[-1], angles, atol=1e-3)


@settings(deadline=None)
@given(degrees, st.integers(4, FRAME_BYTES - 5), st.integers(1, 255))
def test_a_damaged_frame_is_dropped_and_counted(angles, position, flip) -> None:
    frame = bytearray(encode_frame(angles))
    frame[position] ^= flip
    frames = EncoderFrames()
    sums = [
        sum(struct.unpack_from("<I16i", bytes(data), 4)) & 0xFFFF for data in (frame, encode_frame(angles))
    ]
    found = frames.feed(bytes(frame) + bytes(FRAME_BYTES))
    if sums[0] != sums[1]:  # the board's checksum does not see changes of the words' upper halves
        assert found == []
        assert frames.damaged >= 1


def test_a_full_turn_of_the_reference_is_360_degrees() -> None:
    frame = encode_frame(np.full(16, 90.0), reference_v=4.8)
    np.testing.assert_allclose(EncoderFrames().feed(frame)[0], 90.0, atol=1e-3)


def frame_of(readings: list[int], reference: int = 5_000_000, header: bytes = b"\xaa\x55\x00\x00") -> bytes:
    """A frame as the board's firmware describes it, written down anew."""
    checksum = (reference + sum(readings)) % 65536
    return header + struct.pack("<I16i", reference, *readings) + struct.pack("<HH", 0xBEEF, checksum)


def test_a_frame_is_what_the_firmware_describes() -> None:
    full_scale = 2**23 - 1
    readings = [round(full_scale * share / 16) for share in range(16)]
    (found,) = EncoderFrames().feed(frame_of(readings))
    np.testing.assert_allclose(found, np.arange(16) / 16 * 360.0, atol=1e-3)
    # Half the reference: the same volts are twice the angle.
    (found,) = EncoderFrames().feed(frame_of([reading // 2 for reading in readings], 2_500_000))
    np.testing.assert_allclose(found, np.arange(16) / 16 * 360.0, atol=1e-3)
    assert encode_frame(np.arange(16) / 16 * 360.0, timestamp=0xBEEF) == frame_of(readings)


def test_no_reference_is_no_reading() -> None:
    frames = EncoderFrames()
    assert frames.feed(frame_of([0] * 16, 0)) == []
    assert frames.damaged == 1


def test_every_damaged_frame_is_counted_and_those_around_it_are_found() -> None:
    whole, wrong = frame_of([1000] * 16), bytearray(frame_of([1000] * 16))
    wrong[8] ^= 1
    frames = EncoderFrames()
    assert len(frames.feed(whole + wrong + whole + wrong + whole)) == 3
    assert frames.damaged == 2
    assert frames.feed(whole[:3]) == []
    assert len(frames.feed(whole[3:])) == 1


def test_a_frame_that_is_byte_by_byte_behind_a_half_one_is_found() -> None:
    whole = frame_of([1000] * 16)
    frames = EncoderFrames()
    found = [
        frame for i in range(2 * len(whole)) for frame in frames.feed((b"\xaa\x55" + whole * 2)[i : i + 1])
    ]
    assert len(found) == 1
    assert frames.damaged == 0


def test_the_edges_of_what_is_possible() -> None:
    """10° beyond either end is noise, more is no angle; a single microvolt of reference is a reference."""
    full_scale = 2**23 - 1
    for beyond_deg, is_taken in ((9.99, True), (10.5, False)):
        for degrees in (-beyond_deg, 360.0 + beyond_deg):
            readings = [round(degrees / 360.0 * 0.8 * full_scale)] * 16
            assert bool(EncoderFrames().feed(frame_of(readings, 4_000_000))) == is_taken, degrees
    assert len(EncoderFrames().feed(frame_of([0] * 16, 1))) == 1


def test_a_frame_right_behind_a_damaged_one_is_found() -> None:
    damaged = bytearray(frame_of([0] * 16))
    damaged[-1] ^= 1
    for kept in range(1, 8):  # what was cut off, down to the first byte of a header
        frames = EncoderFrames()
        assert len(frames.feed(bytes(damaged)[:kept] + frame_of([0] * 16) * 2)) >= 1


def test_a_header_cut_anywhere_is_kept_and_nothing_else() -> None:
    for cut in range(1, 4):
        frames = EncoderFrames()
        frame = frame_of([0] * 16)
        assert frames.feed(bytes(50) + frame[:cut]) == []
        assert len(frames.feed(frame[cut:])) == 1
        frames.feed(bytes(1000))
        assert len(frames._buffer) == 3
