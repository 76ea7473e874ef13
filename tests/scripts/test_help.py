"""`--help` answers at once: nothing that takes seconds to import is loaded for it."""

import subprocess
import sys

import pytest

ASK = """
import sys
sys.argv = ["softgrasp", "--help"]
from softgrasp_plugin.scripts.{name} import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
slow = {{"torch", "lerobot", "mujoco", "matplotlib.pyplot", "pandas"}} & set(sys.modules)
assert not slow, slow
"""


@pytest.mark.parametrize(
    "name",
    [
        "demo",
        "benchmark",
        "card",
        "doctor",
        "emulate",
        "fit_mapping",
        "import_recordings",
        "plot",
        "resize",
        "train",
    ],
)
def test_help_loads_nothing_slow(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", ASK.format(name=name)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "usage: " in result.stdout


def test_the_doctor_says_where_the_options_of_devices_are() -> None:
    def ask(*more: str) -> str:
        command = [sys.executable, "-m", "softgrasp_plugin.scripts.doctor", *more, "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "softgrasp-doctor --robot.type=ur3_dexhand --help" in ask()
    assert "--robot.hand.type" in ask("--robot.type=ur3_dexhand")


def test_the_training_says_where_lerobots_options_are() -> None:
    def ask(*more: str) -> str:
        command = [sys.executable, "-m", "softgrasp_plugin.scripts.train", *more, "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert "softgrasp-train --policy.type=softgrasp --help" in ask()
    assert "--policy.closure_shift" in ask("--policy.type=softgrasp")
