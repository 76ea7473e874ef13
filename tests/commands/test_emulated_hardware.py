"""The real drivers under LeRobot's own commands, over emulated wires, around a simulated object.

The wires live in this process, so that what the motors are told can be watched; LeRobot runs in its own.
"""

import importlib.util
import signal
from pathlib import Path

import numpy as np
import pytest

from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.joints import FINGERS, NUM_JOINTS, STATE_KEYS, THUMB_BEND
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig
from tests.emulators.ur_process import own_address

from .emulated import (
    FELT_N,
    Watch,
    assert_wearer_feels,
    column,
    complete,
    holds,
    record_command,
    recorded,
    running,
    saved_episodes,
    wait_until,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def config(tmp_path: Path) -> EmulateConfig:
    return EmulateConfig(output_dir=tmp_path / "emulated")


def assert_episodes_are_whole(config: EmulateConfig) -> None:
    dataset = recorded(config.output_dir)
    assert 1 <= dataset.num_episodes < 5
    assert len(dataset) == sum(dataset.meta.episodes["length"])


def test_record_grasps_the_object_and_the_glove_feels_it(
    rig: EmulatedRig, config: EmulateConfig, home: Path
) -> None:
    with Watch(rig) as watch:
        complete(
            record_command(config, rig, "--dataset.episode_time_s=8"), home, config.output_dir / "dataset"
        )

    dataset = recorded(config.output_dir)
    assert dataset.meta.robot_type == "ur3_dexhand"
    state, action = column(dataset, "observation.state"), column(dataset, "action")
    assert dataset.meta.features["observation.state"]["names"] == list(STATE_KEYS)
    assert dataset.meta.features["action"]["names"] == list(STATE_KEYS)
    closure, torque = state[:, :NUM_JOINTS], state[:, NUM_JOINTS:]
    assert torque[:, THUMB_BEND].max() > 1.0, "the thumb presses"
    assert torque[:, FINGERS].max() > 0.5, "a finger opposes it"
    assert closure[:, FINGERS].max() > closure[0, FINGERS].max() + 0.05
    # The glove leads and the hand follows, within what a hand may lag.
    assert np.abs(action[:, FINGERS] - closure[:, FINGERS]).mean() < 0.05
    # The action's torque is what the hand measured at that moment, or a tick of its thread later.
    assert np.corrcoef(action[:, NUM_JOINTS + THUMB_BEND], torque[:, THUMB_BEND])[0, 1] > 0.9
    assert watch.lifted_m > 0.08, "the object was lifted"

    touches, felt = np.array(watch.torque)[:, THUMB_BEND], np.array(watch.felt)[:, THUMB_BEND]
    assert felt[touches > 1.0].mean() > 2 * FELT_N, "the glove's thumb feels the contact"
    assert felt[touches == 0.0].mean() < FELT_N / 6, "and nothing in free air"
    np.testing.assert_array_equal(rig.glove_force_n, 0.0, "no force is left on the glove")
    assert holds(rig)


def test_teleoperate_lets_the_wearer_feel(rig: EmulatedRig, config: EmulateConfig, home: Path) -> None:
    assert_wearer_feels(config, rig, home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_contact_leaves_the_glove_free_and_the_hand_holding(
    rig: EmulatedRig, config: EmulateConfig, home: Path, number: signal.Signals
) -> None:
    with Watch(rig) as watch, running(record_command(config, rig), home) as process:
        watch.await_force_on_glove()
        process.send_signal(number)
        wait_until(lambda: not rig.glove_force_n.any(), "the glove still pulls", timeout_s=5)
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0, output[-3000:]
    assert not rig.glove_force_n.any()
    assert holds(rig)


@pytest.mark.parametrize("fault", ["hand unplugged", "hand silent", "glove unplugged"])
def test_a_device_that_fails_ends_the_command_and_keeps_what_was_saved(
    rig: EmulatedRig, config: EmulateConfig, home: Path, fault: str
) -> None:
    device = "Dynamixel hand" if fault.startswith("hand") else "dynamixel glove"
    wire = rig.hand_wire if fault.startswith("hand") else rig.glove_wire
    command = record_command(config, rig, "--dataset.episode_time_s=4", "--dataset.num_episodes=5")
    with Watch(rig) as watch, running(command, home) as process:
        wait_until(lambda: saved_episodes(config.output_dir) > 0, "no episode was saved")
        watch.await_force_on_glove()
        if fault == "hand silent":
            wire.faults.silent = True
        else:
            wire.close()
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"{device} on {wire.port}" in output
    assert "Check" in output, "the remedy"
    if fault == "glove unplugged":
        # Nobody reaches its motors any more, and the driver says so; a real glove's own watchdog lets go.
        assert "could NOT be verified" in output
    else:
        assert not rig.glove_force_n.any()
    assert_episodes_are_whole(config)
    assert holds(rig)


@pytest.mark.parametrize(("device", "wire_of"), [("Dynamixel hand", "hand"), ("dynamixel glove", "glove")])
def test_an_overloaded_motor_ends_the_command_and_keeps_what_was_saved(
    rig: EmulatedRig, config: EmulateConfig, home: Path, device: str, wire_of: str
) -> None:
    wire = rig.hand_wire if wire_of == "hand" else rig.glove_wire
    thumb = wire.motors[1 + THUMB_BEND]
    command = record_command(config, rig, "--dataset.episode_time_s=4", "--dataset.num_episodes=5")
    with Watch(rig) as watch, running(command, home) as process:
        wait_until(lambda: saved_episodes(config.output_dir) > 0, "no episode was saved")
        watch.await_force_on_glove()
        thumb.hardware_error = 1 << 5
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"{device} on {wire.port}: motor thumb_bend (id {thumb.identity}): overload" in output
    assert "switch its power off and on" in output, "the remedy"
    assert not rig.glove_force_n.any()
    assert_episodes_are_whole(config)
    # A motor that has given up is limp until its power has been off; the others keep their grip.
    limp = [motor.identity for motor in rig.hand_wire.motors.values() if not motor.get(64, 1)]
    assert limp == ([thumb.identity] if wire_of == "hand" else [])


@pytest.mark.skipif(
    importlib.util.find_spec("rtde_control") is None, reason="ur_rtde is not installed (extra: ur)"
)
@pytest.mark.parametrize(
    ("fault", "problem"), [("protective_stop", "protective stop"), ("silence", "nothing heard")]
)
def test_an_arm_that_stops_ends_the_command_and_keeps_what_was_saved(
    tmp_path: Path, home: Path, fault: str, problem: str
) -> None:
    config = EmulateConfig(output_dir=tmp_path / "emulated", arm="ur3", arm_host=own_address())
    with emulated_rig(config) as rig:
        assert rig.arm is not None
        command = record_command(config, rig, "--dataset.episode_time_s=4", "--dataset.num_episodes=5")
        with Watch(rig) as watch, running(command, home) as process:
            wait_until(lambda: saved_episodes(config.output_dir) > 0, "no episode was saved")
            watch.await_force_on_glove()
            rig.arm.ask(fault)
            output, _ = process.communicate(timeout=30)
        assert process.returncode != 0
        assert f"UR arm (ur3) at {config.arm_host}: {problem}" in output
        assert "teach pendant" in output or "network cable" in output, "the remedy"
        assert not rig.glove_force_n.any()
        assert holds(rig)
        assert fault == "silence" or not rig.arm.ask("state")["servoing"]
    assert_episodes_are_whole(config)
