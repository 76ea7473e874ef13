"""LeRobot's and our own commands as processes whose Hub is the local one."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .server import LocalHub

TASK = "Grasp the object and lift it."
CAMERA = "{side: {type: softgrasp_sim, width: 64, height: 48, fps: 30}}"
ROBOT = ("--robot.type=ur3_dexhand_sim", f"--robot.cameras={CAMERA}", "--robot.objects=[object_01]")


@dataclass(frozen=True)
class Machine:
    """One user's machine: a home for the caches, empty at first, and perhaps a token.

    All that commands print is kept beside the caches, in `log`.
    """

    hub: LocalHub
    home: Path
    token: str | None = None

    @property
    def log(self) -> Path:
        return self.home / "commands.log"

    def start(self, name: str, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run a console script and return whatever came of it."""
        self.home.mkdir(parents=True, exist_ok=True)
        result = subprocess.run(
            [str(Path(sys.executable).parent / name), *arguments],
            cwd=self.home,
            # One thread: more of them only wait for each other over networks this small.
            env=self.hub.client_environment(self.home / "huggingface", self.token) | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        with self.log.open("a", encoding="utf-8") as log:
            log.write(result.stdout)
        return result

    def run(self, name: str, *arguments: str, timeout: float = 180) -> str:
        """Run a console script that must succeed; return what it printed."""
        result = self.start(name, *arguments, timeout=timeout)
        assert result.returncode == 0, f"{name} exited with {result.returncode}:\n{result.stdout[-6000:]}"
        return result.stdout


def record_arguments(repo_id: str, root: Path, episodes: int) -> list[str]:
    """Arguments of `lerobot-record` for short demonstrations that are pushed at the end."""
    return [
        *ROBOT,
        "--teleop.type=virtual_operator",
        f"--dataset.repo_id={repo_id}",
        f"--dataset.root={root}",
        f"--dataset.single_task={TASK}",
        f"--dataset.num_episodes={episodes}",
        "--dataset.episode_time_s=2",
        "--dataset.reset_time_s=0",
        "--dataset.streaming_encoding=true",
        "--dataset.no_stamp=true",
        "--dataset.push_to_hub=true",
        "--play_sounds=false",
    ]


def train_arguments(dataset: str, output: Path, policy: str | None = None) -> list[str]:
    """Arguments of `lerobot-train` for two steps of a very small policy, pushed if `policy` names it."""
    return [
        "--policy.type=softgrasp",
        "--policy.device=cpu",
        "--policy.image_size=[24, 32]",
        "--policy.backbone_stages=1",
        "--policy.feature_dim=16",
        "--policy.head_hidden_dims=[16]",
        f"--policy.push_to_hub={str(policy is not None).lower()}",
        *([f"--policy.repo_id={policy}"] if policy else []),
        f"--dataset.repo_id={dataset}",
        f"--output_dir={output}",
        "--batch_size=4",
        "--steps=2",
        "--num_workers=0",
        "--log_freq=1",
    ]
