"""The simulated hand and arm, behind the same protocols as real ones. Reading and writing take no time;
`World.step` does.
"""

import numpy as np

from ..devices.hand_sample import HandSample
from ..joints import FloatArray
from .hand import LEVER_ARM_M, SERVO_TORQUE_LIMIT
from .world import World


class SimulatedHand:
    """The `Hand` protocol over a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connected = False

    @property
    def is_connected(self) -> bool:
        return self._connected

    def connect(self) -> None:
        self._connected = True

    def disconnect(self) -> None:
        """The world's hand keeps its last command, so it goes on holding."""
        self._connected = False

    @property
    def strongest_grip(self) -> FloatArray:
        return np.asarray(SERVO_TORQUE_LIMIT / LEVER_ARM_M)

    def read(self) -> HandSample:
        return self._world.hand_sample()

    def recent_torques(self) -> FloatArray:
        """Time stands between two steps, so whoever asked since the last one was told the newest sample."""
        return self._world.hand_sample().torque[np.newaxis]

    def write(self, closure: FloatArray, torque_limit: FloatArray | None = None) -> None:
        self._world.command_hand(closure, torque_limit)


class SimulatedArm:
    """The `Arm` protocol over a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._connected = False

    @property
    def is_connected(self) -> bool:
        return self._connected

    def connect(self) -> None:
        """A world starts with the arm at the grasp pose, so there is nothing to move."""
        self._connected = True

    def disconnect(self) -> None:
        self._connected = False

    def command_lift(self, height_m: float) -> None:
        self._world.command_lift(height_m)
