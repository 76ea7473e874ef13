import subprocess
import sys

from .blocks import PROJECT


def test_the_reference_is_current() -> None:
    """Else: python docs/make_reference.py."""
    result = subprocess.run(
        [sys.executable, str(PROJECT / "docs" / "make_reference.py"), "--check"],
        env={"PYTHONPATH": str(PROJECT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-500:]
