"""`softgrasp-train`: LeRobot's own training, with frames from memory."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ..commands.front_door import environment
from ..policies.synthetic import REPO_ID, make_dataset

OURS, THEIRS = "softgrasp_plugin.scripts.train", "lerobot.scripts.lerobot_train"
OPTIONS = (
    "--policy.type=softgrasp",
    "--policy.device=cpu",
    "--policy.push_to_hub=false",
    "--policy.backbone_stages=1",
    "--policy.feature_dim=16",
    "--policy.head_hidden_dims=[32]",
    "--dataset.video_backend=pyav",
    "--batch_size=8",
    "--num_workers=0",
    "--log_freq=2",
    "--save_freq=3",
    "--seed=5",
    # Adam would make a step of what rounding leaves of a gradient that is next to nothing.
    "--use_policy_training_preset=false",
    "--optimizer.type=sgd",
    "--optimizer.lr=1.0",
    "--scheduler.type=cosine_annealing_with_warmup",
    "--scheduler.num_warmup_steps=1",
)
SAME_SIZE, SMALLER = "--policy.image_size=[24,32]", "--policy.image_size=[18,24]"
NO_JITTER = tuple(f"--policy.color_jitter_{name}=0" for name in ("brightness", "contrast", "saturation"))
"""A resumed training draws other numbers than one that was not interrupted."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "dataset"
    return make_dataset(folder, episodes=3, frames=24, height=24, width=32, video=True)


def run(module: str, home: Path, *arguments: str, processes: int = 1) -> subprocess.CompletedProcess[str]:
    launcher = ["torch.distributed.run", "--standalone", f"--nproc_per_node={processes}", "-m"]
    return subprocess.run(
        [sys.executable, "-m", *(launcher if processes > 1 else []), module, *arguments],
        env=environment(home) | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def train(module: str, root: Path, output: Path, *more: str, processes: int = 1) -> str:
    data = f"--dataset.repo_id={REPO_ID}", f"--dataset.root={root}"
    arguments = (*OPTIONS, *data, f"--output_dir={output}", *more)
    result = run(module, output.parent, *arguments, processes=processes)
    assert result.returncode == 0, result.stdout[-5000:]
    return result.stdout


def checkpoint(output: Path, step: int) -> Path:
    return output / "checkpoints" / f"{step:06d}" / "pretrained_model"


def weights(output: Path, step: int) -> torch.Tensor:
    state = load_file(checkpoint(output, step) / "model.safetensors")
    return torch.cat([value.flatten() for _, value in sorted(state.items())])


def assert_same_training(output: Path, expected: Path, part: float = 0.01) -> None:
    way = weights(expected, 6) - weights(expected, 3)
    assert way.norm() > 0
    assert (weights(output, 6) - weights(expected, 6)).norm() < part * way.norm()


@pytest.mark.slow
def test_the_weights_are_those_of_lerobot_train(root: Path, tmp_path: Path) -> None:
    log = train(OURS, root, tmp_path / "ours", SAME_SIZE, "--steps=6")
    assert "72 samples come from memory, on cpu" in log
    assert list((tmp_path / "lerobot" / "softgrasp_frames").glob("*.npy"))
    train(THEIRS, root, tmp_path / "theirs", SAME_SIZE, "--steps=6")
    assert_same_training(tmp_path / "ours", tmp_path / "theirs")


@pytest.mark.slow
def test_frames_kept_at_the_policys_size_train_as_frames_resized_at_every_step(
    root: Path, tmp_path: Path
) -> None:
    train(OURS, root, tmp_path / "ours", SMALLER, "--steps=6")
    train(THEIRS, root, tmp_path / "theirs", SMALLER, "--steps=6")
    assert_same_training(tmp_path / "ours", tmp_path / "theirs", part=0.05)


@pytest.mark.slow
def test_it_resumes_lerobots_checkpoints_and_the_other_way_round(root: Path, tmp_path: Path) -> None:
    train(THEIRS, root, tmp_path / "whole", SAME_SIZE, "--steps=6", *NO_JITTER)
    for name, first, then in (("ours", THEIRS, OURS), ("theirs", OURS, THEIRS)):
        output = tmp_path / name
        train(first, root, output, SAME_SIZE, "--steps=6", *NO_JITTER)
        (output / "checkpoints" / "last").unlink()
        (output / "checkpoints" / "last").symlink_to("000003")
        config = output / "checkpoints" / "last" / "pretrained_model" / "train_config.json"
        result = run(then, tmp_path, f"--config_path={config}", "--resume=true")
        assert result.returncode == 0, result.stdout[-5000:]
        assert_same_training(output, tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_take_the_step_of_one_with_twice_the_batch(root: Path, tmp_path: Path) -> None:
    log = train(
        OURS, root, tmp_path / "two", SAME_SIZE, "--steps=6", "--batch_size=4", *NO_JITTER, processes=2
    )
    assert "4 x 2 = 8" in log
    train(OURS, root, tmp_path / "one", SAME_SIZE, "--steps=6", *NO_JITTER)
    assert_same_training(tmp_path / "two", tmp_path / "one", part=0.05)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("--dataset.streaming=true", "reads what does not fit"),
        ("--dataset.image_transforms.enable=true", "changes frames as they are decoded"),
    ],
)
def test_what_frames_in_memory_cannot_give_is_refused(
    root: Path, tmp_path: Path, option: str, reason: str
) -> None:
    data = f"--dataset.repo_id={REPO_ID}", f"--dataset.root={root}"
    result = run(OURS, tmp_path, "--policy.type=softgrasp", "--policy.push_to_hub=false", *data, option)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith("softgrasp-train: ")
    assert reason in result.stdout.splitlines()[-1]
