import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.hands import modbus


def test_checksum_of_the_specification() -> None:
    # MODBUS over Serial Line V1.02, appendix B: the check value of the algorithm.
    assert modbus.crc16(b"123456789") == 0x4B37
    assert modbus.rtu_frame(1, modbus.read_request(0, 1)) == bytes.fromhex("01 03 00 00 00 01 84 0A")


def test_requests_as_bytes() -> None:
    assert modbus.read_request(1546, 6) == bytes.fromhex("03 06 0A 00 06")
    assert modbus.write_request(1486, [1000, -1]) == bytes.fromhex("10 05 CE 00 02 04 03 E8 FF FF")
    assert modbus.write_single_request(1004, 1) == bytes.fromhex("06 03 EC 00 01")
    assert modbus.tcp_frame(0x1_0002, 1, b"\x03") == bytes.fromhex("00 02 00 00 00 02 01 03")


@pytest.mark.parametrize(
    ("request_", "reply", "fits"),
    [
        (modbus.read_request(1546, 1), "03 02 00 05", True),
        (modbus.read_request(1546, 2), "03 02 00 05", False),
        (modbus.read_request(1546, 1), "03 04 00 05", False),
        (modbus.read_request(1546, 1), "83 02", True),
        (modbus.write_single_request(1004, 1), "06 03 EC 00 01", True),
        (modbus.write_single_request(1004, 1), "06 03 ED 00 01", False),
        (modbus.write_request(1486, [1, 2]), "10 05 CE 00 02", True),
        (modbus.write_request(1486, [1, 2]), "10 05 CE 00 06", False),
    ],
)
def test_what_is_a_reply_to_what(request_: bytes, reply: str, fits: bool) -> None:
    assert modbus.is_reply_to(request_, bytes.fromhex(reply)) is fits


@settings(deadline=None)
@given(st.binary(max_size=60), st.lists(st.integers(0, 0xFFFF), min_size=6, max_size=6))
def test_a_reply_after_garbage_is_found(garbage: bytes, values: list[int]) -> None:
    request = modbus.read_request(1546, 6)
    reply = bytes([3, 12]) + b"".join(value.to_bytes(2, "big") for value in values)
    found = modbus.find_rtu_reply(garbage + modbus.rtu_frame(1, reply), 1, request)
    assert found is not None
    assert modbus.registers(found) == tuple(values)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_garbage_is_no_reply(garbage: bytes) -> None:
    found = modbus.find_rtu_reply(garbage, 1, modbus.read_request(1546, 6))
    assert found is None or modbus.rtu_frame(1, found) in garbage


@settings(deadline=None)
@given(st.binary(min_size=7, max_size=7))
def test_sizes_of_tcp_messages_are_bounded(head: bytes) -> None:
    size = modbus.tcp_message_size(head)
    assert size is None or 1 <= size <= 253


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ("0007 0000 0002 01", 1),
        ("FFFF 0000 00FE FF", 253),
        ("0007 0000 0001 01", None),
        ("0007 0000 00FF 01", None),
        ("0007 0000 0102 01", None),
        ("0007 0001 0002 01", None),
        ("0007 0100 0002 01", None),
    ],
)
def test_the_size_of_a_tcp_message(head: str, size: int | None) -> None:
    assert modbus.tcp_message_size(bytes.fromhex(head)) == size
