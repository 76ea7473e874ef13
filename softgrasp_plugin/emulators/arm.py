"""An emulated UR controller in its own process: `ur_rtde` holds Python's lock while it connects."""

import json
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np

from ..simulation.arm import forward

GRASP_JOINTS = (0.0, -1.1, 2.0, -2.5, -1.57, 0.1)
"""Where the emulated arm stands; radians."""

_POLL_S = 1 / 60


class EmulatedArm:
    """Starts the controller and follows the height of its arm; a context manager.

    Args:
        host: loopback address of the controller.
        model: ur3 or ur3e.

    Raises:
        RuntimeError: if the controller does not start.
    """

    def __init__(self, host: str, model: str) -> None:
        self._grasp_height_m = float(forward(np.array(GRASP_JOINTS)).position[2])
        self._height_m = 0.0
        options = [f"--host={host}", f"--model={model}", f"--joints={list(GRASP_JOINTS)}"]
        command = [sys.executable, "-P", "-m", f"{__package__}.ur_controller", *options]
        # Ctrl-C is for us, and we tell the controller.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        if self._process.stdout is None or self._process.stdout.readline() != "ready\n":
            self._process.kill()
            raise RuntimeError(
                f"The emulated UR controller did not start at {host}; give --arm_host another loopback "
                "address, such as 127.0.0.4, if that one is taken."
            )
        self._asking = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="emulated arm", daemon=True)
        self._thread.start()

    def __enter__(self) -> "EmulatedArm":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._process.communicate("quit\n")

    def height_m(self) -> float:
        """Height above the grasp pose, metres."""
        return self._height_m

    def ask(self, command: str) -> dict[str, Any]:
        """Give one of the controller's commands; returns its state."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            state: dict[str, Any] = json.loads(self._process.stdout.readline())
        return state

    def _follow(self) -> None:
        while not self._stop.is_set():
            self._height_m = self.ask("state")["height_m"] - self._grasp_height_m
            time.sleep(_POLL_S)
