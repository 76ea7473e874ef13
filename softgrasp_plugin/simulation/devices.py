"""The simulated hand and arm, behind the same protocols as real ones. Reading and writing take no time;
`World.step` does.
"""

from ..devices.hand_sample import HandSample
from ..joints import FloatArray
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

    def read(self) -> HandSample:
        return self._world.hand_sample()

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
