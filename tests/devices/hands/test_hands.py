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
from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.calibration import FreeAirSweep, HandCalibration
from softgrasp_plugin.devices.hands.config import (
    DynamixelHandConfig,
    HandConfig,
    InspireModbusRtuHandConfig,
    InspireModbusTcpHandConfig,
    InspireSerialHandConfig,
)
from softgrasp_plugin.devices.hands.factory import make_link
from softgrasp_plugin.devices.hands.inspire_hand import InspireHand
from softgrasp_plugin.devices.hands.polled_hand import PolledHand
from softgrasp_plugin.devices.hands.protocol import HandSample
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray
from softgrasp_plugin.simulation.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.simulation.emulators.modbus import RH56ModbusServer, RH56RtuEmulator, RH56TcpEmulator
from softgrasp_plugin.simulation.emulators.plant import FirstOrderJoints
from softgrasp_plugin.simulation.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.simulation.emulators.wire import Faults

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
