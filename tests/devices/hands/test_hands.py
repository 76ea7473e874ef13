"""Every hand from its configuration to a grasp, over an emulated wire."""

import contextlib
import functools
import math
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from softgrasp_plugin.devices.dynamixel import force_model
from softgrasp_plugin.devices.errors import (
    DeviceFaultError,
    DeviceLostError,
    DeviceNotCalibratedError,
    DeviceSilentError,
)
from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.calibration import FreeAirSweep, HandCalibration
from softgrasp_plugin.devices.hands.config import (
    DynamixelHandConfig,
    HandConfig,
    InspireModbusRtuHandConfig,
    InspireModbusTcpHandConfig,
    InspireSerialHandConfig,
)
from softgrasp_plugin.devices.hands.factory import make_hand, make_link
from softgrasp_plugin.devices.hands.inspire_hand import InspireHand
from softgrasp_plugin.devices.hands.polled_hand import PolledHand
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.modbus import RH56ModbusServer, RH56RtuEmulator, RH56TcpEmulator
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.emulators.wire import Faults
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray

TYPES = ("inspire_serial", "inspire_modbus_rtu", "inspire_modbus_tcp", "dynamixel")
OBJECT_AT = 0.5
OFFSET_N, OFFSET_SLOPE_N = 1.5, 1.0
FREE_AIR_THERE_N = OFFSET_N + OFFSET_SLOPE_N * OBJECT_AT
MAX_FORCE_N = 5.0
FAST_SWEEP = FreeAirSweep(stops=(0.0, 0.5, 0.95), samples=3, settle_s=0.02)


@dataclass
class Rig:
    """A hand, its emulator, and a user who moves limp fingers when asked to."""

    config: HandConfig
    plant: FirstOrderJoints
    faults: Faults
    limits_n: Callable[[], FloatArray]
    unplug: Callable[[], None]
    break_down: Callable[[], None]
    max_closure_speed: float = 1000.0

    def __post_init__(self) -> None:
        self.channel = FeelChannel()
        self.questions: list[str] = []
        self.hand = self.new_hand()

    def new_hand(self, calibration: HandCalibration | None = None) -> PolledHand:
        link = make_link(self.config)
        if isinstance(link, InspireHand):
            link.force_calibration_s = 0.02
        return PolledHand(
            link,
            self.channel,
            calibration,
            rate_hz=self.config.rate_hz,
            max_closure_speed=self.max_closure_speed,
            stale_after_s=0.5,  # generous: a busy computer is not what is tested here
            sweep=FAST_SWEEP,
        )

    def user(self, question: str) -> str:
        self.questions.append(question)
        for word, closure in (("Open the hand", 0.0), ("Close every finger", 1.0)):
            if word in question:
                for joint in range(NUM_JOINTS):
                    self.plant.move(joint, closure)
        return "y"


def motors() -> list[EmulatedMotor]:
    # Two are mounted the other way round, and one passes the encoder's zero.
    ranges = [(1000, 3000), (3000, 1000), (3500, 4900), (1000, 3000), (2500, 700), (100, 1100)]
    return [EmulatedMotor(i + 1, "xl330-m288", i, low, high) for i, (low, high) in enumerate(ranges)]


