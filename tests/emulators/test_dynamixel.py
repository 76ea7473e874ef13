"""The emulated Dynamixel bus, against the checksum and the packets of ROBOTIS' own SDK."""

import dynamixel_sdk as dxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.dynamixel import ForceMotorsBus
from softgrasp_plugin.devices.dynamixel.bus import motor_table
from softgrasp_plugin.devices.errors import DeviceFaultError
from softgrasp_plugin.emulators.dynamixel import (
    DynamixelBusEmulator,
    EmulatedMotor,
    PacketParser,
    crc16,
    packet,
)

SDK = dxl.PacketHandler(2.0)

packets = st.tuples(st.integers(0, 252), st.sampled_from([1, 2, 3, 0x55]), st.binary(max_size=40))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_checksum_is_the_sdks(data: bytes) -> None:
    assert crc16(data) == SDK.updateCRC(0, list(data), len(data))


@settings(deadline=None)
@given(packets)
def test_stuffing_is_the_sdks(one: tuple[int, int, bytes]) -> None:
    identity, instruction, parameters = one
    plain = [
        0,
        0,
        0,
        0,
        identity,
        (len(parameters) + 3) & 0xFF,
        (len(parameters) + 3) >> 8,
        instruction,
        *parameters,
        0,
        0,
    ]
    length = len(SDK.addStuffing([0xFF, 0xFF, 0xFD, 0, *plain[4:]]))
    assert len(packet(identity, instruction, parameters)) == length


@settings(deadline=None)
@given(st.lists(packets, min_size=1, max_size=4), st.data())
def test_packets_split_anywhere_are_found(sent: list[tuple[int, int, bytes]], data: st.DataObject) -> None:
    stream = b"".join(packet(*one) for one in sent)
    cut = data.draw(st.integers(0, len(stream)))
    parser = PacketParser()
    assert parser.feed(stream[:cut]) + parser.feed(stream[cut:]) == sent


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_arbitrary_bytes_never_crash(chunks: list[bytes]) -> None:
    parser = PacketParser()
    assert all(len(one) == 3 for chunk in chunks for one in parser.feed(chunk))


@settings(deadline=None)
@given(st.binary(max_size=60), packets)
def test_a_packet_after_garbage_is_found(garbage: bytes, one: tuple[int, int, bytes]) -> None:
    assert PacketParser().feed(garbage.replace(b"\xfd", b"\x00") + packet(*one)) == [one]


def test_it_behaves_as_lerobot_expects() -> None:
    with DynamixelBusEmulator([EmulatedMotor(i, "xl330-m288", i - 1) for i in (1, 2)]) as emulator:
        bus = ForceMotorsBus(emulator.port, motor_table(("a", "b"), [1, 2], ["xl330-m288"]))
        bus.connect()
        assert bus.broadcast_ping(num_retry=2) == {1: 1200, 2: 1200}
        bus.enable_torque(num_retry=2)
        with pytest.raises(DeviceFaultError, match="register 11 is refused by motor a"):
            bus.write("Operating_Mode", "a", 5, num_retry=2)
        bus.disable_torque(num_retry=2)
        bus.write("Homing_Offset", "b", -100, num_retry=2)
        assert bus.sync_read("Present_Position", normalize=False, num_retry=2) == {"a": 1024, "b": 924}
        bus.disconnect()


@pytest.mark.parametrize("force_n", [-1000.0, 1000.0])
def test_no_motor_reports_more_current_than_stalls_it(force_n: float) -> None:
    motor = EmulatedMotor(identity=1, model="xl330-m288", joint=0)
    motor.sense(0.5, force_n)
    assert motor.get(126, 2) == pytest.approx(1470 * force_n / 1000.0, abs=1)
