"""The whole rig over emulated wires, hand, arm, camera and glove: from a demonstration to a rollout.

A policy of a few steps has learnt nothing. What is tested is that all a real rig does on that way is done, by
LeRobot's own commands.
"""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.joints import FINGERS, NUM_JOINTS, STATE_KEYS, THUMB_BEND
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig
from softgrasp_plugin.simulation.world import World
from tests.emulators.ur_process import own_address

from .emulated import (
    FELT_N,
    Watch,
    column,
    command_environment,
    complete,
    has_realsense,
    holds,
    lerobot_command,
    recorded,
)
from .front_door import CORRECT_ONCE, TASK, run_command, run_in_terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("rtde_control") is None, reason="ur_rtde is not installed (extra: ur)"
    ),
]

HEIGHT, WIDTH = 120, 160


@dataclass
class Recording:
    """What one `lerobot-record` left behind."""

    output: str
    watch: Watch
    dataset: LeRobotDataset


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> EmulateConfig:
    return EmulateConfig(
        arm="ur3",
        arm_host=own_address(),
        camera="realsense" if has_realsense() else "zmq",
        camera_width=WIDTH,
        camera_height=HEIGHT,
        output_dir=tmp_path_factory.mktemp("emulated"),
    )


@pytest.fixture(scope="module")
def rig(config: EmulateConfig) -> Iterator[EmulatedRig]:
    with emulated_rig(config) as rig:
        yield rig


@pytest.fixture(scope="module")
def recording(config: EmulateConfig, rig: EmulatedRig, home: Path) -> Recording:
    command = lerobot_command(
        "lerobot-record",
        config,
        rig,
        f"--config_path={config.output_dir / 'record.json'}",
        "--dataset.episode_time_s=9",
        "--dataset.streaming_encoding=true",
        "--dataset.no_stamp=true",
    )
    with Watch(rig) as watch:
        output = complete(command, home, config.output_dir / "dataset")
    return Recording(output, watch, recorded(config.output_dir))


@pytest.fixture(scope="module")
def policy(recording: Recording, home: Path) -> Path:
    output_dir = home / "emulated_training"
    run_command(
        "lerobot-train",
        "--policy.type=softgrasp",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.image_size=[36,48]",
        "--policy.backbone_stages=1",
        "--policy.feature_dim=64",
        "--dataset.repo_id=softgrasp/emulated",
        f"--dataset.root={recording.dataset.root}",
        f"--output_dir={output_dir}",
        "--steps=8",
        "--batch_size=8",
        "--num_workers=0",
        "--save_freq=8",
        "--log_freq=4",
        home=home,
    )
    return output_dir / "checkpoints" / "last" / "pretrained_model"


def test_a_grasp_is_recorded_lifted_seen_and_felt(recording: Recording, rig: EmulatedRig) -> None:
    dataset, watch = recording.dataset, recording.watch
    state, action = column(dataset, "observation.state"), column(dataset, "action")
    assert dataset.meta.features["observation.state"]["names"] == list(STATE_KEYS)
    assert dataset.meta.features["action"]["names"] == list(STATE_KEYS)
    assert state[:, NUM_JOINTS + THUMB_BEND].max() > 1.0, "the thumb presses"
    assert state[:, NUM_JOINTS:][:, FINGERS].max() > 0.5, "a finger opposes it"
    assert np.abs(action[:, FINGERS] - state[:, FINGERS]).mean() < 0.05, "the hand follows the glove"
    assert watch.lifted_m > 0.08, "the arm lifted the object"
    assert state[:, :NUM_JOINTS].min() > 0.0, "nothing bends the open hand back as it comes down"
    touches, felt = np.array(watch.torque)[:, THUMB_BEND], np.array(watch.felt)[:, THUMB_BEND]
    assert felt[touches > 1.0].mean() > 2 * FELT_N, "the glove's thumb feels the contact"
    assert felt[touches == 0.0].mean() < FELT_N / 6, "and nothing in free air"
    assert not rig.glove_force_n.any(), "no force is left on the glove"
    assert holds(rig)


