"""The connection to a UR controller: `ur_rtde` with types and plain words for its silences.

It lives in the helper process only (`ur_process`): ur_rtde 1.6.5 holds Python's global lock while it
connects, answers success to commands sent into a lost link or blocks, and its automatic reconnection can
crash the process.
"""

import importlib
import socket
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ...joints import FloatArray
from ..errors import DeviceFaultError, DeviceLostError
from .config import URArmConfig

PORTS = {30004: "RTDE", 30003: "script", 29999: "dashboard"}

_PROBE_TIMEOUT_S = 2.0
_VARIABLES = ["timestamp", "actual_q", "actual_qd", "robot_mode", "safety_status_bits", "runtime_state"]
_RECEIVE_HZ = 125.0
_PLAYING = 2
_ROBOT_RUNNING = 7
_STOP_DECELERATION = 2.0
_STANDS_RAD_S = 0.01
_STANDS_WITHIN_S = 1.0

_SAFETY_BITS = {
    2: "protective stop",
    3: "recovery mode",
    4: "safeguard stop",
    5: "emergency stop (system)",
    6: "emergency stop (robot)",
    7: "emergency stop",
    8: "safety violation",
    9: "safety fault",
    10: "stopped for safety",
}


def arm_name(config: URArmConfig) -> str:
    """The arm as messages call it."""
    return f"UR arm ({config.model}) at {config.host}"


class Link(Protocol):
    """What the helper process needs of a controller; `URLink` is the real one."""

    @property
    def joints(self) -> FloatArray: ...
    def check(self) -> None: ...
    def check_program(self) -> None: ...
    def set_tool(self) -> None: ...
    def arm_watchdog(self) -> None: ...
    def forward(self, joints: FloatArray) -> FloatArray: ...
    def inverse(self, pose: FloatArray, near: FloatArray) -> FloatArray: ...
    def servo(self, joints: FloatArray, dt_s: float) -> None: ...
    def close(self) -> bool: ...


