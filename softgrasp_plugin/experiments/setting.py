"""What a benchmark ran on and with: everything needed to read its numbers and to run it again."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, get_args

import torch

from .plan import Demonstrations, Profile

_PACKAGES = ("lerobot_robot_softgrasp", "lerobot", "torch", "torchvision", "mujoco", "numpy")


@dataclass(frozen=True)
class Setting:
    """Circumstances of a whole benchmark, in plain values.

    Attributes:
        command: what was typed.
        commit: of the sources, with `-dirty` after local changes; None outside a checkout.
        versions: of Python and of the packages that decide the numbers.
        machine: `processor`, `cores`, `system`, `device`.
        profile_name: which of the profiles.
        profile: its fields.
        demonstrations: fields of `DemonstrationConfig` by kind.
    """

    command: str
    commit: str | None
    versions: dict[str, str]
    machine: dict[str, Any]
    profile_name: str
    profile: dict[str, Any]
    demonstrations: dict[str, dict[str, Any]]


def describe_setting(command: str, profile_name: str, profile: Profile, device: str) -> Setting:
    """Circumstances of a benchmark that starts now, here.

    Args:
        command: what was typed.
        profile_name: name of the profile.
        profile: how much is run.
        device: what policies run on: cpu, cuda, …
    """
    kinds = get_args(Demonstrations.__value__)
    return Setting(
        command=command,
        commit=_commit(),
        versions={"python": platform.python_version(), **_versions()},
        machine={
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": platform.system(),
            "device": torch.cuda.get_device_name() if device.startswith("cuda") else device,
        },
        profile_name=profile_name,
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


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _processor() -> str:
    """The processor's own name where Linux tells it, else its family."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()
