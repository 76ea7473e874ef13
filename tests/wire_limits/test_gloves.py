"""Nothing that a hand, a policy or a wire says makes a glove press more than it may, or the wrong way."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot.motors import MotorCalibration
from lerobot.utils.errors import DeviceNotConnectedError

from softgrasp_plugin.devices.errors import DeviceError
from softgrasp_plugin.devices.feel import FeelChannel, feel_channel
from softgrasp_plugin.devices.gloves.config import (
    BridgeGloveConfig,
    DogloveConfig,
    DynamixelGloveConfig,
    GloveConfig,
    GloveMotorConfig,
)
from softgrasp_plugin.devices.gloves.rendering import CurrentScale
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.emulators.bridge_glove import BridgeGloveEmulator
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.encoder_board import EncoderBoardEmulator
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig
from softgrasp_plugin.joints import JOINTS, NUM_JOINTS, THUMB_SWING, FloatArray
from softgrasp_plugin.teleoperators.config_force_glove import ForceGloveConfig
from softgrasp_plugin.teleoperators.force_glove import ForceGlove

from .actions import HUGE, NO_NUMBER, NOT_FINITE, SEED, ActionSource, share
from .conftest import rest
from .meter import MeteredFingers

MAX_TORQUE_N, MAX_CURRENT_MA, LEVER_ARM_M = 2.0, 200.0, 0.08
FORCES = (0.0, 0.5, 1.5, 3.0, 50.0, -3.0, -166.0, 1e308, math.nan, math.inf, -math.inf)
CLOSURES = (0.0, 0.5, 1.0, -0.2, 1.4, 1e308, math.nan, math.inf)
AGES_S = (0.0, 0.0, 0.0, 0.05, 0.3, 5.0, -0.5, -1e9, math.nan)


@dataclass
class Worn:
    """A glove's configuration and calibration, and how to disturb it."""

    config: GloveConfig
    calibration: dict[str, MotorCalibration]
    disturb: Callable[[ActionSource], None]
    repair: Callable[[], None]
    violations: Callable[[], list[str]]
    presses: Callable[[], bool]
    pressed: Callable[[], int]


@contextlib.contextmanager
def worn(glove_type: str) -> Iterator[Worn]:
    with contextlib.ExitStack() as stack:
        yield _bridge(stack) if glove_type == "bridge" else _motors(stack, glove_type)


def _motors(stack: contextlib.ExitStack, glove_type: str) -> Worn:
    config: DynamixelGloveConfig | DogloveConfig
    board = None
    if glove_type == "doglove":
        board = stack.enter_context(EncoderBoardEmulator())
        config = DogloveConfig(port="-", encoder_port=board.port)
        for motor in config.motors.values():
            motor.max_current_ma = MAX_CURRENT_MA
    else:
        motors = {
            joint: GloveMotorConfig(id=1 + i, max_current_ma=MAX_CURRENT_MA) for i, joint in enumerate(JOINTS)
        }
        config = DynamixelGloveConfig(port="-", motors=motors)
    scale = CurrentScale(list(config.motors.values()))
    limits_n = np.zeros(NUM_JOINTS)
    limits_n[[JOINTS.index(joint) for joint in config.motors]] = np.minimum(
        # A unit of current is the smallest step of force.
        scale.newtons(scale.most_units),
        MAX_TORQUE_N + scale.newtons(np.ones(len(config.motors), dtype=np.int64)),
    )
    fingers = MeteredFingers(limits_n)
    emulated = [
        EmulatedMotor(m.id, m.model, JOINTS.index(joint), lever_arm_m=m.lever_arm_m)
        for joint, m in config.motors.items()
    ]
    bus = stack.enter_context(DynamixelBusEmulator(emulated, fingers))
    config.port = bus.port
    calibration = {
        joint: MotorCalibration(motor.id, 0, 0, 1024, 3072) for joint, motor in config.motors.items()
    }
    if isinstance(config, DogloveConfig):
        calibration[JOINTS[THUMB_SWING]] = MotorCalibration(config.swing_encoder, 0, 0, 500, 9000)

    def disturb(source: ActionSource) -> None:
        random, faults = source.random, bus.faults
        if random.random() < 0.2:
            # Fingers bend and stretch, further than at the calibration too.
            fingers.move(random.randrange(NUM_JOINTS), random.uniform(-0.15, 1.1))
        if random.random() < 0.05:
            setattr(faults, random.choice(("drop", "corrupt", "wrong_id", "late")), random.randint(1, 2))
            faults.late_s = random.uniform(0.0, 0.02)
        faults.silent = random.random() < 0.02
        if board is not None and random.random() < 0.05:
            board.degrees = np.array([random.uniform(0.0, 400.0) for _ in range(16)])

    def repair() -> None:
        bus.faults.silent = False

    def presses() -> bool:
        return any(motor.get(102, 2) and motor.get(64, 1) for motor in emulated)

    return Worn(
        config, calibration, disturb, repair, lambda: fingers.violations, presses, lambda: fingers.pulled
    )


