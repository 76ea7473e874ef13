"""A hand without torque sensing: LeRobot's commands from a recording with the real drivers to a rollout."""

import json
from pathlib import Path

import numpy as np
import pytest

from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.joints import CLOSURE_KEYS, FINGERS
from softgrasp_plugin.scripts.emulate import EmulateConfig

from .emulated import Watch, column, complete, lerobot_command, record_command, recorded
from .front_door import run_command, start

pytestmark = pytest.mark.slow

NUMB = "--robot.hand.measures_torque=false"


@pytest.fixture
def config(tmp_path: Path) -> EmulateConfig:
    return EmulateConfig(camera="zmq", camera_width=160, camera_height=120, output_dir=tmp_path / "emulated")


def test_six_columns_are_recorded_trained_evaluated_and_rolled_out(
    rig: EmulatedRig, config: EmulateConfig, home: Path, tmp_path: Path
) -> None:
    command = record_command(config, rig, NUMB, "--dataset.episode_time_s=5")
    with Watch(rig) as watch:
        output = complete(command, home, config.output_dir / "dataset")
    assert "gives no feedback" in output
    assert not np.any(watch.felt), "the glove stays free"
    dataset = recorded(config.output_dir)
    for feature in ("observation.state", "action"):
        assert dataset.meta.features[feature]["names"] == list(CLOSURE_KEYS)
    assert np.ptp(column(dataset, "action")[:, FINGERS], axis=0).max() > 0.05

    train = [
        "--policy.type=softgrasp",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.image_size=[24,32]",
        "--policy.backbone_stages=1",
        "--policy.feature_dim=16",
        "--policy.head_hidden_dims=[32]",
        "--dataset.repo_id=softgrasp/emulated",
        f"--dataset.root={dataset.root}",
        f"--output_dir={tmp_path / 'training'}",
        "--steps=2",
        "--batch_size=2",
        "--num_workers=0",
        "--save_freq=2",
    ]
    refused = start("lerobot-train", *train, home=home)
    assert refused.returncode != 0
    modalities = '--policy.modalities=["image", "angle"]'
    assert '--policy.modalities=\'["image", "angle"]\'' in refused.stdout
    run_command("lerobot-train", *train, modalities, home=home)
    policy = tmp_path / "training" / "checkpoints" / "last" / "pretrained_model"

    evaluate = [
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--env.type=softgrasp_sim",
        "--env.task=object_01",
        "--env.episode_length=6",
        "--env.observation_height=120",
        "--env.observation_width=160",
        "--eval.n_episodes=1",
        "--eval.batch_size=1",
        f"--output_dir={tmp_path / 'eval'}",
    ]
    refused = start("lerobot-eval", *evaluate, home=home)
    assert "--env.measures_torque=false" in refused.stdout
    run_command("lerobot-eval", *evaluate, "--env.measures_torque=false", home=home)
    assert (tmp_path / "eval" / "eval_info.json").is_file()

    alone = tmp_path / "robot.json"  # a rollout takes no glove
    robot = json.loads((config.output_dir / "rig.json").read_text())["robot"]
    alone.write_text(json.dumps({"robot": robot}))
    rollout = lerobot_command(
        "lerobot-rollout",
        config,
        rig,
        f"--config_path={alone}",
        "--strategy.type=base",
        f"--policy.path={policy}",
        "--policy.device=cpu",
        "--fps=30",
        "--duration=3",
        "--play_sounds=false",
        NUMB,
    )
    with Watch(rig) as watch:
        complete(rollout, home)
    goals = np.array(watch.hand_goals)
    assert np.ptp(goals[:, 0], axis=0).max() > 20, "goal positions reach the motors of the hand"
