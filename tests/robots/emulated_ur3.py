"""A hand over an emulated wire on an arm that remembers, and how to drive both."""

import time
from collections.abc import Callable

import numpy as np

from softgrasp_plugin.devices.hands.calibration import FreeAirForce, HandCalibration
from softgrasp_plugin.joints import CLOSURE_KEYS, NUM_JOINTS
from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand


class FakeArm:
    """An arm that remembers what it was told, and fails when it is told to."""

    def __init__(self) -> None:
        self.is_connected = False
        self.heights: list[float] = []
        self.fault: Exception | None = None

    def connect(self) -> None:
        self.is_connected = True

    def disconnect(self) -> None:
        self.is_connected = False

    def command_lift(self, height_m: float) -> None:
        if self.fault is not None:
            raise self.fault
        self.heights.append(height_m)


def calibration() -> HandCalibration:
    ends = np.array([np.zeros(NUM_JOINTS), np.ones(NUM_JOINTS)])
    return HandCalibration(FreeAirForce(ends, np.zeros_like(ends)))


def act(robot: UR3DexHand, closure: float, done: Callable[[], bool]) -> None:
    """Command all joints, 100 times a second, until `done`."""
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline, "did not happen within 10 s"
        robot.send_action(dict.fromkeys(CLOSURE_KEYS, closure))
        time.sleep(0.01)


def closures(robot: UR3DexHand) -> np.ndarray:
    observation = robot.get_observation()
    return np.array([observation[key] for key in CLOSURE_KEYS])
