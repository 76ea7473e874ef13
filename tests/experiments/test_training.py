from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from lerobot.configs.train import TrainPipelineConfig
from safetensors.torch import load_file

from softgrasp_plugin.experiments.pieces import last_checkpoint
from softgrasp_plugin.experiments.training import train
from softgrasp_plugin.hub_configs import config_path

from ..commands.front_door import run_command
from .conftest import REPO_ID

OPTIONS = (
    "--policy.device=cpu",
    "--policy.use_amp=false",
    "--policy.image_size=[36,48]",
    "--policy.backbone_stages=1",
    "--policy.feature_dim=16",
    "--policy.head_hidden_dims=[32]",
    "--batch_size=4",
    "--log_freq=2",
    "--save_freq=3",
    "--scheduler.num_warmup_steps=1",
    # Adam would make a step of what rounding leaves of a gradient that is next to nothing; small steps of SGD
    # would be lost in the rounding of the weights.
    "--optimizer.type=sgd",
    "--optimizer.lr=1.0",
    "--seed=5",
)


NOT_AUGMENTED = (
    *(f"--policy.color_jitter_{name}=0" for name in ("brightness", "contrast", "saturation")),
    "--policy.closure_shift=0",
)
"""LeRobot's data loader draws a random number whenever it starts, so a resumed run is augmented otherwise."""


def make_config(root: Path, output_dir: Path, steps: int, *extra: str) -> TrainPipelineConfig:
    arguments = [
        *OPTIONS,
        *extra,
        f"--steps={steps}",
        f"--dataset.repo_id={REPO_ID}",
        f"--dataset.root={root}",
    ]
    cfg = TrainPipelineConfig.from_pretrained(config_path("train/recommended.yaml"), cli_args=arguments)
    cfg.output_dir = output_dir
    return cfg


@pytest.fixture
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads add up in any order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    torch.set_num_threads(before)


def weights(output_dir: Path, step: int) -> torch.Tensor:
    """All weights of a checkpoint, one after the other."""
    folder = output_dir / "checkpoints" / f"{step:06d}" / "pretrained_model"
    return torch.cat(
        [value.flatten() for _, value in sorted(load_file(folder / "model.safetensors").items())]
    )


def assert_same_training(output_dir: Path, expected_dir: Path) -> None:
    """Where six steps lead is the same, up to a hundredth of the way of the last three: rounding differs with
    the layout of the weights in memory.
    """
    way = weights(expected_dir, 6) - weights(expected_dir, 3)
    assert way.norm() > 0
    assert (weights(output_dir, 6) - weights(expected_dir, 6)).norm() < 0.01 * way.norm()


def test_progress_is_reported_and_the_policy_saved(demonstrations: Path, tmp_path: Path) -> None:
    steps = dict(train(make_config(demonstrations, tmp_path / "run", 5)))
    assert list(steps) == [2, 4, 5]
    assert all(numbers["loss"] > 0 and numbers["attention_torque"] > 0 for numbers in steps.values())
    assert last_checkpoint(tmp_path / "run").resolve().name == "000005"
    assert list(train(make_config(demonstrations, tmp_path / "run", 5))) == [], "it is done"


@pytest.mark.usefixtures("one_thread")
def test_training_goes_on_from_the_last_checkpoint_as_if_it_had_not_stopped(
    demonstrations: Path, tmp_path: Path
) -> None:
    for _ in train(make_config(demonstrations, tmp_path / "whole", 6, *NOT_AUGMENTED)):
        pass
    for _ in train(make_config(demonstrations, tmp_path / "parts", 6, *NOT_AUGMENTED)):
        break  # at step 2, before the first checkpoint
    for step, _ in train(make_config(demonstrations, tmp_path / "parts", 6, *NOT_AUGMENTED)):
        if step == 4:  # after the checkpoint at step 3
            break
    resumed = [step for step, _ in train(make_config(demonstrations, tmp_path / "parts", 6, *NOT_AUGMENTED))]
    assert resumed == [4, 6]
    assert_same_training(tmp_path / "parts", tmp_path / "whole")


def test_another_precision_in_the_same_process_is_refused_and_not_taken_over(
    demonstrations: Path, tmp_path: Path
) -> None:
    next(train(make_config(demonstrations, tmp_path / "half", 2, "--policy.use_amp=true")))
    with pytest.raises(ValueError, match="AcceleratorState"):
        next(train(make_config(demonstrations, tmp_path / "full", 2)))


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_the_weights_are_those_of_lerobot_train(demonstrations: Path, tmp_path: Path, home: Path) -> None:
    for _ in train(make_config(demonstrations, tmp_path / "ours", 6)):
        pass
    run_command(
        "lerobot-train",
        f"--config_path={config_path('train/recommended.yaml')}",
        *OPTIONS,
        "--steps=6",
        f"--dataset.repo_id={REPO_ID}",
        f"--dataset.root={demonstrations}",
        "--dataset.video_backend=pyav",
        "--num_workers=0",
        f"--output_dir={tmp_path / 'theirs'}",
        home=home,
    )
    assert_same_training(tmp_path / "ours", tmp_path / "theirs")
