"""An emulated UR controller in its own process, for tests."""

import itertools
import json
import os
import subprocess
import sys
from typing import Any

from softgrasp_plugin.emulators import ur_controller

GRASP_JOINTS = (0.0, -1.1, 2.0, -2.5, -1.57, 0.1)
_NUMBERS = itertools.count(1)
_START_JOINTS = [0.02, -1.08, 2.03, -2.48, -1.59, 0.08]


def own_address() -> str:
    """A loopback address that nobody else uses: a controller's ports are fixed, and test runs may overlap."""
    pid = os.getpid()
    return f"127.{next(_NUMBERS)}.{pid >> 8 & 0xFF}.{pid & 0xFF or 1}"


class URControllerProcess:
    """Context manager; the arm stands near `GRASP_JOINTS` at the start.

    Args:
        model: ur3 or ur3e.
    """

    def __init__(self, model: str = "ur3") -> None:
        self.host = own_address()
        options = [f"--host={self.host}", f"--model={model}", f"--joints={_START_JOINTS}"]
        self._command = [sys.executable, "-P", "-m", ur_controller.__name__, *options]

    def __enter__(self) -> "URControllerProcess":
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate("quit\n")

    def ask(self, command: str) -> dict[str, Any]:
        """Give a command; returns the controller's state."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())