def test_the_camera_saw_the_world(recording: Recording, config: EmulateConfig, rig: EmulatedRig) -> None:
    expected = "RealSenseCamera(" if config.camera == "realsense" else "ZMQCamera("
    assert f"{expected}" in recording.output, "LeRobot's own camera read the pictures"
    frames = range(0, len(recording.dataset), 10)
    first, *later = (recording.dataset[i]["observation.images.side"].numpy() for i in frames)
    assert first.shape == (3, HEIGHT, WIDTH)
    difference = [
        np.abs(first - World(rig.world.object_id, seed).render(HEIGHT, WIDTH).transpose(2, 0, 1) / 255).mean()
        for seed in recording.watch.seeds
    ]
    assert min(difference) < 0.03, "the scene before the grasp, in the right colours"
    # Not the last frame: the object may be back on the table by then, and the hand where it began.
    assert max(np.abs(frame - first).mean() for frame in later) > 0.03, "the object lifted before it"


def test_a_policy_trained_on_it_drives_the_hand(
    recording: Recording, policy: Path, config: EmulateConfig, rig: EmulatedRig, home: Path
) -> None:
    root = config.output_dir / "rollout"
    command = lerobot_command(
        "lerobot-rollout",
        config,
        rig,
        f"--config_path={rollout_config(config)}",
        "--strategy.type=episodic",
        f"--policy.path={policy}",
        "--policy.device=cpu",
        # Predicted torques limit the grip, so that they can be seen to arrive.
        "--robot.torque.mode=limit",
        "--dataset.repo_id=softgrasp/rollout_emulated",
        f"--dataset.root={root}",
        f"--dataset.single_task={TASK}",
        "--dataset.num_episodes=1",
        "--dataset.episode_time_s=4",
        "--dataset.reset_time_s=0",
        "--dataset.streaming_encoding=true",
        "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
        "--play_sounds=false",
    )
    with Watch(rig) as watch:
        complete(command, home, root)

    rollout = LeRobotDataset("softgrasp/rollout_emulated", root=root)
    assert rollout.meta.features["action"]["names"] == list(STATE_KEYS)
    action, state = column(rollout, "action"), column(rollout, "observation.state")
    assert len(action) > 5, "it acted, at whatever rate this computer manages"
    assert np.isfinite(action).all()
    assert np.ptp(action[:, NUM_JOINTS:], axis=0).max() > 0.0, "torques are predicted, step by step"
    assert not np.allclose(action[:, NUM_JOINTS:], state[:, NUM_JOINTS:]), "and are not those measured"
    goals = np.array(watch.hand_goals)
    assert np.ptp(goals[:, 0], axis=0).max() > 20, "goal positions reach the motors of the hand"
    assert np.unique(goals[:, 1], axis=0).shape[0] > 2, "and so do the limits of current"
    assert not rig.glove_force_n.any()
    assert holds(rig)


def test_the_wearer_takes_over_from_the_policy(
    policy: Path, config: EmulateConfig, rig: EmulatedRig, home: Path
) -> None:
    root = config.output_dir / "corrections"
    command = lerobot_command(
        "lerobot-rollout",
        config,
        rig,
        f"--config_path={config.output_dir / 'rig.json'}",
        "--strategy.type=dagger",
        "--strategy.num_episodes=1",
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--fps=30",
        "--dataset.repo_id=softgrasp/rollout_corrections",
        f"--dataset.root={root}",
        f"--dataset.single_task={TASK}",
        "--dataset.streaming_encoding=true",
        "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
        "--play_sounds=false",
    )
    with Watch(rig) as watch:
        run_in_terminal(command, variables=command_environment(command, home), keys=CORRECT_ONCE, pause_s=6.0)

    corrections = LeRobotDataset("softgrasp/rollout_corrections", root=root)
    assert corrections.num_episodes == 1
    action, state = column(corrections, "action"), column(corrections, "observation.state")
    assert len(action) > 60, "six seconds of correction, at whatever rate this computer manages"
    assert np.abs(action[:, FINGERS] - state[:, FINGERS]).mean() < 0.05, "the hand follows the glove"
    assert state[:, NUM_JOINTS + THUMB_BEND].max() > 1.0, "into a grasp"
    assert np.array(watch.felt)[:, THUMB_BEND].max() > 2 * FELT_N, "which the wearer feels"
    assert column(corrections, "intervention").all(), "nothing of the policy's own is recorded"
    assert not rig.glove_force_n.any()
    assert holds(rig)


def rollout_config(config: EmulateConfig) -> Path:
    """The robot alone: a rollout takes no glove."""
    path = config.output_dir / "rollout.json"
    robot = json.loads((config.output_dir / "rig.json").read_text())["robot"]
    path.write_text(json.dumps({"robot": robot}))
    return path
