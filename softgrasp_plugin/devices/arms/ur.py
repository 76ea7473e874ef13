"""A UR3 or UR3e that stands at the grasp pose and lifts."""

import atexit
import contextlib
import importlib.util
import logging
import os
import subprocess
import sys
import threading
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import numpy as np
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from ..errors import DeviceLostError
from .config import URArmConfig
from .ur_link import arm_name

logger = logging.getLogger(__name__)

INSTALL_LINE = "pip install 'lerobot_robot_softgrasp[ur]'"

_SETUP_TIMEOUT_S = 20.0
"""From the start of the helper process to its first word; ur_rtde takes 2 s when all is well."""

_SILENT_AFTER_S = 0.4
"""Together with its own 0.05 s of heartbeat, a helper that hangs is known within half a second."""

_END_TIMEOUT_S = 4.0


class URArm:
    """The `Arm` protocol over a UR controller.

    The controller is driven from a helper process (`ur_process`); here nothing ever blocks on it.

    Args:
        config: the arm.
    """

    def __init__(self, config: URArmConfig) -> None:
        self.config = config
        self._helper: _Helper | None = None

    def __str__(self) -> str:
        return arm_name(self.config)

    @property
    def is_connected(self) -> bool:
        return self._helper is not None

    @property
    def fault(self) -> Exception | None:
        """Why the arm has stopped, if it has; known within 0.5 s."""
        return None if self._helper is None else self._helper.fault

    def connect(self) -> None:
        """Connect, plan the lift, and move to the grasp pose.

        Raises:
            ImportError: if `ur_rtde` is not installed.
            DeviceLostError: if the controller does not answer.
            DeviceFaultError: if the arm has stopped, stands too far from the grasp pose, or cannot lift from
            there.
        """
        if self._helper is not None:
            raise DeviceAlreadyConnectedError(f"{self} is already connected.")
        _require_ur_rtde()
        helper = _Helper(self.config)
        try:
            helper.await_ready()
        except BaseException:
            helper.end()
            raise
        self._helper = helper
        atexit.register(self.disconnect)

    def command_lift(self, height_m: float) -> None:
        """Set the wanted height above the grasp pose; it is approached within the configured limits.

        Raises:
            DeviceNotConnectedError: before connect.
            DeviceLostError: if the link was lost since.
            DeviceFaultError: if the arm has stopped since.
            ValueError: if the height is not finite.
        """
        if self._helper is None:
            raise DeviceNotConnectedError(f"{self} is not connected; call connect() first.")
        if not np.isfinite(height_m):
            raise ValueError(f"{self}: the height of the lift must be finite, got {height_m}.")
        self._helper.command_lift(min(max(height_m, 0.0), self.config.max_height_m))

    def disconnect(self) -> None:
        """Stop where the arm stands, leave servo mode and hang up; takes 4 s at most, also on a dead link."""
        helper, self._helper = self._helper, None
        if helper is not None:
            atexit.unregister(self.disconnect)
            helper.end()


class _Helper:
    """The helper process, and a thread that listens to it."""

    def __init__(self, config: URArmConfig) -> None:
        self.fault: Exception | None = None
        self._name = arm_name(config)
        self._state = "starting"
        self._has_moved = self._stands = False
        self._ending = False
        self._heard = threading.Event()
        self._connection, other_end = Pipe()
        self._process = _start_process(other_end)
        other_end.close()
        self._connection.send(("config", config))
        self._thread = threading.Thread(target=self._listen, name=f"{self._name} helper", daemon=True)
        self._thread.start()

    def await_ready(self) -> None:
        """Wait until the arm stands at the grasp pose.

        Raises:
            Exception: whatever kept it from there.
        """
        deadline = time.monotonic() + _SETUP_TIMEOUT_S
        while self._state != "ready":
            self._heard.wait(0.1)
            self._heard.clear()
            if self.fault is not None:
                raise self.fault
            if self._state == "starting" and time.monotonic() > deadline:
                raise self._lost(f"the controller did not get ready within {_SETUP_TIMEOUT_S:.0f} s.")

    def command_lift(self, height_m: float) -> None:
        """Pass a height on.

        Raises:
            Exception: why the arm has stopped.
        """
        if self.fault is not None:
            raise self.fault
        with contextlib.suppress(BrokenPipeError):  # the listening thread finds out why
            self._connection.send(("lift", height_m))

    def end(self) -> None:
        """Let the helper stop the arm and hang up, or kill it where it cannot."""
        is_lost = isinstance(self.fault, DeviceLostError)
        self._ending = True
        with contextlib.suppress(OSError):
            self._connection.send(("stop", None))
        try:
            self._process.wait(0.0 if is_lost else _END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            # The controller's watchdog stops the arm.
            self._process.kill()
            self._process.wait()
        self._thread.join()
        self._connection.close()
        if self._stands:
            logger.info("%s stands.", self._name)
        elif self._has_moved:
            logger.warning(
                "%s: whether it stands could not be verified. Keep away until you have seen it stand; its "
                "own watchdog stops it.",
                self._name,
            )

    def _listen(self) -> None:
        timeout_s = None
        try:
            # Stopping and hanging up take longer than a heartbeat; `end` has a patience of its own.
            while self._connection.poll(timeout_s) or self._ending:
                kind, *rest = self._connection.recv()
                if kind == "stopped":
                    (self._stands,) = rest
                    return
                if kind == "fault":
                    error_class, arguments = rest
                    self._fail(error_class(*arguments))
                    timeout_s = None  # it now stops the arm and hangs up, or `end` kills it
                    continue
                self._state, timeout_s = kind, _SILENT_AFTER_S
                self._has_moved = True
                self._heard.set()
            problem = f"its helper process has been silent for {_SILENT_AFTER_S} s."
        except (EOFError, OSError):
            problem = "its helper process died."
        if not self._ending and self.fault is None:
            self._fail(self._lost(problem))

    def _fail(self, error: Exception) -> None:
        logger.error("%s", error)
        self.fault = error
        self._heard.set()

    def _lost(self, problem: str) -> DeviceLostError:
        return DeviceLostError(
            self._name,
            problem,
            "Check that the arm is switched on and its network cable, then start the command again.",
        )


def _start_process(connection: Connection) -> "subprocess.Popen[bytes]":
    descriptor = connection.fileno()
    # A session of its own: Ctrl-C is for us, and we tell the helper. ur_rtde talks on standard output.
    return subprocess.Popen(
        [sys.executable, "-P", "-m", f"{__package__}.ur_process", str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _require_ur_rtde() -> None:
    if os.name != "posix":
        raise ImportError(
            "The UR arm is driven from a helper process that only Linux and macOS can start. Without an arm "
            "use --robot.arm.type=none."
        )
    if importlib.util.find_spec("rtde_control") is None:
        raise ImportError(
            f"The UR arm needs the package ur_rtde. Install it with: {INSTALL_LINE}. It has wheels for "
            "Python 3.12 on x86-64 Linux; elsewhere it builds from source with CMake and "
            "Boost. Without an arm use --robot.arm.type=none."
        )
