"""What a kind of hand must offer for `PolledHand` to make a hand of it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from lerobot.motors import MotorCalibration

from ...joints import FloatArray
from .plausible import PossibleReadings

Ask = Callable[[str], str]
"""Shows a prompt to the user and returns what they typed, as `input` does."""

Drive = Callable[[FloatArray], None]
"""Moves the joints of a hand to closures (6,), no faster than allowed, and returns when they are there."""


class HandLink(Protocol):
    """A six-joint hand on a wire, used by one thread at a time. Every method may raise a `DeviceError`."""

    device: str

    kind: str
    """Which hand this is, as its calibration file says, such as `Inspire RH56, hand_id 1`."""

    max_force_n: float
    """The last thing applied before the wire: no joint is ever given a higher limit, whoever asks."""

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

    def repeat_limits(self) -> None:
        """Tell the hand again what it would have lost with its power; nothing moves."""

    def possible(self) -> PossibleReadings:
        """What `measure` can return, once started."""

    def mismatch(self, motors: Mapping[str, MotorCalibration]) -> str | None:
        """Why a calibration cannot be this hand's, a sentence; None if it may be."""

    def calibrate(self, ask: Ask, drive: Drive) -> dict[str, MotorCalibration]:
        """Whatever this kind of hand needs before its free-air offset can be measured.

        A hand that has to be in some pose for it has itself driven there by `drive`, once it is started.
        """


def confirmed(ask: Ask, question: str) -> bool:
    """Ask a question that only an explicit yes answers."""
    return ask(f"{question} [y/N] ").strip().lower() in ("y", "yes")
