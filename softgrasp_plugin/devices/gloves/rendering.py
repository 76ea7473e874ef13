"""From force and angle to what a motor in current-based position mode is told (SoftGrasp, Algorithm 1).

Such a motor drives to Goal_Position with at most Goal_Current: T̂m becomes the current, Âm the position.
"""

import numpy as np
from numpy.typing import NDArray

from ...joints import FloatArray
from ..dynamixel.models import force_model
from .config import GloveMotorConfig

IntArray = NDArray[np.int64]

COUNTS_PER_TURN = 4096


class CurrentScale:
    """Newtons at the fingertip → units of Goal_Current, never above a motor's configured maximum.

    Args:
        motors: the motors.

    Raises:
        ValueError: for a model without a current sensor.
    """

    def __init__(self, motors: list[GloveMotorConfig]) -> None:
        models = [force_model(motor.model) for motor in motors]
        self._newtons_per_unit = np.array(
            [model.newtons_per_unit(motor.lever_arm_m) for model, motor in zip(models, motors, strict=True)]
        )
        milliamperes = np.array([1e3 * (model.current_unit_a or 0.0) for model in models])
        self.most_units: IntArray = np.floor(
            np.array([motor.max_current_ma for motor in motors]) / milliamperes
        ).astype(np.int64)

    def limit(self, most_units: IntArray) -> None:
        """Lower the maximum to what the motors themselves allow, (n,) units."""
        self.most_units = np.minimum(self.most_units, most_units)

    def units(self, force: FloatArray) -> IntArray:
        """Goal_Current (n,) for forces (n,) in newtons; a force that is negative or no number is none."""
        wanted = np.where(np.isfinite(force), force, 0.0) / self._newtons_per_unit
        return np.asarray(np.clip(np.rint(wanted), 0, self.most_units), dtype=np.int64)

    def newtons(self, units: IntArray) -> FloatArray:
        """Force (n,) in newtons for currents (n,) in units."""
        return np.asarray(units * self._newtons_per_unit, dtype=np.float64)


class OneSidedHold:
    """Keeps a motor's goal where its contact began, and lets it move towards straight only.

    Algorithm 1 sends Âm = Am while a joint is clutched. Renewed in every tick, such a goal runs along with
    the finger and the motor never has an error to work on: the finger feels the servo's lag and nothing else.
    Held, the motor presses with the whole T̂m as soon as the finger bends further, and gives way at once when
    it opens.
    """

    def __init__(self, num_motors: int) -> None:
        self._held: FloatArray = np.full(num_motors, np.nan)

    def reset(self) -> None:
        """Forget every contact."""
        self._held[:] = np.nan

    def update(self, units: IntArray, angle: FloatArray, measured: FloatArray) -> FloatArray:
        """The angles (n,) to hold, for currents (n,), Âm (n,) and the measured Am (n,)."""
        # fmin ignores the NaN of a joint that was free. An opened finger takes its goal with it.
        held = np.fmin(self._held, np.minimum(angle, measured))
        self._held = np.where(units > 0, held, np.nan)
        return np.where(units > 0, held, measured)


def shifted_to(angle: FloatArray, measured: FloatArray) -> FloatArray:
    """Goals (n,) given inside [0, 1], as far from a finger outside that range as from the range's end.

    Algorithm 1 knows angles inside the calibrated range only. A finger may be straighter or more bent than at
    calibration; taken as it is, the goal at the range's end would then drive the finger back into the range.
    """
    return angle + (measured - np.clip(measured, 0.0, 1.0))


def beyond_range(goal: FloatArray, measured: FloatArray) -> FloatArray:
    """Goals (n,) inside [0, 1] that leave a finger (n,) where it is which has gone beyond the wanted end."""
    beyond = ((goal <= 0.0) & (measured < 0.0)) | ((goal >= 1.0) & (measured > 1.0))
    return np.where(beyond, measured, goal)


def nearest_turn(counts: IntArray, middle: IntArray) -> IntArray:
    """Whole turns (n,), in counts, that bring readings (n,) next to the middle of their calibrated range.

    A motor knows its position within one turn at power-on, so a range across its zero may appear a turn off.
    """
    turns = np.rint((middle - counts) / COUNTS_PER_TURN).astype(np.int64)
    return np.asarray(turns * COUNTS_PER_TURN, dtype=np.int64)
