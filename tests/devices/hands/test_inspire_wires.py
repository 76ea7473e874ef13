"""The RH56's registers over each of its wires, with everything that can go wrong on a wire."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceSilentError
from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.inspire_hand import Registers
from softgrasp_plugin.devices.hands.inspire_modbus import InspireModbusRtu, InspireModbusTcp
from softgrasp_plugin.devices.hands.inspire_serial import InspireSerial
from softgrasp_plugin.devices.hands.rh56_frames import WRITE, Frame
from softgrasp_plugin.emulators.modbus import RH56ModbusServer, RH56RtuEmulator, RH56TcpEmulator
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray

Wire = Literal["serial", "rtu", "tcp"]
TIMEOUT_S = 0.2
"""Generous: a busy computer is not what is tested here."""
SHORT_TIMEOUT_S = 0.05


class Stopwatch(FirstOrderJoints):
    """Joints whose angle is the time in milliseconds: every reading tells when it was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.start = time.monotonic()

    def elapsed_ms(self) -> float:
        return 1e3 * (time.monotonic() - self.start)

    def measure(self) -> tuple[FloatArray, FloatArray]:
        return np.full(NUM_JOINTS, 1.0 - 1e-3 * self.elapsed_ms()), np.zeros(NUM_JOINTS)


@dataclass
class Rig:
    driver: Registers
    emulator: RH56SerialEmulator | RH56RtuEmulator | RH56TcpEmulator
    hand: RH56Registers


def rigged(
    wire: Wire,
    hand: RH56Registers,
    byte_registers: int = 3,
    low_byte_first: bool = True,
    timeout_s: float = TIMEOUT_S,
) -> Rig:
    if wire == "serial":
        serial = RH56SerialEmulator(hand)
        return Rig(InspireSerial(serial.port, 1, 115_200, timeout_s), serial, hand)
    server = RH56ModbusServer(hand, byte_registers, low_byte_first)
    if wire == "rtu":
        rtu = RH56RtuEmulator(server)
        driver = InspireModbusRtu(rtu.port, 1, 115_200, timeout_s, byte_registers, low_byte_first)
        return Rig(driver, rtu, hand)
    tcp = RH56TcpEmulator(server, transaction_offset=1)
    return Rig(InspireModbusTcp(tcp.host, tcp.port, 1, timeout_s, byte_registers, low_byte_first), tcp, hand)


