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
