"""No hand is faster or stronger than it was allowed to be, whatever happens on the wire."""

import contextlib
import struct
import time

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import (
    DeviceSilentError,
)
from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.config import (
    InspireSerialHandConfig,
)
from softgrasp_plugin.devices.hands.factory import make_hand, make_link
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray

from .rigs import (
    MAX_FORCE_N,
    TYPES,
    Rig,
    calibration_of,
    eventually,
    fails,
    rigged,
)


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
