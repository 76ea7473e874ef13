"""A run is trained by LeRobot's own loop, and goes on from its last checkpoint."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from softgrasp_plugin.experiments.pieces import Run, last_checkpoint
from softgrasp_plugin.experiments.plan import CONFIGURATIONS, PROFILES
from softgrasp_plugin.experiments.runs import dataset_root, train_run

OPTIONS = (
    "--policy.use_amp=false",
    "--policy.image_size=[36,48]",
    "--policy.backbone_stages=1",
    "--policy.feature_dim=16",
    "--policy.head_hidden_dims=[32]",
    # LeRobot's data loader draws a random number whenever it starts, so a resumed run is augmented otherwise.
    *(f"--policy.color_jitter_{name}=0" for name in ("brightness", "contrast", "saturation")),
    "--policy.closure_shift=0",
    "--batch_size=4",
    "--steps=6",
    "--log_freq=2",
    "--save_freq=3",
    "--scheduler.num_warmup_steps=1",
    # Adam would make a step of what rounding leaves of a gradient that is next to nothing; small steps of SGD
    # would be lost in the rounding of the weights.
    "--optimizer.type=sgd",
    "--optimizer.lr=1.0",
)


def make_run(home: Path, demonstrations: Path) -> Run:
    profile = replace(PROFILES["quick"], options=OPTIONS, network={})
    run = Run(CONFIGURATIONS["softgrasp"], 0, profile, home)
    root = dataset_root(home, "dart")
    root.parent.mkdir(parents=True)
    root.symlink_to(demonstrations)
    return run


def train(run: Run, until: int = 6) -> list[str]:
    """Train and be killed right after that step; returns what was reported."""
    said: list[str] = []

    def report(text: str) -> None:
        said.append(text)
        if f"step {until}/" in text and until < 6:
            raise KeyboardInterrupt

    try:
        train_run(run, "cpu", report)
    except KeyboardInterrupt:
        assert until < 6
    return said


def rows(run: Run) -> list[dict]:
    return [json.loads(line) for line in (run.folder / "training.jsonl").read_text().splitlines()]


def weights(run: Run, step: int) -> torch.Tensor:
    """All weights of a checkpoint, one after the other."""
    folder = run.folder / "checkpoints" / f"{step:06d}" / "pretrained_model"
    return torch.cat(
        [value.flatten() for _, value in sorted(load_file(folder / "model.safetensors").items())]
    )


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads add up in any order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_training_goes_on_from_the_last_checkpoint_as_if_it_had_not_stopped(
    demonstrations: Path, tmp_path: Path
) -> None:
    whole, parts = (make_run(tmp_path / name, demonstrations) for name in ("whole", "parts"))
    assert [text.split(",")[0] for text in train(whole)] == ["step 2/6", "step 4/6", "step 6/6"]
    assert torch.get_num_threads() == 1
    assert last_checkpoint(whole.folder).resolve().name == "000006"
    assert all(row["loss"] > 0 and 0 < row["attention_torque"] < 1 for row in rows(whole))
    elapsed = [row["elapsed_s"] for row in rows(whole)]
    assert 0 < elapsed[0] < elapsed[1] < elapsed[2]

    train(parts, until=2)  # before the first checkpoint
    train(parts, until=4)  # after the checkpoint at step 3
    train(parts)
    assert [row["step"] for row in rows(parts)] == [2, 4, 4, 6], "what led to no checkpoint is forgotten"
    # Rounding differs with the layout of the weights in memory.
    way = weights(whole, 6) - weights(whole, 3)
    assert way.norm() > 0
    assert (weights(parts, 6) - weights(whole, 6)).norm() < 0.01 * way.norm()
    assert train(parts) == [], "it is done"


def test_frames_are_decoded_once_for_all_pieces_of_work(demonstrations: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path, demonstrations)
    train(run, until=2)
    (frames,) = (tmp_path / "datasets" / "dart.frames").glob("*.npy")
    before = frames.stat().st_mtime_ns
    train(run, until=2)
    assert frames.stat().st_mtime_ns == before


def test_a_policy_that_was_tried_and_is_gone_is_not_trained_over_its_trials(
    demonstrations: Path, tmp_path: Path
) -> None:
    run = make_run(tmp_path, demonstrations)
    (run.folder / "trials" / "nominal").mkdir(parents=True)
    with pytest.raises(ValueError, match="holds trials of a policy that is gone"):
        train(run)
    assert (run.folder / "trials" / "nominal").exists()