class URLink:
    """Commands and state of one controller.

    Args:
        config: the arm.

    Raises:
        ImportError: if `ur_rtde` is not installed.
        DeviceLostError: if the controller does not answer or refuses.
    """

    def __init__(self, config: URArmConfig) -> None:
        self._config = config
        self.name = arm_name(config)
        control, receive = (importlib.import_module(name) for name in ("rtde_control", "rtde_receive"))
        self._probe()
        try:
            self._receive = receive.RTDEReceiveInterface(config.host, _RECEIVE_HZ, _VARIABLES)
            self._control = control.RTDEControlInterface(config.host)
        except RuntimeError as error:
            raise self._lost(f"the controller refused the connection ({error}).") from error
        self._stamp = -1.0
        self._stamp_seen = time.monotonic()

    @property
    def joints(self) -> FloatArray:
        """Measured joint angles (6,), radians."""
        return np.array(self._receive.getActualQ(), dtype=np.float64)

    def check(self) -> None:
        """Look whether the arm can go on; takes no time.

        Raises:
            DeviceLostError: if the link is lost, seen at the latest `link_timeout_s` after it happened.
            DeviceFaultError: if the arm has stopped; the message says why and what to do.
        """
        now, stamp = time.monotonic(), float(self._receive.getTimestamp())
        if stamp != self._stamp:
            self._stamp, self._stamp_seen = stamp, now
        # A lost link shows here, or only in a controller clock that stands still.
        if not (self._receive.isConnected() and self._control.isConnected()):
            raise self._lost("the connection broke.")
        if now - self._stamp_seen > self._config.link_timeout_s:
            raise self._lost(f"nothing heard for {now - self._stamp_seen:.2f} s.")
        bits = int(self._receive.getSafetyStatusBits())
        stops = [text for bit, text in _SAFETY_BITS.items() if bits >> bit & 1]
        if stops:
            raise DeviceFaultError(
                self.name,
                f"{', '.join(stops)}.",
                "Find and remove the cause, release the stop on the teach pendant, then start the command "
                "again.",
            )
        if int(self._receive.getRobotMode()) != _ROBOT_RUNNING:
            raise DeviceFaultError(
                self.name,
                "the arm is not running.",
                "Switch it on and release the brakes on the teach pendant.",
            )

    def check_program(self) -> None:
        """Look whether the control program still runs on the controller.

        Raises:
            DeviceFaultError: if not.
        """
        if int(self._receive.getRuntimeState()) != _PLAYING:
            raise DeviceFaultError(
                self.name,
                "its control program has ended.",
                "Somebody pressed stop, or the watchdog found our commands too slow; look at the pendant's "
                "log, then start the command again.",
            )

    def set_tool(self) -> None:
        """Tell the controller the payload and the tool centre."""
        config = self._config
        self._accepted("setPayload", self._control.setPayload(config.payload_kg, list(config.payload_cog_m)))
        self._accepted("setTcp", self._control.setTcp(list(config.tcp)))

    def arm_watchdog(self) -> None:
        """From now on the controller ends the program when our commands stay away."""
        self._accepted("setWatchdog", self._control.setWatchdog(self._config.watchdog_hz))

    def forward(self, joints: FloatArray) -> FloatArray:
        """Pose (6,) of the tool at joint angles (6,), by the controller's own calibrated kinematics."""
        return self._vector(
            "forward", self._control.getForwardKinematics(joints.tolist(), list(self._config.tcp))
        )

    def inverse(self, pose: FloatArray, near: FloatArray) -> FloatArray:
        """Joint angles (6,) for a pose (6,), the solution nearest to `near`."""
        return self._vector("inverse", self._control.getInverseKinematics(pose.tolist(), near.tolist()))

    def servo(self, joints: FloatArray, dt_s: float) -> None:
        """Send one servo target (6,), meant for the next `dt_s` seconds; this also feeds the watchdog."""
        self._control.servoJ(joints.tolist(), 0.0, 0.0, dt_s, self._config.lookahead_s, self._config.gain)

    def close(self) -> bool:
        """Leave servo mode, end the control program and hang up; blocks on a dead link.

        Returns:
            Whether the joints were then seen to stand.
        """
        self._control.servoStop(_STOP_DECELERATION)
        stands = self._comes_to_rest()
        self._control.stopScript()
        self._control.disconnect()
        self._receive.disconnect()
        return stands

    def _comes_to_rest(self) -> bool:
        """Whether a state that is newer than the stop says that no joint turns any more."""
        before, deadline = float(self._receive.getTimestamp()), time.monotonic() + _STANDS_WITHIN_S
        while time.monotonic() < deadline:
            speeds = np.array(self._receive.getActualQd(), dtype=np.float64)
            is_new = float(self._receive.getTimestamp()) > before
            if is_new and speeds.shape == (6,) and (np.abs(speeds) < _STANDS_RAD_S).all():
                return True
            time.sleep(1.0 / _RECEIVE_HZ)
        return False

    def _probe(self) -> None:
        for port, purpose in PORTS.items():
            try:
                socket.create_connection((self._config.host, port), _PROBE_TIMEOUT_S).close()
            except OSError as error:
                raise self._lost(f"port {port} ({purpose}) does not open ({error}).") from error

    def _vector(self, name: str, values: Sequence[float]) -> FloatArray:
        if len(values) != 6 or not np.isfinite(values).all():
            raise DeviceFaultError(
                self.name,
                f"the controller's {name} kinematics gave no solution.",
                "Choose a grasp pose further from the arm's limits.",
            )
        return np.array(values, dtype=np.float64)

    def _accepted(self, name: str, answer: bool) -> None:
        if not answer:
            raise DeviceFaultError(
                self.name,
                f"{name} was refused.",
                "Look at the pendant: the arm must be on, in remote control (e-Series) and without a safety "
                "stop.",
            )

    def _lost(self, problem: str) -> DeviceLostError:
        return DeviceLostError(
            self.name,
            problem,
            "Check that the arm is switched on, its network cable and address (ping it), and that no other "
            "program controls it.",
        )
