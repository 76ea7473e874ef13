"""Every kind of hand over its emulated wire, and somebody who moves it."""

import contextlib
import functools
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from softgrasp_plugin.devices.dynamixel import force_model
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
from softgrasp_plugin.devices.hands.factory import make_link
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
            measures_torque=self.config.measures_torque,
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
