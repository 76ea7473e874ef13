"""A simulated force-feedback glove on a simulated human hand.

Each joint is a motor in current-based position mode (it drives to an angle with a limited torque) and a
finger that pulls like a spring towards where the person wants it. Both meet in one damped angle.
"""

import numpy as np

from ..devices.gloves.protocol import GloveSample
from ..joints import NUM_JOINTS, FloatArray

FINGER_STIFFNESS = 500.0
"""Newtons at the fingertip per unit of normalised angle between intended and actual finger."""

FINGER_DAMPING = 1.0
"""Newtons per unit per second: a finger follows its intention within a tick."""

MOTOR_STIFFNESS = 50_000.0
"""Newtons per unit: a geared position servo is far stiffer than a finger. A lock that follows the finger (Âm
= Am in every tick) yields to a push as slowly as this allows.
"""


class SimulatedGlove:
    """The `Glove` protocol over six simulated joints; `advance` is the physics."""

    def __init__(self) -> None:
        self._connected = False
        self._time = 0.0
        self.place(np.zeros(NUM_JOINTS))

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def angle(self) -> FloatArray:
        """Joint angles (6,), normalised."""
        return self._angle.copy()

    @property
    def felt_torque(self) -> FloatArray:
        """What the person feels: the motors' resistance (6,) against bending, newtons at the fingertip."""
        return self._felt.copy()

    def connect(self) -> None:
        self._connected = True

    def disconnect(self) -> None:
        self.release()
        self._connected = False

    def place(self, angle: FloatArray, time_s: float = 0.0) -> None:
        """Put the fingers at `angle` (6,), motors free."""
        self._angle: FloatArray = np.clip(angle, 0.0, 1.0)
        self._felt: FloatArray = np.zeros(NUM_JOINTS)
        self._time = time_s
        self.release()

    def read(self) -> GloveSample:
        return GloveSample(self.angle, self._time)

    def render(self, torque: FloatArray, angle: FloatArray) -> None:
        self._torque_limit: FloatArray = np.maximum(torque, 0.0)
        self._motor_goal: FloatArray = np.asarray(angle, dtype=np.float64)

    def release(self) -> None:
        self.render(np.zeros(NUM_JOINTS), np.zeros(NUM_JOINTS))

    def advance(self, intention: FloatArray, dt_s: float) -> None:
        """Let finger and motor act on each other for `dt_s` seconds, the finger pulling towards `intention`
        (6,).
        """
        inertia = FINGER_DAMPING / dt_s
        pull = inertia * self._angle + FINGER_STIFFNESS * intention
        # Implicit in the angle, so that a motor of any stiffness is stable; a saturated motor is a constant
        # torque.
        angle = (pull + MOTOR_STIFFNESS * self._motor_goal) / (inertia + FINGER_STIFFNESS + MOTOR_STIFFNESS)
        motor = np.clip(MOTOR_STIFFNESS * (self._motor_goal - angle), -self._torque_limit, self._torque_limit)
        self._angle = np.clip((pull + motor) / (inertia + FINGER_STIFFNESS), 0.0, 1.0)
        self._felt = -motor
        self._time += dt_s
