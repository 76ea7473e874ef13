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


@pytest.mark.parametrize(
    ("name", "more", "option"),
    [
        ("doctor", "--robot.type=ur3_dexhand", "--robot.hand.type"),
        ("train", "--policy.type=softgrasp", "--policy.closure_shift"),
    ],
)
def test_help_says_where_the_options_of_lerobots_kind_are(name: str, more: str, option: str) -> None:
    def ask(*arguments: str) -> str:
        command = [sys.executable, "-m", f"softgrasp_plugin.scripts.{name}", *arguments, "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert f"softgrasp-{name} {more} --help" in ask()
    assert option in ask(more)
