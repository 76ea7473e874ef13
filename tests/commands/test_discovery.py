"""A wheel, installed in a clean environment beside LeRobot, offers every type under the stock commands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ..installed import install_wheel

HEAVY = {"mujoco", "torchvision", "matplotlib", "serial", "dynamixel_sdk", "rtde_control", "pyrealsense2"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(tmp_path_factory.mktemp("wheel"))


def _run(python: Path, *arguments: str) -> str:
    result = subprocess.run(
        [str(python), *arguments], capture_output=True, text=True, cwd=python.parent, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.slow
def test_the_wheel_is_what_is_imported(installed: Path) -> None:
    where = _run(installed, "-c", "import softgrasp_plugin; print(softgrasp_plugin.__file__)")
    assert str(installed.parents[1]) in where


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "types"),
    [
        ("lerobot_teleoperate", {"ur3_dexhand_sim", "virtual_operator", "force_glove"}),
        ("lerobot_record", {"ur3_dexhand_sim", "virtual_operator", "force_glove"}),
        ("lerobot_replay", {"ur3_dexhand_sim"}),
        ("lerobot_calibrate", {"force_glove"}),
        ("lerobot_train", {"softgrasp", "softgrasp_act", "softgrasp_timesformer", "softgrasp_sim"}),
        ("lerobot_eval", {"softgrasp_sim"}),
        ("lerobot_rollout", {"ur3_dexhand_sim", "virtual_operator", "force_glove"}),
    ],
)
def test_stock_commands_offer_the_types(installed: Path, script: str, types: set[str]) -> None:
    options = _run(installed, "-m", f"lerobot.scripts.{script}", "--help")
    offered = set(re.findall(r"[\w]+", options))
    assert types <= offered


@pytest.mark.slow
@pytest.mark.parametrize("script", ["lerobot_record", "lerobot_train", "lerobot_eval", "lerobot_rollout"])
def test_registering_loads_nothing_heavy(script: str) -> None:
    """LeRobot imports the plugin at every command; beyond its own modules only configurations may load."""
    code = (
        f"import sys, lerobot.scripts.{script}; before = set(sys.modules); import lerobot_robot_softgrasp; "
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(result.stdout.split())
