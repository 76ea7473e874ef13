"""What a joint of a hand can do: readings outside it are no readings."""

from dataclasses import dataclass

import numpy as np

from ...joints import JOINTS, FloatArray

_MARGIN = 0.25
"""Closure beyond open or closed that a reading may have: a joint pushed past where it was calibrated."""


@dataclass(frozen=True)
class PossibleReadings:
    """The readings that a kind of hand can give.

    Attributes:
        max_force_n: shape (6,), largest force, in either direction, that its sensors or motors can report.
        margin: shape (6,), how far beyond 0…1 a closure may be.
    """

    max_force_n: FloatArray
    margin: FloatArray

    def objection(self, closure: FloatArray, force_n: FloatArray) -> str | None:
        """Names every joint whose closure or force (6,) is impossible, with the value; None if none is."""
        problems = []
        for i, joint in enumerate(JOINTS):
            low, high = -self.margin[i], 1.0 + self.margin[i]
            if not low <= closure[i] <= high:
                problems.append(
                    f"{joint} reads a closure of {closure[i]:.5g}, possible are {low:.2f} to {high:.2f}"
                )
            if not abs(force_n[i]) <= self.max_force_n[i]:
                problems.append(
                    f"{joint} reads a force of {force_n[i]:.5g} N, possible are ±{self.max_force_n[i]:.1f} N"
                )
        return "; ".join(problems) if problems else None


def closure_margin(turn: FloatArray | float = np.inf) -> FloatArray:
    """How far beyond 0…1 a closure may be.

    Args:
        turn: shape (6,), the closure of a whole turn of the encoder; a reading wrong by a turn must be
            noticed wherever in its range the joint stands.
    """
    return np.minimum(_MARGIN, 0.9 * (np.broadcast_to(np.asarray(turn), (len(JOINTS),)) - 1.0))
