"""Frames of the RH56, against the examples of the vendor's manual."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.rh56_frames import (
    READ,
    REPLY_HEADER,
    REQUEST_HEADER,
    WRITE,
    Frame,
    FrameParser,
)

ANGLES = bytes.fromhex("64 00 64 00 64 00 64 00 D0 07 00 00")
GOLDEN = {
    "read ANGLE_ACT": (REQUEST_HEADER, Frame(1, READ, rh56.ANGLE_ACT, b"\x0c"), "EB 90 01 04 11 0A 06 0C 32"),
    "its reply": (
        REPLY_HEADER,
        Frame(1, READ, rh56.ANGLE_ACT, ANGLES),
        "90 EB 01 0F 11 0A 06 64 00 64 00 64 00 64 00 D0 07 00 00 98",
    ),
    "write ANGLE_SET": (
        REQUEST_HEADER,
        Frame(1, WRITE, rh56.ANGLE_SET, ANGLES),
        "EB 90 01 0F 12 CE 05 64 00 64 00 64 00 64 00 D0 07 00 00 5C",
    ),
    "its acknowledgement": (
        REPLY_HEADER,
        Frame(1, WRITE, rh56.ANGLE_SET, b"\x01"),
        "90 EB 01 04 12 CE 05 01 EB",
    ),
}

frames = st.builds(
    Frame,
    identity=st.integers(1, 254),
    command=st.sampled_from([READ, WRITE]),
    address=st.integers(0, 6000),
    data=st.binary(max_size=24),
)


@pytest.mark.parametrize("name", GOLDEN)
def test_examples_of_the_manual(name: str) -> None:
    header, frame, text = GOLDEN[name]
    assert frame.encode(header) == bytes.fromhex(text)
    assert FrameParser(header).feed(bytes.fromhex(text)) == [frame]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_arbitrary_bytes_never_crash(chunks: list[bytes]) -> None:
    parser = FrameParser(REPLY_HEADER)
    for chunk in chunks:
        for frame in parser.feed(chunk):
            assert frame.encode(REPLY_HEADER)


@settings(deadline=None)
@given(st.lists(frames, min_size=1, max_size=4), st.data())
def test_frames_split_anywhere_are_found(sent: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(frame.encode(REPLY_HEADER) for frame in sent)
    cut = data.draw(st.integers(0, len(stream)))
    parser = FrameParser(REPLY_HEADER)
    found = parser.feed(stream[:cut]) + parser.feed(stream[cut:])
    assert found == sent


@settings(deadline=None)
@given(st.binary(max_size=60), frames)
def test_a_frame_after_garbage_is_found_at_once(garbage: bytes, frame: Frame) -> None:
    # A garbage byte that is the first half of a header would swallow the first half of the true one.
    found = FrameParser(REPLY_HEADER).feed(
        garbage.replace(REPLY_HEADER[:1], b"\x00") + frame.encode(REPLY_HEADER)
    )
    assert found == [frame]


def test_a_frame_inside_a_broken_one_is_found() -> None:
    frame = GOLDEN["its acknowledgement"][1]
    unfinished = REPLY_HEADER + bytes([1, 200, READ])
    assert FrameParser(REPLY_HEADER).feed(unfinished + frame.encode(REPLY_HEADER)) == [frame]


def test_a_wrong_checksum_is_no_frame() -> None:
    damaged = bytearray(bytes.fromhex(GOLDEN["its reply"][2]))
    damaged[9] ^= 1
    assert FrameParser(REPLY_HEADER).feed(bytes(damaged)) == []


def test_errors_in_words() -> None:
    assert rh56.error_text(0b10010) == "overheated, internal communication"
    assert rh56.error_text(0b100000) == "unknown error 0x20"


def test_frames_directly_behind_each_other_are_all_found_and_garbage_is_not_kept() -> None:
    one, other = Frame(1, WRITE, rh56.ANGLE_SET, b"\x01"), Frame(2, READ, rh56.ANGLE_ACT, ANGLES)
    stream = one.encode(REPLY_HEADER) + other.encode(REPLY_HEADER) + one.encode(REPLY_HEADER)
    parser = FrameParser(REPLY_HEADER)
    assert parser.feed(stream + bytes(100) + REPLY_HEADER[:1]) == [one, other, one]
    assert parser._buffer == REPLY_HEADER[:1]
    assert parser.feed(one.encode(REPLY_HEADER)[1:]) == [one]


def test_a_frame_inside_what_looked_like_one_is_found_first() -> None:
    """A false header whose length reaches beyond what has come, then two whole frames."""
    one, other = Frame(1, WRITE, rh56.ANGLE_SET, b"\x01"), Frame(2, WRITE, rh56.ANGLE_SET, b"\x01")
    for between in range(4):
        stream = REPLY_HEADER + bytes([1, 250]) + bytes(between)
        stream += one.encode(REPLY_HEADER) + other.encode(REPLY_HEADER)
        assert FrameParser(REPLY_HEADER).feed(stream) == [one, other]