@contextlib.contextmanager
def rigged(hand_type: str) -> Iterator[Rig]:
    plant = FirstOrderJoints(time_constant_s=0.01, offset_n=OFFSET_N, offset_slope_n=OFFSET_SLOPE_N)
    hand = RH56Registers(plant)

    def overheat() -> None:
        hand.errors = [0, 0, 2, 0, 0, 0]

    def force_set() -> FloatArray:
        return rh56.NEWTONS_PER_GRAM * np.array(struct.unpack("<6h", hand.read(rh56.FORCE_SET, 12)))

    config: HandConfig
    with contextlib.ExitStack() as stack:
        if hand_type == "dynamixel":
            bus = stack.enter_context(DynamixelBusEmulator(motors(), plant))

            def overload() -> None:
                bus.motors[3].hardware_error = 32

            def goal_currents() -> FloatArray:
                scale = force_model("xl330-m288").newtons_per_unit(0.07)
                return np.array([scale * motor.get(102, 2) for motor in bus.motors.values()])

            yield Rig(
                DynamixelHandConfig(port=bus.port, max_force_n=MAX_FORCE_N),
                plant,
                bus.faults,
                goal_currents,
                bus.close,
                overload,
            )
        elif hand_type == "inspire_serial":
            serial = stack.enter_context(RH56SerialEmulator(hand))
            config = InspireSerialHandConfig(
                port=serial.port, rate_hz=200.0, reply_timeout_s=0.1, max_force_n=MAX_FORCE_N
            )
            yield Rig(config, plant, serial.faults, force_set, serial.close, overheat)
        elif hand_type == "inspire_modbus_rtu":
            rtu = stack.enter_context(RH56RtuEmulator(RH56ModbusServer(hand)))
            config = InspireModbusRtuHandConfig(
                port=rtu.port, rate_hz=200.0, reply_timeout_s=0.1, max_force_n=MAX_FORCE_N
            )
            yield Rig(config, plant, rtu.faults, force_set, rtu.close, overheat)
        else:
            tcp = stack.enter_context(RH56TcpEmulator(RH56ModbusServer(hand)))
            config = InspireModbusTcpHandConfig(
                host=tcp.host,
                tcp_port=tcp.port,
                rate_hz=200.0,
                reply_timeout_s=0.1,
                max_force_n=MAX_FORCE_N,
            )
            yield Rig(config, plant, tcp.faults, force_set, tcp.close, overheat)


@functools.cache
def calibration_of(hand_type: str) -> HandCalibration:
    with rigged(hand_type) as rig:
        rig.hand.connect()
        # The next emulated hand's sensors will not have been zeroed.
        calibration = rig.hand.calibrate(
            lambda question: "n" if "zero its" in question else rig.user(question)
        )
        rig.hand.disconnect()
        assert rig.questions
        return calibration


@pytest.fixture(params=TYPES)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with rigged(request.param) as rig:
        rig.hand = rig.new_hand(calibration_of(request.param))
        rig.hand.connect()
        yield rig
        rig.hand.disconnect()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def squeeze(rig: Rig, limit_n: float) -> HandSample:
    """Close on the object again and again, as a control loop does, until the force has come, and on."""

    def gripped() -> bool:
        rig.hand.write(np.ones(NUM_JOINTS), np.full(NUM_JOINTS, limit_n))
        time.sleep(0.02)
        return bool(rig.hand.read().torque.min() > min(limit_n, MAX_FORCE_N - FREE_AIR_THERE_N) - 0.2)

    eventually(gripped)
    for _ in range(5):
        gripped()
    return rig.hand.read()


def fails(hand: PolledHand, error: type[Exception], match: str) -> None:
    def failed() -> bool:
        try:
            hand.read()
        except error:
            return True
        return False

    eventually(failed)
    with pytest.raises(error, match=match):
        hand.read()
    with pytest.raises(error, match=match):
        hand.write(np.zeros(NUM_JOINTS))


def test_it_goes_where_it_is_sent_and_feels_nothing_in_free_air(rig: Rig) -> None:
    target = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    rig.hand.write(target)
    eventually(lambda: bool(np.abs(rig.hand.read().closure - target).max() < 0.01))
    assert rig.hand.read().torque == pytest.approx(np.zeros(NUM_JOINTS), abs=0.1)


def test_it_grips_up_to_the_limit_and_no_more(rig: Rig) -> None:
    rig.plant.object_closure = OBJECT_AT
    sample = squeeze(rig, 3.0)
    assert sample.torque == pytest.approx(np.full(NUM_JOINTS, 3.0), abs=0.2)
    assert sample.closure == pytest.approx(np.full(NUM_JOINTS, OBJECT_AT + 0.03), abs=0.01)


def test_the_maximum_holds_before_the_first_command(rig: Rig) -> None:
    assert rig.limits_n() == pytest.approx(np.full(NUM_JOINTS, MAX_FORCE_N), abs=0.1)


