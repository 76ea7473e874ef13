"""The robot carries out predicted torques, over emulated wires."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import (
    DeviceError,
    DeviceLostError,
)
from softgrasp_plugin.devices.feel import feel_channel
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56SerialEmulator
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.grasping.torque_tracking import TorqueTrackingConfig
from softgrasp_plugin.joints import CLOSURE_KEYS, TORQUE_KEYS
from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand

from .emulated_ur3 import FakeArm, calibration


@pytest.fixture
def tracking(config: UR3DexHandConfig) -> Iterator[UR3DexHand]:
    (config.calibration_dir / "hand.json").write_text(calibration().to_json())
    torque = TorqueCommandConfig(mode="track", tracking=TorqueTrackingConfig(gain=0.05, max_correction=0.04))
    robot = UR3DexHand(replace(config, torque=torque))
    robot.arm = FakeArm()
    robot.connect()
    yield robot
    if robot.is_connected:
        robot.disconnect()


def hold(robot: UR3DexHand, closure: float, torque: float, seconds: float) -> dict[str, float]:
    """Command all joints the same for a while; returns the last action that was executed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sent = robot.send_action(
            {**dict.fromkeys(CLOSURE_KEYS, closure), **dict.fromkeys(TORQUE_KEYS, torque)}
        )
        time.sleep(0.01)
    return sent


def test_the_grip_follows_the_predicted_torque(tracking: UR3DexHand, plant: FirstOrderJoints) -> None:
    plant.object_closure = 0.5
    for closure, torque in ((0.51, 3.0), (0.55, 2.0), (0.54, 5.0)):
        hold(tracking, closure, torque, 2.0)
        assert plant.measure()[1][:5] == pytest.approx(np.full(5, torque), abs=0.3)
        assert plant.measure()[1][5] == pytest.approx(100 * (closure - 0.5), abs=0.3), "swings as it is told"


def test_what_the_hand_may_not_press_is_not_waited_for(tracking: UR3DexHand, plant: FirstOrderJoints) -> None:
    """At its force limit the hand feels all that it ever will: a correction that went on would have to be
    taken back before the grip could loosen.
    """
    plant.object_closure = 0.5
    most = tracking.config.hand.max_force_n
    before = hold(tracking, 0.59, most, 1.0)
    after = hold(tracking, 0.59, 30.0, 1.0)
    assert plant.measure()[1].max() <= most + 0.1
    assert after[CLOSURE_KEYS[0]] - before[CLOSURE_KEYS[0]] < 0.005


def test_a_persons_action_is_executed_as_it_is(tracking: UR3DexHand, plant: FirstOrderJoints) -> None:
    """Its torques are those of a moment ago, while the grip grows."""
    plant.object_closure = 0.5
    channel = feel_channel(tracking.config.rig)
    for tick in range(40):
        felt, closure = channel.latest(), 0.48 + 0.002 * tick
        assert felt is not None
        time.sleep(0.02)
        action = {
            **dict.fromkeys(CLOSURE_KEYS, closure),
            **dict(zip(TORQUE_KEYS, felt.torque.tolist(), strict=True)),
        }
        tracking.send_action(action)
        assert tracking.hand._command is not None
        np.testing.assert_array_equal(tracking.hand._command.closure, closure)
    assert tracking.get_observation()[TORQUE_KEYS[0]] > 2.0


@pytest.mark.parametrize("cause", ["silent", "refused", "not_finite"])
def test_a_correction_that_was_not_carried_out_is_not_remembered(
    tracking: UR3DexHand,
    plant: FirstOrderJoints,
    wire: RH56SerialEmulator,
    monkeypatch: pytest.MonkeyPatch,
    cause: str,
) -> None:
    plant.object_closure = 0.5
    hold(tracking, 0.52, 2.5, 1.0)
    refused = 0

    def refuse(*_: object) -> None:
        raise DeviceLostError("the hand", "it is gone.", "Plug it in.")

    with monkeypatch.context() as patch:
        if cause == "refused":
            patch.setattr(tracking.hand, "write", refuse)
        wire.faults.silent = cause == "silent"
        time.sleep(0.1)  # what was measured before the silence has arrived
        if cause == "silent":
            hold(tracking, 0.52, 2.5, 0.1)
        before = tracking._torque._tracker._correction.copy()
        for _ in range(100):
            action = {**dict.fromkeys(CLOSURE_KEYS, 0.52), **dict.fromkeys(TORQUE_KEYS, 30.0)}
            if cause == "not_finite":
                action[CLOSURE_KEYS[0]] = float("nan")
            try:
                tracking.send_action(action)
            except (DeviceError, ValueError):
                refused += 1
            time.sleep(0.01)
    wire.faults.silent = False
    assert refused > 20
    np.testing.assert_array_equal(tracking._torque._tracker._correction, before)
