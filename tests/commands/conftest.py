from collections.abc import Iterator
from pathlib import Path

import pytest

from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig

from .front_door import record_arguments, run_command


@pytest.fixture(scope="session")
def dataset(home: Path) -> Path:
    """Two grasps of object 1, recorded by `lerobot-record` with video."""
    root = home / "dataset"
    run_command("lerobot-record", *record_arguments(root, seconds=8), home=home)
    return root


def _train(home: Path, dataset: Path, policy_type: str, *options: str) -> Path:
    output_dir = home / f"training_{policy_type}"
    run_command(
        "lerobot-train",
        f"--policy.type={policy_type}",
        "--policy.device=cpu",
        "--policy.push_to_hub=false",
        "--policy.image_size=[36,48]",
        "--dataset.repo_id=softgrasp/test",
        f"--dataset.root={dataset}",
        f"--output_dir={output_dir}",
        "--steps=6",
        "--batch_size=4",
        "--num_workers=0",
        "--save_freq=6",
        "--log_freq=2",
        *options,
        home=home,
    )
    return output_dir / "checkpoints" / "last" / "pretrained_model"


@pytest.fixture(scope="session")
def policy(home: Path, dataset: Path) -> Path:
    """A policy trained for a few steps by `lerobot-train`; it acts, but badly."""
    return _train(home, dataset, "softgrasp")


@pytest.fixture(scope="session")
def act_policy(home: Path, dataset: Path) -> Path:
    """The same of the comparison strategy that is LeRobot's own ACT within."""
    small = ("--policy.chunk_size=10", "--policy.n_action_steps=1", "--policy.dim_model=64")
    return _train(home, dataset, "softgrasp_act", *small)


@pytest.fixture
def rig(config: EmulateConfig) -> Iterator[EmulatedRig]:
    """The emulated rig of the test's own `config`."""
    with emulated_rig(config) as rig:
        yield rig
