"""A wheel, installed in a clean environment beside LeRobot, offers every type under the stock commands."""

import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
HEAVY = {"mujoco", "torchvision", "matplotlib", "serial", "dynamixel_sdk", "rtde_control", "pyrealsense2"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that has the built wheel, and LeRobot's packages by reference instead of six
    gigabytes again.
    """
    home = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(home / "dist"), str(PROJECT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = (home / "dist").glob("lerobot_robot_softgrasp-*.whl")
    venv.create(home / "env", with_pip=True)
    python = home / "env" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    (site,) = (home / "env" / "lib").glob("python*/site-packages")
    # A path file adds the packages of this environment but does not run its own path files, so an editable
    # install is not seen.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


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