def test_no_command_exceeds_the_maximum(rig: Rig) -> None:
    rig.plant.object_closure = OBJECT_AT
    assert squeeze(rig, 1000.0).torque.max() < MAX_FORCE_N + 0.3
    assert rig.limits_n().max() <= MAX_FORCE_N, "what the sensors read in free air lifts no limit"
    assert rig.plant.measure()[1].max() <= MAX_FORCE_N + 0.3


def test_samples_reach_the_feel_channel(rig: Rig) -> None:
    first = rig.channel.latest()
    assert first is not None
    eventually(lambda: rig.channel.latest() is not first)
    assert rig.hand.rate_hz > 0.0
    rig.hand.disconnect()
    assert rig.channel.latest() is None
    assert not rig.hand.is_connected


def test_it_holds_after_disconnect(rig: Rig) -> None:
    rig.plant.object_closure = OBJECT_AT
    rig.hand.write(np.full(NUM_JOINTS, 0.7))
    eventually(lambda: bool(rig.hand.read().torque.min() > 2.0))
    rig.hand.disconnect()
    time.sleep(0.05)
    closure, force = rig.plant.measure()
    assert closure.min() > OBJECT_AT
    assert force.min() > 2.0


def test_it_holds_where_it_is_when_it_connects(rig: Rig) -> None:
    rig.hand.write(np.full(NUM_JOINTS, 0.4))
    eventually(lambda: bool(np.abs(rig.hand.read().closure - 0.4).max() < 0.01))
    rig.hand.disconnect()
    again = rig.new_hand(rig.hand.calibration)
    again.connect()
    time.sleep(0.05)
    assert again.read().closure == pytest.approx(np.full(NUM_JOINTS, 0.4), abs=0.02)
    again.disconnect()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_command_is_refused_and_the_last_one_kept(rig: Rig, bad: float) -> None:
    rig.hand.write(np.full(NUM_JOINTS, 0.3))
    with pytest.raises(ValueError, match="closure must be 6 finite numbers"):
        rig.hand.write(np.array([0.0, 0.0, bad, 0.0, 0.0, 0.0]))
    with pytest.raises(ValueError, match="torque_limit must be 6 finite numbers"):
        rig.hand.write(np.zeros(NUM_JOINTS), np.zeros(2))
    eventually(lambda: bool(np.abs(rig.hand.read().closure - 0.3).max() < 0.01))


def test_a_silent_hand_is_reported_and_comes_back(rig: Rig) -> None:
    rig.faults.silent = True
    fails(rig.hand, DeviceSilentError, r"hand.*silent for \d+ ms.*Check power and cable")
    frozen = rig.channel.latest()
    time.sleep(0.05)
    assert rig.channel.latest() is frozen, "a silent hand must not publish"
    rig.faults.silent = False
    eventually(lambda: rig.hand.age_s < 0.1)
    rig.hand.read()


def test_an_unplugged_hand_is_lost(rig: Rig) -> None:
    rig.unplug()
    fails(rig.hand, DeviceLostError, r"hand.*connect again")
    rig.hand.disconnect()
    assert not rig.hand.is_connected


def test_a_fault_of_the_hand_is_reported(rig: Rig) -> None:
    rig.break_down()
    fails(rig.hand, DeviceFaultError, r"middle_bend.*(overload|overheated)")


def test_noise_on_the_wire_is_survived(rig: Rig) -> None:
    rig.faults.drop = 1
    eventually(lambda: rig.faults.drop == 0 and rig.hand.age_s < 0.03)
    rig.faults.late, rig.faults.late_s = 1, 0.12
    eventually(lambda: rig.faults.late == 0 and rig.hand.age_s < 0.03)
    rig.hand.write(np.full(NUM_JOINTS, 0.2))
    eventually(lambda: bool(np.abs(rig.hand.read().closure - 0.2).max() < 0.01))


