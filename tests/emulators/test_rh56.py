"""The emulated RH56, against other people's drivers: pyrh56 for its serial protocol, pymodbus for Modbus."""

import struct
import time

import pytest

from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.inspire_modbus import InspireModbusRtu, InspireModbusTcp
from softgrasp_plugin.emulators.modbus import RH56ModbusServer, RH56RtuEmulator, RH56TcpEmulator
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator

OBJECT_AT = 0.4


def grasping_hand() -> RH56Registers:
    return RH56Registers(FirstOrderJoints(time_constant_s=0.01, object_closure=OBJECT_AT, stiffness_n=50.0))


def test_pyrh56_drives_the_serial_hand() -> None:
    rh56_sdk = pytest.importorskip(
        "rh56_sdk", reason="pip install pyrh56 to test against an independent driver"
    )
    with RH56SerialEmulator(grasping_hand()) as emulator:
        driver = rh56_sdk.RH56Driver(emulator.port)
        driver.connect()
        assert driver.read_angle() == [1000] * 6
        driver.set_force_threshold([300] * 6)
        driver.set_speed([1000] * 6)
        driver.move_to([200] * 6)
        time.sleep(0.15)
        assert driver.read_force() == [300] * 6
        assert driver.read_status() == [3] * 6, "stopped at force"
        assert all(500 < angle < 600 for angle in driver.read_angle())
        emulator.registers.errors = [1, 0, 0, 0, 0, 0]
        assert driver.read_error()[0] == 1
        driver.clear_error()
        assert driver.read_error() == [0] * 6
        driver.disconnect()


def test_pymodbus_reads_and_writes_the_tcp_hand() -> None:
    client_module = pytest.importorskip("pymodbus.client", reason="pip install pymodbus to test against it")
    with RH56TcpEmulator(RH56ModbusServer(grasping_hand())) as emulator:
        client = client_module.ModbusTcpClient(emulator.host, port=emulator.port)
        assert client.connect()
        assert not client.write_registers(rh56.FORCE_SET, [300] * 6, device_id=1).isError()
        assert not client.write_registers(
            rh56.ANGLE_SET, [200, 200, 0xFFFF, 200, 200, 200], device_id=1
        ).isError()
        time.sleep(0.15)
        assert client.read_holding_registers(rh56.FORCE_ACT, count=6, device_id=1).registers == [
            300,
            300,
            0,
            300,
            300,
            300,
        ]
        assert client.read_holding_registers(rh56.ANGLE_ACT, count=6, device_id=1).registers[2] == 1000
        assert client.read_holding_registers(rh56.ANGLE_ACT, count=121, device_id=1).isError()
        client.close()


def test_pymodbus_reads_and_writes_the_rtu_hand() -> None:
    client_module = pytest.importorskip("pymodbus.client", reason="pip install pymodbus to test against it")
    with RH56RtuEmulator(RH56ModbusServer(grasping_hand())) as emulator:
        client = client_module.ModbusSerialClient(emulator.port, baudrate=115_200)
        assert client.connect()
        assert not client.write_registers(rh56.SPEED_SET, [500] * 6, device_id=1).isError()
        assert client.read_holding_registers(rh56.SPEED_SET, count=6, device_id=1).registers == [500] * 6
        client.close()


def test_bytes_are_where_the_manual_puts_them() -> None:
    hand = RH56Registers(hand_id=7)
    hand.write(rh56.FORCE_SET, struct.pack("<6h", 1, 2, 3, 4, 5, 6))
    assert hand.read(rh56.FORCE_SET + 4, 2) == b"\x03\x00"
    assert hand.read(rh56.HAND_ID, 1) == b"\x07"


def test_minus_one_leaves_a_joint_alone() -> None:
    plant = FirstOrderJoints(time_constant_s=0.001)
    hand = RH56Registers(plant)
    hand.write(rh56.ANGLE_SET, struct.pack("<6h", 500, -1, -1, -1, -1, -1))
    time.sleep(0.02)
    assert plant.measure()[0] == pytest.approx([0.5, 0, 0, 0, 0, 0], abs=0.01)
    assert struct.unpack("<6h", hand.read(rh56.ANGLE_ACT, 12)) == (500, 1000, 1000, 1000, 1000, 1000)


def test_requests_to_another_hand_are_not_answered() -> None:
    server = RH56ModbusServer(RH56Registers())
    with RH56RtuEmulator(server, unit=2) as emulator:
        driver = InspireModbusRtu(emulator.port, 1, 115_200, 0.02, 3, True)
        driver.open()
        with pytest.raises(ConnectionError, match="no valid reply"):
            driver.read_shorts(rh56.ANGLE_ACT)
        driver.close()


def test_our_modbus_client_reads_pymodbus_own_server() -> None:
    pytest.importorskip("pymodbus", reason="pip install pymodbus to test against its server")
    from pymodbus.simulator import DataType, SimData, SimDevice

    from tests.emulators.pymodbus_server import serving

    values = SimData(rh56.ANGLE_ACT, values=[0, 100, 200, 300, 400, 65535], datatype=DataType.REGISTERS)
    command = SimData(rh56.ANGLE_SET, values=[0] * 6, datatype=DataType.REGISTERS)
    with serving(SimDevice(1, simdata=[command, values])) as (host, port):
        driver = InspireModbusTcp(host, port, 1, 1.0, 3, True)
        driver.open()
        assert driver.read_shorts(rh56.ANGLE_ACT) == (0, 100, 200, 300, 400, -1)
        driver.write_shorts(rh56.ANGLE_SET, [1000, 900, 800, 700, 600, -1])
        assert driver.read_shorts(rh56.ANGLE_SET) == (1000, 900, 800, 700, 600, -1)
        driver.close()
