"""A motor's state block, byte by byte."""

import struct

import pytest

from softgrasp_plugin.devices.dynamixel.state import (
    STATE_LENGTH,
    BusState,
    hardware_error_text,
    status_error_text,
)


def test_current_velocity_and_position_are_signed_and_little_endian() -> None:
    blocks = [struct.pack("<hii", -300, 70_000, -1_000_000), struct.pack("<hii", 5, -6, 2**31 - 1)]
    assert all(len(block) == STATE_LENGTH for block in blocks)
    state = BusState.from_blocks(blocks)
    assert state.current.tolist() == [-300, 5]
    assert state.velocity.tolist() == [70_000, -6]
    assert state.position.tolist() == [-1_000_000, 2**31 - 1]


def test_no_motor_is_no_row() -> None:
    state = BusState.from_blocks([])
    assert state.current.shape == state.velocity.shape == state.position.shape == (0,)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0b1, "input voltage out of range"),
        (0b100000, "overload"),
        (0b10100, "overheating, electrical shock or not enough power"),
        (0b10000000, "unknown hardware error 0x80"),
    ],
)
def test_every_bit_has_its_words(status: int, text: str) -> None:
    assert hardware_error_text(status) == text


def test_bytes_behind_the_block_are_not_read() -> None:
    state = BusState.from_blocks([struct.pack("<hii", 1, 2, 3) + b"\xff"])
    assert state.position.tolist() == [3]


def test_every_refusal_has_its_words() -> None:
    assert status_error_text(7) == "this register cannot be read or written now"
    assert status_error_text(0x66) == "unknown error 0x66"
