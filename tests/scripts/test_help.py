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
slow = {{"torch", "lerobot.configs", "lerobot.datasets", "matplotlib.pyplot", "pandas"}} & set(sys.modules)
assert not slow, slow
"""


@pytest.mark.parametrize(
    "name", ["demo", "benchmark", "card", "fit_mapping", "import_recordings", "plot", "resize"]
)
def test_help_loads_nothing_slow(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", ASK.format(name=name)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "usage: " in result.stdout
