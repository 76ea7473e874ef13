"""The shared Dynamixel bus, through LeRobot, the Dynamixel SDK and pyserial, against emulated motors."""

import itertools
import time

import numpy as np
import pytest
from lerobot.motors import Motor, MotorNormMode

from softgrasp_plugin.devices.dynamixel import (
    MOTOR_MODELS,
    BusState,
    ForceMotorsBus,
    force_model,
    hardware_error_text,
)
from softgrasp_plugin.devices.dynamixel.bus import motor_table
from softgrasp_plugin.devices.errors import DeviceFaultError, DeviceLostError, DeviceSilentError
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.joints import JOINTS, FloatArray

from .dynamixel_rig import MODEL, NAMES, bus_on, emulated_motors


def await_limp(emulator: DynamixelBusEmulator) -> None:
    deadline = time.monotonic() + 5.0
    while any(motor.table[64] for motor in emulator.motors.values()):
        assert time.monotonic() < deadline, "a motor still has its torque on"
        time.sleep(0.005)


class Stopwatch(FirstOrderJoints):
    """Joints whose closure is the time: every reading tells when it was taken."""

    def __init__(self, num_joints: int) -> None:
        super().__init__(num_joints)
        self.start = time.monotonic()
        self.num_joints = num_joints

    def elapsed_ms(self) -> float:
        return 1e3 * (time.monotonic() - self.start)

    def measure(self) -> tuple[FloatArray, FloatArray]:
        return np.full(self.num_joints, 1e-3 * self.elapsed_ms()), np.zeros(self.num_joints)


def test_every_model_is_complete_for_lerobot() -> None:
    for name, model in MOTOR_MODELS.items():
        assert ForceMotorsBus.model_number_table[name] == model.number
        assert ForceMotorsBus.model_resolution_table[name] == 4096
        for table in ("model_ctrl_table", "model_baudrate_table", "model_encoding_table"):
            assert name in getattr(ForceMotorsBus, table)
    assert {"xc330-m288", "xc330-m181"} <= MOTOR_MODELS.keys()


@pytest.mark.parametrize("name", ["xl430-w250", "xc430-w150"])
def test_models_without_a_current_sensor_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has no current sensor.*Use one of: .*xl330-m288"):
        ForceMotorsBus("/dev/null", {"a": Motor(1, name, MotorNormMode.RANGE_0_100)})


def test_unknown_model_is_refused() -> None:
    with pytest.raises(ValueError, match="Unknown Dynamixel model 'ax-12'"):
        force_model("ax-12")


def test_force_of_a_current() -> None:
    # XC330-M288: 0.93 N·m at 1.8 A; 100 mA at 70 mm is 0.1 * 0.5167 / 0.07 N.
    assert 100 * force_model("xc330-m288").newtons_per_unit(0.07) == pytest.approx(0.738, abs=1e-3)
    assert force_model("xm430-w350").newtons_per_unit(0.07) == pytest.approx(2.69e-3 * 4.1 / 2.3 / 0.07)
    with pytest.raises(ValueError, match="lever_arm_m"):
        force_model("xm430-w350").newtons_per_unit(0.0)


def test_state_decodes_signed_values() -> None:
    block = (-5).to_bytes(2, "little", signed=True) + (-70000).to_bytes(4, "little", signed=True)
    state = BusState.from_blocks([block + (-1).to_bytes(4, "little", signed=True), bytes(10)])
    assert state.current.tolist() == [-5, 0]
    assert state.velocity.tolist() == [-70000, 0]
    assert state.position.tolist() == [-1, 0]


def test_hardware_errors_in_words() -> None:
    assert hardware_error_text(0b100100) == "overheating, overload"
    assert hardware_error_text(0b10000000) == "unknown hardware error 0x80"


def test_motor_table_checks_its_lists() -> None:
    assert motor_table(("a", "b"), [1, 2], ["xl330-m288"])["b"].model == "xl330-m288"
    with pytest.raises(ValueError, match="one distinct motor id"):
        motor_table(("a", "b"), [1, 1], ["xl330-m288"])


def test_one_shot_state_is_the_plants(rig: tuple[ForceMotorsBus, DynamixelBusEmulator]) -> None:
    bus, emulator = rig
    assert isinstance(emulator.plant, FirstOrderJoints)
    emulator.plant.move(1, 0.25)
    assert bus.read_state().position.tolist() == [1024, 1024 + 512, 1024]
    assert bus.sync_read("Present_Position", normalize=False) == {
        "thumb": 1024,
        "index": 1536,
        "middle": 1024,
    }


def test_motors_hold_an_object_with_the_commanded_current() -> None:
    plant = FirstOrderJoints(3, object_closure=0.5, time_constant_s=0.005)
    with DynamixelBusEmulator(emulated_motors(), plant) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        bus.configure_current_based_position()
        bus.write_goals([100, 200, 300], bus.read_state().position)
        bus.enable_torque(num_retry=2)
        bus.write_goals([100, 200, 300], [3072, 3072, 3072])
        time.sleep(0.1)
        assert bus.read_state().current == pytest.approx([100, 200, 300], abs=2)
        bus.disconnect()
        await_limp(emulator)


def test_firmware_without_fast_sync_read_falls_back() -> None:
    with DynamixelBusEmulator(emulated_motors(), fast_sync_read=False) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        assert not bus.uses_fast_sync_read
        assert bus.read_state().position.tolist() == [1024] * 3
        bus.disconnect()
        insisting = bus_on(emulator, fast=True)
        with pytest.raises(DeviceSilentError, match="Fast Sync Read"):
            insisting.connect()
        assert not insisting.is_connected


