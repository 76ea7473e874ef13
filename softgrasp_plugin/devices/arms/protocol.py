"""What every arm offers, real or simulated: it stands at the grasp pose and can be raised."""

from typing import Protocol


class Arm(Protocol):
    """An arm holding the hand at the grasp pose."""

    @property
    def is_connected(self) -> bool: ...

    def connect(self) -> None:
        """Connect and move to the grasp pose."""

    def disconnect(self) -> None: ...

    def command_lift(self, height_m: float) -> None:
        """Set the wanted height of the tool above the grasp pose, in metres."""