@pytest.mark.parametrize("hand_type", TYPES)
def test_without_calibration_it_only_connects(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.hand.connect()
        assert rig.hand.is_connected
        for use in (rig.hand.read, lambda: rig.hand.write(np.zeros(NUM_JOINTS))):
            with pytest.raises(DeviceNotCalibratedError, match="lerobot-calibrate"):
                use()
        rig.hand.disconnect()


@pytest.mark.parametrize("hand_type", TYPES)
def test_nothing_moves_without_consent(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.hand.connect()
        with pytest.raises(DeviceNotCalibratedError, match="refused"):
            rig.hand.calibrate(lambda question: "" if "[y/N]" in question else rig.user(question))
        expected = 1.0 if hand_type == "dynamixel" else 0.0  # where the user left the limp fingers
        assert rig.plant.measure()[0] == pytest.approx(np.full(NUM_JOINTS, expected))
        assert not rig.hand.is_calibrated
        rig.hand.disconnect()


@pytest.mark.parametrize("hand_type", TYPES)
def test_a_hand_that_does_not_answer_stays_closed(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.faults.silent = True
        with pytest.raises((DeviceSilentError, DeviceLostError)):
            rig.hand.connect()
        assert not rig.hand.is_connected


def test_motors_calibrated_elsewhere_are_noticed() -> None:
    with rigged("dynamixel") as rig:
        calibration = calibration_of("dynamixel")
        swapped = dict(calibration.motors)
        swapped["index_bend"] = calibration.motors["middle_bend"]
        other = rig.new_hand(HandCalibration(calibration.free_air, swapped))
        with pytest.raises(DeviceNotCalibratedError, match="motors of index_bend"):
            other.connect()
        assert not other.is_connected


def test_a_range_that_was_not_moved_is_refused() -> None:
    with rigged("dynamixel") as rig:
        rig.hand.connect()
        with pytest.raises(
            DeviceNotCalibratedError, match=r"thumb_swing moved by 0 counts.*See that the ids"
        ):
            rig.hand.calibrate(lambda question: "y")
        rig.hand.disconnect()


def test_force_sensors_are_zeroed_only_when_confirmed() -> None:
    with rigged("inspire_serial") as rig:
        rig.hand.connect()
        calibration = rig.hand.calibrate(
            lambda question: "n" if "zero its force sensors" in question else "y"
        )
        assert calibration.free_air.force_n[0] == pytest.approx(np.full(NUM_JOINTS, 1.5), abs=0.02)
        calibration = rig.hand.calibrate(lambda question: "yes")
        assert calibration.free_air.force_n[0] == pytest.approx(np.zeros(NUM_JOINTS), abs=0.02)
        rig.hand.disconnect()


def test_a_jump_in_the_command_reaches_no_wire(rig: Rig) -> None:
    rig.hand.disconnect()
    rig.max_closure_speed = 0.5
    rig.hand = rig.new_hand(rig.hand.calibration)
    rig.hand.connect()
    seen = []
    began = time.monotonic()
    while time.monotonic() - began < 0.4:
        rig.hand.write(np.ones(NUM_JOINTS))
        seen.append(float(rig.plant.measure()[0].max()))
        assert seen[-1] <= 0.5 * (time.monotonic() - began) + 0.02
        time.sleep(0.01)
    assert seen[-1] > 0.05
    rig.faults.silent = True
    fails(rig.hand, DeviceSilentError, "silent")
    held = float(rig.plant.measure()[0].max())
    for _ in range(20):
        with contextlib.suppress(DeviceSilentError):
            rig.hand.write(np.ones(NUM_JOINTS))
        time.sleep(0.01)
    rig.faults.silent = False
    eventually(lambda: rig.hand.age_s < 0.1)
    assert float(rig.plant.measure()[0].max()) < held + 0.1, "nothing was saved up"
    again = time.monotonic()
    before = float(rig.plant.measure()[0].max())
    while time.monotonic() - again < 0.2:
        with contextlib.suppress(DeviceSilentError):
            rig.hand.write(np.ones(NUM_JOINTS))
        assert rig.plant.measure()[0].max() - before <= 0.5 * (time.monotonic() - again) + 0.02
        time.sleep(0.01)


@pytest.mark.parametrize("hand_type", TYPES)
def test_calibrating_obeys_the_speed_limit(hand_type: str) -> None:
    speed = 5.0
    with rigged(hand_type) as rig:
        goals: list[tuple[float, FloatArray]] = []
        target = np.zeros(NUM_JOINTS)
        command = rig.plant.command

        def noted(joint: int, closure: float, force_limit_n: float) -> None:
            command(joint, closure, force_limit_n)
            if force_limit_n > 0.0 and abs(target[joint] - closure) > 1e-9:
                target[joint] = closure
                goals.append((time.monotonic(), target.copy()))

        if hand_type != "dynamixel":
            rig.plant._closure = np.full(NUM_JOINTS, 0.8)  # not open, as somebody may have left it
        rig.max_closure_speed = speed
        hand = rig.new_hand()
        hand.connect()
        rig.plant.command = noted  # type: ignore[method-assign]
        hand.calibrate(rig.user)
        hand.disconnect()
    # The first goal is where the hand stands; it may be far from where this test began to count.
    moves = np.array([closure for _, closure in goals])
    first = np.argmax((moves > 0.0).all(axis=1) | (np.arange(len(moves)) >= NUM_JOINTS))
    assert np.abs(np.diff(moves[first:], axis=0)).max() <= speed * 0.1 + 1e-3, "no step is longer than that"
    assert len(goals) > 30


@pytest.mark.parametrize("hand_type", TYPES)
def test_the_driver_itself_clamps_the_force(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        link = make_link(rig.config)
        link.open()
        link.start(calibration_of(hand_type).motors, np.full(NUM_JOINTS, 1e6))
        assert rig.limits_n().max() <= MAX_FORCE_N
        link.command(np.full(NUM_JOINTS, 0.1), np.full(NUM_JOINTS, 1e6))
        link.measure()
        assert MAX_FORCE_N - 0.2 < rig.limits_n().max() <= MAX_FORCE_N
        link.close()


def test_an_rh56_that_lost_its_power_is_told_its_limits_again() -> None:
    registers = RH56Registers(FirstOrderJoints(time_constant_s=0.01))

    def words(address: int) -> list[int]:
        return list(struct.unpack("<6h", registers.read(address, 12)))

    with RH56SerialEmulator(registers) as wire:
        config = InspireSerialHandConfig(port=wire.port, max_force_n=2.0, speed=0.25, rate_hz=200.0)
        hand = make_hand(config, FeelChannel(), calibration_of("inspire_serial"))
        hand.connect()
        hand.write(np.full(NUM_JOINTS, 0.1))
        eventually(lambda: bool(np.abs(hand.read().closure - 0.1).max() < 0.01))
        force_set, speed_set = words(rh56.FORCE_SET), words(rh56.SPEED_SET)
        assert max(force_set) <= 2.0 / rh56.NEWTONS_PER_GRAM
        wire.faults.silent = True
        fails(hand, DeviceSilentError, "silent")
        registers.write(rh56.FORCE_SET, struct.pack("<6h", *[1000] * 6))
        registers.write(rh56.SPEED_SET, struct.pack("<6h", *[1000] * 6))
        wire.faults.silent = False
        eventually(lambda: hand.age_s < 0.1)
        assert (words(rh56.FORCE_SET), words(rh56.SPEED_SET)) == (force_set, speed_set)
        hand.disconnect()


def test_a_force_limit_whose_reply_was_lost_is_said_again() -> None:
    with rigged("inspire_serial") as rig:
        link = make_link(rig.config)
        link.open()
        link.start({}, np.full(NUM_JOINTS, 1.0))
        low = rig.limits_n()
        rig.faults.silent = True
        with pytest.raises(DeviceSilentError):
            link.command(np.zeros(NUM_JOINTS), np.full(NUM_JOINTS, 4.0))
        rig.faults.silent = False
        assert rig.limits_n().min() > 3.5, "it had arrived"
        link.command(np.zeros(NUM_JOINTS), np.full(NUM_JOINTS, 1.0))
        assert rig.limits_n() == pytest.approx(low)
        link.close()


def test_an_rh56_is_no_faster_than_either_limit() -> None:
    for speed, closure_speed, expected in ((0.1, 2.5, 100), (1.0, 0.5, 300), (1.0, 10.0, 1000)):
        registers = RH56Registers()
        with RH56SerialEmulator(registers) as wire:
            config = InspireSerialHandConfig(port=wire.port, speed=speed)
            link = make_link(config, closure_speed)
            link.open()
            link.start({}, np.full(NUM_JOINTS, 1.0))
            speeds = struct.unpack("<6h", registers.read(rh56.SPEED_SET, 12))
            assert speeds == (expected,) * NUM_JOINTS
            link.close()


def test_connecting_does_not_finish_an_old_command() -> None:
    plant = FirstOrderJoints(time_constant_s=0.01, object_closure=0.3)
    registers = RH56Registers(plant)
    registers.write(rh56.FORCE_SET, struct.pack("<6h", *[50] * 6))
    registers.write(rh56.ANGLE_SET, struct.pack("<6h", *[0] * 6))  # closed, as far as 50 g go
    time.sleep(0.1)
    before = plant.measure()[0]
    assert before.max() < 0.31
    with RH56SerialEmulator(registers) as wire:
        hand = make_hand(
            InspireSerialHandConfig(port=wire.port, max_force_n=8.0),
            FeelChannel(),
            calibration_of("inspire_serial"),
        )
        hand.connect()
        time.sleep(0.1)
        assert plant.measure()[0] == pytest.approx(before, abs=0.005)
        hand.disconnect()


@pytest.mark.parametrize("hand_type", ["inspire_serial", "dynamixel"])
def test_an_impossible_reading_is_a_fault_and_is_never_felt(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.hand = rig.new_hand(calibration_of(hand_type))
        rig.hand.connect()
        measure = rig.plant.measure
        felt: list[HandSample] = []
        publish = rig.channel.publish

        def noted(sample: HandSample) -> None:
            felt.append(sample)
            publish(sample)

        rig.channel.publish = noted  # type: ignore[method-assign]

        def torn() -> tuple[FloatArray, FloatArray]:
            closure, force = measure()
            closure[2] += 3.0
            return closure, force

        eventually(lambda: bool(felt))
        rig.plant.measure = torn  # type: ignore[method-assign]
        fails(rig.hand, DeviceFaultError, r"hand.*middle_bend reads a closure of [23].*Check the encoders")
        assert max(abs(sample.closure).max() for sample in felt) < 1.0
        rig.hand.disconnect()


@pytest.mark.parametrize(
    ("hand_type", "other"), [("inspire_serial", "dynamixel"), ("dynamixel", "inspire_modbus_tcp")]
)
def test_another_kinds_calibration_is_refused(hand_type: str, other: str) -> None:
    with rigged(hand_type) as rig:
        stated = calibration_of(other)
        unstated = HandCalibration(stated.free_air, stated.motors)
        for calibration in (stated, unstated):
            with pytest.raises(ValueError, match=r"calibration of|no range for"):
                rig.new_hand().adopt(calibration)
            with pytest.raises(DeviceNotCalibratedError, match=r"calibration of|no range for"):
                rig.new_hand(calibration).connect()


def test_another_rh56s_calibration_is_refused() -> None:
    config = InspireSerialHandConfig(port="/dev/ttyUSB0", hand_id=2)
    with pytest.raises(ValueError, match=r"hand_id 1, and this is .*hand_id 2"):
        make_hand(config, FeelChannel()).adopt(calibration_of("inspire_serial"))


def test_errors_that_could_not_be_read_are_read_again_at_once() -> None:
    with rigged("inspire_serial") as rig:
        link = make_link(rig.config)
        link.open()
        link.start({}, np.full(NUM_JOINTS, 1.0))
        rig.break_down()
        rig.faults.silent = True
        with pytest.raises(DeviceSilentError):
            link.measure()
        rig.faults.silent = False
        with pytest.raises(DeviceFaultError, match="middle_bend overheated"):
            link.measure()
        link.close()