def test_watchdog_stops_motors_nobody_talks_to() -> None:
    with DynamixelBusEmulator(emulated_motors()) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        bus.sync_write("Bus_Watchdog", 2, normalize=False)  # 40 ms
        time.sleep(0.2)
        assert bus.read("Bus_Watchdog", "thumb", num_retry=2) == 0xFF
        bus.configure_current_based_position()
        assert bus.read("Bus_Watchdog", "thumb", num_retry=2) == 0
        bus.disconnect()


def test_a_late_reply_is_never_taken_for_a_fresh_one(
    rig: tuple[ForceMotorsBus, DynamixelBusEmulator],
) -> None:
    bus, emulator = rig
    watch = Stopwatch(3)
    emulator.plant = watch
    for motor in emulator.motors.values():
        motor.open_tick, motor.closed_tick = 0, 1000  # the position is the time in milliseconds
    delays = itertools.cycle([0.040, 0.050, 0.070, 0.120])
    failures = 0
    for i in range(24):
        if i % 3 == 0:
            emulator.faults.late, emulator.faults.late_s = 1, next(delays)
        asked = watch.elapsed_ms()
        try:
            if i % 2:
                positions = bus.read_state(num_retry=0).position.tolist()
            else:
                positions = list(bus.sync_read("Present_Position", normalize=False).values())
        except ConnectionError:
            failures += 1
            continue
        assert min(positions) >= int(asked), (
            "a value was returned that had been measured before it was asked for"
        )
    assert 0 < failures < 24


@pytest.mark.parametrize("fault", ["drop", "corrupt", "wrong_id"])
def test_a_spoilt_reply_is_asked_for_again(
    rig: tuple[ForceMotorsBus, DynamixelBusEmulator], fault: str
) -> None:
    bus, emulator = rig
    assert isinstance(emulator.plant, FirstOrderJoints)
    for _ in range(3):
        setattr(emulator.faults, fault, 1)
        emulator.plant.move(2, 0.5)
        assert bus.read_state().position.tolist() == [1024, 1024, 2048]
    assert bus.read("Present_Position", "middle", normalize=False, num_retry=2) == 2048


def test_garbage_and_split_replies_are_understood(rig: tuple[ForceMotorsBus, DynamixelBusEmulator]) -> None:
    bus, emulator = rig
    emulator.faults.garbage = b"\xff\xff\x00\xfd\xff"
    emulator.faults.split_s = 0.003
    for _ in range(3):
        assert bus.read_state().position.tolist() == [1024] * 3


def test_silence_is_reported_and_passes(rig: tuple[ForceMotorsBus, DynamixelBusEmulator]) -> None:
    bus, emulator = rig
    emulator.faults.silent = True
    with pytest.raises(DeviceSilentError, match=rf"test hand on {emulator.port}.*no valid reply"):
        bus.read_state()
    emulator.faults.silent = False
    assert bus.read_state().position.tolist() == [1024] * 3


def test_hardware_error_names_motor_and_reason(rig: tuple[ForceMotorsBus, DynamixelBusEmulator]) -> None:
    bus, emulator = rig
    emulator.motors[2].hardware_error = 0b100000
    with pytest.raises(DeviceFaultError, match=r"motor index \(id 2\): overload.*power off and on"):
        bus.read_state()
    again = bus_on(emulator)
    bus.disconnect()
    with pytest.raises(DeviceFaultError, match=r"motor index \(id 2\): overload"):
        again.connect()
    assert not again.is_connected


def test_unplugged_adapter_is_lost(rig: tuple[ForceMotorsBus, DynamixelBusEmulator]) -> None:
    bus, emulator = rig
    bus.read_state()
    emulator.close()
    with pytest.raises(DeviceLostError, match=r"test hand.*serial port failed.*Check cable"):
        bus.read_state()
    with pytest.raises(DeviceLostError):
        bus.release()


def test_release_needs_no_answer() -> None:
    with DynamixelBusEmulator(emulated_motors()) as emulator:
        bus = bus_on(emulator)
        bus.connect()
        bus.enable_torque(num_retry=2)
        emulator.faults.silent = True
        bus.disconnect()
        await_limp(emulator)


def test_missing_port_says_so() -> None:
    bus = ForceMotorsBus("/dev/no-such-port", motor_table(NAMES, [1, 2, 3], [MODEL]), device="test hand")
    with pytest.raises(DeviceLostError, match=r"test hand on /dev/no-such-port.*lerobot-find-port"):
        bus.connect()
    assert not bus.is_connected


def test_a_port_has_one_user(rig: tuple[ForceMotorsBus, DynamixelBusEmulator]) -> None:
    _, emulator = rig
    intruder = bus_on(emulator)
    with pytest.raises(DeviceLostError, match="no other program uses the port"):
        intruder.connect()
    assert not intruder.is_connected


def test_handshake_names_missing_and_wrong_motors() -> None:
    motors = [EmulatedMotor(1, MODEL, 0), EmulatedMotor(2, "xl330-m288", 1)]
    with DynamixelBusEmulator(motors) as emulator:
        bus = bus_on(emulator)
        expected = r"index \(id 2\) has model number 1200, expected 1240.*middle \(id 3\) does not answer"
        with pytest.raises(DeviceSilentError, match=expected) as caught:
            bus.connect()
        assert "thumb" not in caught.value.problem
        assert not bus.is_connected


def test_six_joints_fit_the_hand() -> None:
    assert tuple(motor_table(JOINTS, [1, 2, 3, 4, 5, 6], [MODEL])) == JOINTS
