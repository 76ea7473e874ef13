from pathlib import Path

import pytest

from .front_door import record_arguments, run_command


@pytest.fixture(scope="session")
def dataset(home: Path) -> Path:
    """Two grasps of object 1, recorded by `lerobot-record` with video."""
    root = home / "dataset"
    run_command("lerobot-record", *record_arguments(root, seconds=8), home=home)
    return root


@pytest.fixture(scope="session")
def policy(home: Path, dataset: Path) -> Path:
    """A policy trained for a few steps by `lerobot-train`; it acts, but badly."""
    run_command(
        "lerobot-train",
        "--policy.type=softgrasp",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.image_size=[36,48]",
        "--dataset.repo_id=softgrasp/test",
        f"--dataset.root={dataset}",
        f"--output_dir={home / 'training'}",
        "--steps=6",
        "--batch_size=4",
        "--num_workers=0",
        "--save_freq=6",
        "--log_freq=2",
        home=home,
    )
    return home / "training" / "checkpoints" / "last" / "pretrained_model"
