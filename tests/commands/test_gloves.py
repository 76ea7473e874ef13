"""Every glove through LeRobot's commands, over emulated wires: calibrated at a person's pace, then worn.

What `test_calibrate.py` and `test_emulated_hardware.py` do with an exoskeleton of motors, for the others.
"""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.emulators.bridge_glove import BridgeGloveEmulator
from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.joints import FINGERS, JOINTS, NUM_JOINTS, THUMB_BEND, THUMB_SWING
from softgrasp_plugin.scripts.emulate import EmulateConfig

from .emulated import (
    FELT_N,
    Watch,
    assert_wearer_feels,
    column,
    complete,
    record_command,
    recorded,
    running,
    saved_episodes,
    wait_until,
)
from .front_door import A_MOMENT_S, calibrate

pytestmark = pytest.mark.slow


@pytest.fixture
def config(request: pytest.FixtureRequest, tmp_path: Path) -> EmulateConfig:
    return EmulateConfig(output_dir=tmp_path / "emulated", glove=request.param)


def calibrate_wearer(config: EmulateConfig, rig: EmulatedRig, home: Path) -> dict[str, MotorCalibration]:
    """Run `lerobot-calibrate` for the person in the rig's glove; returns what it stored."""
    teleop = json.loads((config.output_dir / "rig.json").read_text())["teleop"]
    options = config.output_dir / "calibrate.json"
    options.write_text(json.dumps({"teleop": teleop}))
    stored = config.output_dir / f"{teleop['id']}.json"
    stored.unlink(missing_ok=True)

    def take_pose(bent: float) -> str:
        rig.person.pose = np.full(NUM_JOINTS, bent)
        wait_until(
            lambda: np.allclose(rig.person.glove.angle, bent, atol=1e-3), "the person did not move", 20.0
        )
        time.sleep(A_MOMENT_S)
        return ""

    answers = [("ENTER", lambda: take_pose(0.0)), ("ENTER", lambda: take_pose(1.0))]
    calibrate(home, f"--config_path={options}", answers=answers)
    rig.person.pose = None
    assert not rig.glove_force_n.any()
    return {joint: MotorCalibration(**entry) for joint, entry in json.loads(stored.read_text()).items()}


@pytest.mark.parametrize("config", ["doglove"], indirect=True)
def test_doglove(config: EmulateConfig, rig: EmulatedRig, home: Path) -> None:
    calibration = calibrate_wearer(config, rig, home)
    for joint, expected in rig.glove.calibration.items():
        entry = calibration[joint]
        assert (entry.id, entry.drive_mode) == (expected.id, expected.drive_mode)
        assert (entry.range_min, entry.range_max) == pytest.approx(
            (expected.range_min, expected.range_max), abs=20
        ), joint
    assert calibration[JOINTS[THUMB_SWING]].range_max > 36_000, "the swing's sensor passed its zero"

    with Watch(rig) as watch:
        complete(record_command(config, rig, "--dataset.episode_time_s=5"), home)
    dataset = recorded(config.output_dir)
    action, state = column(dataset, "action"), column(dataset, "observation.state")
    swing = action[:, THUMB_SWING]
    assert swing[-1] > swing[0] + 0.2, "the thumb was swung"
    assert np.abs(np.diff(swing)).max() < 0.1, "and never jumped"
    assert np.abs(action[:, FINGERS] - state[:, FINGERS]).mean() < 0.05
    assert state[:, NUM_JOINTS + THUMB_BEND].max() > 1.0, "the thumb presses"
    assert np.array(watch.felt)[:, THUMB_BEND].max() > FELT_N, "the wearer feels it"
    assert not rig.glove_force_n.any(), "no force is left on the glove"
    assert_wearer_feels(config, rig, home)


@pytest.mark.parametrize("config", ["bridge"], indirect=True)
def test_bridge(config: EmulateConfig, rig: EmulatedRig, home: Path) -> None:
    assert isinstance(rig.glove_wire, BridgeGloveEmulator)
    faults = rig.glove_wire.faults
    calibration = calibrate_wearer(config, rig, home)
    for entry in calibration.values():
        assert (entry.range_min, entry.range_max) == pytest.approx((0, 10_000), abs=20)

    command = record_command(config, rig, "--dataset.episode_time_s=2", "--dataset.num_episodes=20")
    with Watch(rig) as watch, running(command, home) as process:
        watch.await_force_on_glove()
        faults.reading = 1.002  # a fist, a little past the end
        saved = saved_episodes(config.output_dir)
        wait_until(lambda: saved_episodes(config.output_dir) > saved + 1, "rounding ended the recording")
        faults.reading = 1.3
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert '"angle" must lie in 0…1, got 1.3' in output
    assert "Correct what the glove program sends." in output
    assert not rig.glove_force_n.any(), "no force is left on the glove"
    dataset = recorded(config.output_dir)
    assert dataset.num_episodes >= 2
    assert len(dataset) == sum(dataset.meta.episodes["length"])

    faults.reading = None
    assert_wearer_feels(config, rig, home)
