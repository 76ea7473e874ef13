from pathlib import Path

import pytest
import torch
from lerobot.configs.train import TrainPipelineConfig
from safetensors.torch import load_file

from softgrasp_plugin.experiments.frames import FrameCache
from softgrasp_plugin.experiments.training import last_checkpoint, train, trained_policy
from softgrasp_plugin.hub_configs import config_path

from ..commands.front_door import run_command
from .conftest import REPO_ID

OPTIONS = (
    "--policy.device=cpu",
    "--policy.image_size=[36,48]",
    "--policy.backbone_stages=1",
    "--policy.feature_dim=16",
    "--policy.head_hidden_dims=[32]",
    "--batch_size=4",
    "--log_freq=2",
    "--save_freq=3",
    "--seed=5",
)


def make_config(root: Path, output_dir: Path, steps: int) -> TrainPipelineConfig:
    arguments = [*OPTIONS, f"--steps={steps}", f"--dataset.repo_id={REPO_ID}", f"--dataset.root={root}"]
    cfg = TrainPipelineConfig.from_pretrained(config_path("train/recommended.yaml"), cli_args=arguments)
    cfg.output_dir = output_dir
    return cfg


def assert_same_weights(output_dir: Path, expected_dir: Path) -> None:
    """The same but for the order in which threads add up; a step of Adam moves a weight by 1e-3 at most."""
    ours, expected = (
        load_file(trained_policy(folder) / "model.safetensors") for folder in (output_dir, expected_dir)
    )
    assert ours.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5)


def test_progress_is_reported_and_the_policy_saved(
    demonstrations: Path, cache: FrameCache, tmp_path: Path
) -> None:
    steps = dict(train(make_config(demonstrations, tmp_path / "run", 5), cache))
    assert list(steps) == [2, 4, 5]
    assert all(numbers["loss"] > 0 and numbers["attention_torque"] > 0 for numbers in steps.values())
    assert last_checkpoint(tmp_path / "run").resolve().name == "000005"
    assert list(train(make_config(demonstrations, tmp_path / "run", 5), cache)) == [], "it is done"


def test_training_goes_on_from_the_last_checkpoint_as_if_it_had_not_stopped(
    demonstrations: Path, cache: FrameCache, tmp_path: Path
) -> None:
    for _ in train(make_config(demonstrations, tmp_path / "whole", 6), cache):
        pass
    for _ in train(make_config(demonstrations, tmp_path / "parts", 6), cache):
        break  # at step 2, before the first checkpoint
    for step, _ in train(make_config(demonstrations, tmp_path / "parts", 6), cache):
        if step == 4:  # after the checkpoint at step 3
            break
    resumed = [step for step, _ in train(make_config(demonstrations, tmp_path / "parts", 6), cache)]
    assert resumed == [4, 6]
    assert_same_weights(tmp_path / "parts", tmp_path / "whole")


@pytest.mark.slow
def test_the_weights_are_those_of_lerobot_train(
    demonstrations: Path, cache: FrameCache, tmp_path: Path, home: Path
) -> None:
    for _ in train(make_config(demonstrations, tmp_path / "ours", 3), cache):
        pass
    run_command(
        "lerobot-train",
        f"--config_path={config_path('train/recommended.yaml')}",
        *OPTIONS,
        "--steps=3",
        f"--dataset.repo_id={REPO_ID}",
        f"--dataset.root={demonstrations}",
        "--dataset.video_backend=pyav",
        "--num_workers=0",
        f"--output_dir={tmp_path / 'theirs'}",
        home=home,
    )
    assert_same_weights(tmp_path / "ours", tmp_path / "theirs")
