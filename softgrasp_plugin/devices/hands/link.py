"""What a kind of hand must offer for `PolledHand` to make a hand of it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from lerobot.motors import MotorCalibration

from ...joints import FloatArray

Ask = Callable[[str], str]
"""Shows a prompt to the user and returns what they typed, as `input` does."""


class HandLink(Protocol):
    """A six-joint hand on a wire, used by one thread at a time. Every method may raise a `DeviceError`."""

    device: str

    @property
    def is_open(self) -> bool: ...

    def open(self) -> None:
        """Open the connection and see that the hand answers; nothing moves."""

    def close(self) -> None:
        """Close the connection, leaving every joint holding."""

    def start(self, motors: Mapping[str, MotorCalibration], force_limit_n: FloatArray) -> None:
        """Make ready to move, with the calibration of `calibrate`.

        Every joint holds where it is with at most `force_limit_n` (6,), in newtons as the sensors give it.
        """

    def measure(self) -> tuple[FloatArray, FloatArray]:
        """Closure (6,), and force (6,) in newtons as the sensors give it, free-air offset included."""

    def command(self, closure: FloatArray, force_limit_n: FloatArray) -> None:
        """Drive to `closure` (6,) with at most `force_limit_n` (6,), in newtons as the sensors give it."""

    def calibrate(self, ask: Ask) -> dict[str, MotorCalibration]:
        """Whatever this kind of hand needs before its free-air offset can be measured."""


def confirmed(ask: Ask, question: str) -> bool:
    """Ask a question that only an explicit yes answers."""
    return ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")
