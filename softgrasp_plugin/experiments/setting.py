"""What a benchmark ran on and with: everything needed to read its numbers and to run it again."""

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args

import torch

from .plan import PROFILES, Demonstrations, Profile

_PACKAGES = ("lerobot_robot_softgrasp", "lerobot", "torch", "torchvision", "mujoco", "numpy")


@dataclass(frozen=True)
class Setting:
    """Circumstances of a whole benchmark, in plain values.

    Attributes:
        command: what was typed.
        commits: of the sources with which results were written, in order, `-dirty` after local changes; empty
            outside a checkout.
        versions: of Python and of the packages that decide the numbers.
        machine: `processor`, `cores`, `system`, and `gpu` or None.
        profile_name: which of the profiles.
        profile: its fields.
        demonstrations: fields of `DemonstrationConfig` by kind.
    """

    command: str
    commits: tuple[str, ...]
    versions: dict[str, str]
    machine: dict[str, Any]
    profile_name: str
    profile: dict[str, Any]
    demonstrations: dict[str, dict[str, Any]]


def describe_setting(profile: Profile, command: str, earlier_commits: Sequence[str] = ()) -> Setting:
    """Circumstances of a benchmark that runs now, here.

    Args:
        profile: how much is run.
        command: what was typed.
        earlier_commits: with which the benchmark was begun.
    """
    kinds = get_args(Demonstrations.__value__)
    commits = [*earlier_commits, *_commit()]
    return Setting(
        command=command,
        commits=tuple(dict.fromkeys(commits)),
        versions={"python": platform.python_version(), **_versions()},
        machine={
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": platform.system(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
        profile_name=profile.name + (", changed" if profile != PROFILES[profile.name] else ""),
        profile=asdict(profile),
        demonstrations={kind: asdict(profile.demonstrations(kind)) for kind in kinds},
    )


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # a checkout on the path, without being installed
            continue
    return versions


def _commit() -> list[str]:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [done.stdout.strip()]


def _processor() -> str:
    """The processor's own name where Linux tells it, else its family."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