def _bridge(stack: contextlib.ExitStack) -> Worn:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = stack.enter_context(BridgeGloveEmulator(("127.0.0.1", port)))
    violations: list[str] = []
    pressed = 0

    def look() -> list[str]:
        nonlocal pressed
        force: FloatArray = program.force
        pressed += bool(force.any())
        if (force > MAX_TORQUE_N + 1e-3).any() or (force < 0.0).any():
            violations.append(f"the program was told to press with {force.tolist()} N")
        return violations

    def disturb(source: ActionSource) -> None:
        look()
        random, faults = source.random, program.faults
        if random.random() < 0.2:
            program.angle = np.array([random.random() for _ in JOINTS])
        if random.random() < 0.1:
            garbage = (
                b"",
                b"{}",
                b"\xff" * 40,
                b"[" * 900,
                b'{"softgrasp_glove": 1}',
                b'{"softgrasp_glove":1,"seq":1' + b"0" * 400 + b',"angle":[0,0,0,0,0,0]}',
                b'{"softgrasp_glove":1,"seq":9000,"angle":[1' + b"0" * 400 + b",0,0,0,0,0]}",
                b'{"softgrasp_glove":1,"seq":NaN,"angle":[0,0,0,0,0,Infinity]}',
            )
            faults.extra = [random.choice(garbage) for _ in range(random.randint(1, 5))]
        faults.is_silent = random.random() < 0.02
        faults.is_deaf = random.random() < 0.02
        faults.replay = random.random() < 0.02

    def repair() -> None:
        program.faults.is_silent = program.faults.is_deaf = program.faults.replay = False

    return Worn(
        BridgeGloveConfig(udp_port=port),
        {},
        disturb,
        repair,
        look,
        lambda: bool(program.force.any()),
        lambda: pressed,
    )


@pytest.mark.parametrize("glove_type", ["dynamixel", "doglove", "bridge"])
def test_nothing_makes_a_glove_press_too_much(glove_type: str, tmp_path: Path) -> None:
    source = ActionSource(SEED)
    with worn(glove_type) as glove:
        teleop = ForceGlove(
            ForceGloveConfig(
                id="glove",
                calibration_dir=tmp_path,
                glove=glove.config,
                feedback=FeedbackConfig(max_torque=MAX_TORQUE_N),
                rig=str(tmp_path),
            )
        )
        teleop.calibration = glove.calibration
        teleop._save_calibration()
        teleop = ForceGlove(teleop.config)
        channel = feel_channel(str(tmp_path))
        faulty: list[str] = []
        try:
            for _ in range(share(0.08)):
                if not teleop.is_connected or (teleop.health is not None and teleop.health.error is not None):
                    _restart(teleop, glove)
                _say(teleop, channel, source, faulty)
                glove.disturb(source)
                rest(source.random)
        finally:
            glove.repair()
            time.sleep(0.05)
            if teleop.is_connected:
                teleop.disconnect()
        assert glove.violations() == []
        assert faulty == []
        assert glove.pressed(), "the glove never pressed"
        assert not glove.presses(), "the glove presses after it was disconnected"


def _restart(teleop: ForceGlove, glove: Worn) -> None:
    glove.repair()
    if teleop.is_connected:
        teleop.disconnect()
    # A glove that has been given back may take a moment until its emulator has heard.
    with contextlib.suppress(DeviceError):
        teleop.connect()


def _say(teleop: ForceGlove, channel: FeelChannel, source: ActionSource, faulty: list[str]) -> None:
    """The hand, or LeRobot, says something: often a firm contact, else anything."""
    random = source.random
    if random.random() < 0.5:
        channel.publish(HandSample(np.full(NUM_JOINTS, 0.5), np.full(NUM_JOINTS, 1.5), time.monotonic()))
    else:
        closure = np.array([random.choice(CLOSURES) for _ in JOINTS])
        torque = np.array([random.choice(FORCES) for _ in JOINTS])
        channel.publish(HandSample(closure, torque, time.monotonic() - random.choice(AGES_S)))
    if random.random() < 0.2:
        feedback, _ = source.next()
        if random.random() < 0.3:
            feedback["index_bend_torque.pos"] = random.choice(NOT_FINITE + HUGE + NO_NUMBER)
        _try(lambda: teleop.send_feedback(feedback), faulty, feedback)
    _try(teleop.get_action, faulty, "get_action")


def _try(call: Callable[[], Any], faulty: list[str], what: object) -> None:
    try:
        call()
    except (ValueError, TypeError, DeviceError, DeviceNotConnectedError):
        return
    except Exception as error:
        faulty.append(f"{error!r} for {what}")
