"""Every command in the documentation runs: from a folder that is not the checkout, with the wheel installed,
with a local Hub in place of Hugging Face's.

The commands are those of the page, letter by letter. Stand-ins of the same names, first on the path, put
options at their end that make long ones short. They take minutes: `make docs-check` runs them, and CI beside
the tests.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..datasets.synthetic import write_recording
from ..hub.server import LocalHub
from ..installed import install_wheel
from .blocks import PROJECT, Block, all_blocks

pytestmark = pytest.mark.slow

USER, TOKEN = "stranger", "hf_theSecretOfTheStranger"

_TRAIN = [
    "--steps=2",
    "--save_freq=2",
    "--batch_size=2",
    "--num_workers=0",
    "--log_freq=1",
    "--policy.device=cpu",
]
SHORTER = {
    "lerobot-record": ["--dataset.num_episodes=2", "--dataset.episode_time_s=3"],
    "lerobot-train": _TRAIN,
    "softgrasp-train": _TRAIN,
    "lerobot-eval": [
        "--eval.n_episodes=1",
        "--eval.batch_size=1",
        "--env.episode_length=10",
        "--policy.device=cpu",
    ],
    "lerobot-rollout": ["--policy.device=cpu", "--duration=2"],
    "softgrasp-benchmark": [
        "--profile=quick",
        '--configurations=["operator"]',
        "--trials=1",
        "--device=cpu",
    ],
}
"""Options that make a command short; of one that is given twice, the last counts."""

OF_A_DOCUMENT = {
    "docs/look.md": ["--dataset.episode_time_s=2"],
    "hub_configs/train/demo.yaml": [],  # its checkpoint is what the next documents use
    "hub_configs/rollout/episodic.yaml": ["--dataset.num_episodes=1", "--dataset.episode_time_s=2"],
}
"""The same, for the commands of one document."""

OF_A_FOLDER = {"hub_configs/train/": ["--save_checkpoint=false"]}
"""The same, for those of a folder, where no document has options of its own."""

ELSEWHERE = {
    "README.md: make demo": "CI runs `make test`, whose slow tests take the demo's commands one by one",
    "README.md: pip install -c constraints.txt .": "the wheel that these tests install",
    "README.md: lerobot-record --config_path=hub_configs/record/hardware.yaml": (
        "tests/commands/test_emulated_hardware.py"
    ),
    "hub_configs/record/hardware.yaml: lerobot-calibrate --robot.type=ur3_dexhand --robot.id=rh56": (
        "tests/commands/test_calibrate.py"
    ),
    "CONTRIBUTING.md: make test-fast": "CI's own steps, in the checkout",
    "hub_configs/train/table4/loss_factor": "the loop of hub_configs/README.md takes them one by one",
    # It skips where diffusers is not installed.
    "hub_configs/train/lerobot/diffusion.yaml: lerobot-train": "tests/commands/test_policy_commands.py",
    "docs/fast_training.md: torchrun --nproc_per_node=4": "tests/scripts/test_train.py",
    "hub_configs/rollout/dagger.yaml: lerobot-rollout --config_path=hub_configs/rollout/dagger.yaml": (
        "tests/commands/test_policy_commands.py"
    ),
    "docs/cluster.md: pip install 'lerobot_robot_softgrasp[cluster]'": "tests/experiments/test_engines.py",
    "docs/hardware.md: softgrasp-emulate": "tests/commands/test_emulated_rig.py",
    "docs/hardware.md: lerobot-calibrate --robot.type=ur3_dexhand --robot.id=hand": (
        "tests/commands/test_calibrate.py"
    ),
}
"""Blocks that need a rig, keys pressed, a cluster or an hour, by the beginning of their name: what runs the
same instead.
"""

RUN = [block for block in all_blocks() if not any(block.name.startswith(name) for name in ELSEWHERE)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator["World"]:
    home = tmp_path_factory.mktemp("stranger")
    with LocalHub(home / "hub", {TOKEN: USER}) as hub:
        yield World(home, hub)


def _options_of(document: str) -> list[str]:
    if document in OF_A_DOCUMENT:
        return OF_A_DOCUMENT[document]
    return next((more for folder, more in OF_A_FOLDER.items() if document.startswith(folder)), [])


class World:
    """A stranger's computer: the installed package, a folder to work in, a Hub."""

    def __init__(self, home: Path, hub: LocalHub) -> None:
        self.python = install_wheel(home)
        self.folder = home / "work"
        self.folder.mkdir()
        write_recording(self.folder / "path" / "to", "recordings")
        self._commands = home / "commands"
        self._commands.mkdir()
        variables = hub.client_environment(home / "huggingface", TOKEN)
        variables.pop("PYTHONPATH", None)
        self._lerobot = home / "huggingface" / "lerobot"
        self._variables = {
            **variables,
            "HF_USER": USER,
            "HF_LEROBOT_HOME": str(self._lerobot),
            "OMP_NUM_THREADS": "1",
            "PATH": os.pathsep.join([str(self._commands), str(self.python.parent), variables["PATH"]]),
        }
        module = "lerobot.scripts.lerobot_"
        for verb in ("record", "train", "eval", "rollout", "replay", "teleoperate", "calibrate"):
            self._stand_in(f"lerobot-{verb}", f"{self.python} -m {module}{verb}")
        for name in ("softgrasp-benchmark", "softgrasp-train"):
            self._stand_in(name, str(self.python.parent / name))

    def run(self, block: Block) -> subprocess.CompletedProcess[str]:
        more = " ".join(f"'{option}'" for option in _options_of(block.document))
        self._provide(block)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block.commands],
            cwd=self.folder,
            env=self._variables | {"SHORTER": more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=800,
            check=False,
        )

    def _stand_in(self, name: str, command: str) -> None:
        options = " ".join(f"'{option}'" for option in SHORTER.get(name, []))
        script = self._commands / name
        lines = ["#!/bin/bash", 'eval "more=($SHORTER)"', f'exec {command} "$@" {options} "${{more[@]}}"', ""]
        script.write_text("\n".join(lines))
        script.chmod(0o755)

    def _provide(self, block: Block) -> None:
        """What a page takes for granted: demonstrations of one's own, under the name that stands there."""
        place = self._lerobot / "you" / "your_demonstrations"
        if "you/your_demonstrations" in block.commands and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(self._lerobot / USER / "steel_bottle")
        if "data/bottle" in block.commands:
            shutil.copytree(self._lerobot / USER / "steel_bottle", self.folder / "data" / "bottle")


@pytest.mark.skipif(os.environ.get("SOFTGRASP_DOCS") != "all", reason="make docs-check runs it")
@pytest.mark.parametrize("block", RUN, ids=lambda block: block.name)
def test_a_block_of_commands_runs(world: World, block: Block) -> None:
    result = world.run(block)
    assert result.returncode == 0, (
        f"{block.commands}exited with {result.returncode}:\n{result.stdout[-5000:]}"
    )


def test_nothing_is_left_out_for_no_reason() -> None:
    names = [block.name for block in all_blocks()]
    assert [start for start in ELSEWHERE if not any(name.startswith(start) for name in names)] == []
    for reason in ELSEWHERE.values():
        assert not reason.startswith("tests/") or (PROJECT / reason).is_file()