@pytest.fixture(params=["serial", "rtu", "tcp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def rig(wire: Wire) -> Iterator[Rig]:
    rig = rigged(wire, RH56Registers())
    rig.driver.open()
    yield rig
    rig.driver.close()
    rig.emulator.close()


def test_registers_are_read_and_written(rig: Rig) -> None:
    rig.driver.write_shorts(rh56.FORCE_SET, [100, 200, 300, 400, 500, -1])
    assert rig.driver.read_shorts(rh56.FORCE_SET) == (100, 200, 300, 400, 500, -1)
    assert isinstance(rig.hand.plant, FirstOrderJoints)
    rig.hand.plant.move(3, 0.4)
    assert rig.driver.read_shorts(rh56.ANGLE_ACT) == (1000, 1000, 1000, 600, 1000, 1000)


def test_errors_are_read_and_cleared(rig: Rig) -> None:
    rig.hand.errors = [0, 1, 2, 4, 8, 16]
    assert rig.driver.read_bytes(rh56.ERROR) == (0, 1, 2, 4, 8, 16)
    rig.driver.write_byte(rh56.CLEAR_ERROR, 1)
    assert rig.driver.read_bytes(rh56.ERROR) == (0,) * 6


@pytest.mark.parametrize(("count", "low_first"), [(3, True), (3, False), (6, True)])
def test_either_layout_of_bytes_can_be_set(count: int, low_first: bool) -> None:
    rig = rigged("tcp", RH56Registers(), count, low_first)
    rig.hand.errors = [0, 1, 2, 4, 8, 16]
    rig.driver.open()
    assert rig.driver.read_bytes(rh56.ERROR) == (0, 1, 2, 4, 8, 16)
    rig.driver.close()
    rig.emulator.close()


def test_a_late_reply_is_never_taken_for_a_fresh_one(wire: Wire) -> None:
    watch = Stopwatch()
    rig = rigged(wire, RH56Registers(watch), timeout_s=SHORT_TIMEOUT_S)
    rig.driver.open()
    delays = itertools.cycle([0.055, 0.08, 0.17, 0.26])
    failures = 0
    for i in range(24):
        if i % 3 == 0:
            rig.emulator.faults.late, rig.emulator.faults.late_s = 1, next(delays)
        asked = watch.elapsed_ms()
        try:
            angles = rig.driver.read_shorts(rh56.ANGLE_ACT)
        except DeviceSilentError:
            failures += 1
            continue
        assert min(angles) >= int(asked), (
            "a value was returned that had been measured before it was asked for"
        )
    assert failures < 24
    rig.driver.close()
    rig.emulator.close()


# TCP has its own checksum and its own address.
@pytest.mark.parametrize(
    ("wire", "fault"),
    [*itertools.product(["serial", "rtu"], ["drop", "corrupt", "wrong_id"]), ("tcp", "drop")],
)
def test_a_spoilt_reply_is_asked_for_again(rig: Rig, fault: str) -> None:
    for value in (100, 200, 300):
        setattr(rig.emulator.faults, fault, 1)
        rig.driver.write_shorts(rh56.FORCE_SET, [value] * 6)
        setattr(rig.emulator.faults, fault, 1)
        assert rig.driver.read_shorts(rh56.FORCE_SET) == (value,) * 6


def test_garbage_and_split_replies_are_understood(rig: Rig, wire: Wire) -> None:
    if wire != "tcp":
        rig.emulator.faults.garbage = b"\x00\x01\x03\x90\x00\xeb"
    rig.emulator.faults.split_s = 0.004
    for _ in range(3):
        assert rig.driver.read_shorts(rh56.ANGLE_ACT) == (1000,) * 6


@pytest.mark.parametrize("wire", ["tcp"])
def test_garbage_on_tcp_ends_the_connection_not_the_hand(rig: Rig) -> None:
    rig.emulator.faults.garbage = b"\xff" * 9
    with pytest.raises(DeviceSilentError):
        rig.driver.read_shorts(rh56.ANGLE_ACT)
    rig.emulator.faults.garbage = b""
    assert rig.driver.read_shorts(rh56.ANGLE_ACT) == (1000,) * 6


def test_silence_is_reported_and_passes(rig: Rig) -> None:
    rig.emulator.faults.silent = True
    with pytest.raises(DeviceSilentError, match=r"Inspire hand .*no valid reply.*Check its 24 V supply"):
        rig.driver.read_shorts(rh56.ANGLE_ACT)
    rig.emulator.faults.silent = False
    assert rig.driver.read_shorts(rh56.ANGLE_ACT) == (1000,) * 6


def test_a_vanished_wire_is_lost(rig: Rig) -> None:
    rig.driver.read_shorts(rh56.ANGLE_ACT)
    rig.emulator.close()
    with pytest.raises(DeviceLostError, match=r"Inspire hand .*then connect again"):
        rig.driver.read_shorts(rh56.ANGLE_ACT)


def test_a_hand_that_is_not_there() -> None:
    with pytest.raises(DeviceLostError, match=r"Inspire hand 1 on /dev/no-such-port"):
        InspireSerial("/dev/no-such-port", 1, 115_200, TIMEOUT_S).open()
    with RH56TcpEmulator(RH56ModbusServer(RH56Registers())) as emulator:
        host, port = emulator.host, emulator.port
    with pytest.raises(DeviceLostError, match=rf"Inspire hand at 127.0.0.1:{port}.*answers a ping"):
        InspireModbusTcp(host, port, 1, TIMEOUT_S, 3, True).open()


def test_a_refused_register_is_a_fault() -> None:
    class Refusing(RH56ModbusServer):
        def answer(self, message: bytes) -> bytes:
            return bytes([message[0] | 0x80, 2])

    with RH56TcpEmulator(Refusing(RH56Registers())) as emulator:
        driver = InspireModbusTcp(emulator.host, emulator.port, 1, TIMEOUT_S, 3, True)
        driver.open()
        with pytest.raises(DeviceFaultError, match=r"refuses register 1546 .illegal data address"):
            driver.read_shorts(rh56.ANGLE_ACT)
        driver.close()


class Moody(RH56ModbusServer):
    """Answers the next requests with an exception."""

    def __init__(self, code: int) -> None:
        super().__init__(RH56Registers())
        self.code = code
        self.left = 0

    def answer(self, message: bytes) -> bytes:
        if self.left:
            self.left -= 1
            return bytes([message[0] | 0x80, self.code])
        return super().answer(message)


def talking_to(server: Moody, wire: Wire) -> tuple[RH56RtuEmulator | RH56TcpEmulator, Registers]:
    if wire == "rtu":
        rtu = RH56RtuEmulator(server)
        return rtu, InspireModbusRtu(rtu.port, 1, 115_200, TIMEOUT_S, 3, True)
    tcp = RH56TcpEmulator(server)
    return tcp, InspireModbusTcp(tcp.host, tcp.port, 1, TIMEOUT_S, 3, True)


@pytest.mark.parametrize("wire", ["rtu", "tcp"])
@pytest.mark.parametrize(
    ("code", "passes"),
    [
        (1, False),
        (2, False),
        (3, False),
        (4, False),
        (5, True),
        (6, True),
        (8, False),
        (10, True),
        (11, True),
    ],
)
def test_exceptions_that_pass_are_told_from_those_that_stay(wire: Wire, code: int, passes: bool) -> None:
    server = Moody(code)
    emulator, driver = talking_to(server, wire)
    driver.open()
    driver.read_shorts(rh56.ANGLE_ACT)
    server.left = 1
    if not passes:
        with pytest.raises(DeviceFaultError, match="refuses register 1546"):
            driver.read_shorts(rh56.ANGLE_ACT)
    else:
        assert driver.read_shorts(rh56.ANGLE_ACT) == (1000,) * 6
        server.left = 100
        with pytest.raises(DeviceError, match=r"postponed register 1546 in \d of 3 tries") as caught:
            driver.read_shorts(rh56.ANGLE_ACT)
        assert not isinstance(caught.value, DeviceFaultError)
        server.left = 0
        assert driver.read_shorts(rh56.ANGLE_ACT) == (1000,) * 6
    driver.close()
    emulator.close()


def test_a_serial_hand_that_says_no_is_quoted() -> None:
    class Unwilling(RH56SerialEmulator):
        unwilling = 1

        def _reply(self, request: Frame) -> Frame:
            if request.command == WRITE and self.unwilling:
                self.unwilling -= 1
                return Frame(request.identity, request.command, request.address, b"\xff")
            return super()._reply(request)

    with Unwilling() as emulator:
        driver = InspireSerial(emulator.port, 1, 115_200, TIMEOUT_S)
        driver.open()
        driver.write_shorts(rh56.FORCE_SET, [100] * 6)
        assert driver.read_shorts(rh56.FORCE_SET) == (100,) * 6
        emulator.unwilling = 100
        with pytest.raises(DeviceError, match=r"writing register 1498 failed \(0xff\), in 3 of 3") as caught:
            driver.write_shorts(rh56.FORCE_SET, [200] * 6)
        assert "wires" not in str(caught.value)
        driver.close()
