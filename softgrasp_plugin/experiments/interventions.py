"""Changing what a policy perceives, one modality at a time, while the world stays as it is.

A policy that uses what it feels grasps differently when its torques are zeroed, frozen, doubled, or those of
another object; a policy that ignores them does not.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..envs.softgrasp_sim import Observation
from ..joints import CAMERA_KEY, NUM_JOINTS, FloatArray
from ..policies.modalities import ANGLE, IMAGE, TORQUE
from ..simulation.catalogue import SIM_OBJECT_BY_TASK
from .plan import DemonstrationConfig, Intervention

_COLUMNS = {ANGLE: slice(0, NUM_JOINTS), TORQUE: slice(NUM_JOINTS, 2 * NUM_JOINTS)}


@dataclass(frozen=True)
class Donor:
    """A recorded episode with another object.

    Attributes:
        state: (T, 12) closures and torques, newtons.
        images: (T, height, width, 3) uint8.
    """

    state: FloatArray
    images: NDArray[np.uint8]


def donor_episode(demonstrations: DemonstrationConfig, task: str, seed: int) -> int:
    """Which recorded episode a modality is taken from: one with an object of another hardness class, or with
    any other object if all are of one.

    Args:
        demonstrations: what was recorded.
        task: the object that is tried.
        seed: of the scene.
    """
    hardness = SIM_OBJECT_BY_TASK[task].table_row.hardness
    recorded = demonstrations.objects
    other = [name for name in recorded if SIM_OBJECT_BY_TASK[name].table_row.hardness != hardness]
    other = other or [name for name in recorded if name != task]
    return recorded.index(other[seed % len(other)]) + len(recorded) * (seed % demonstrations.per_object)


class Intervene:
    """Applies an intervention to what a policy perceives in one trial.

    Args:
        intervention: what to do.
        donor: the episode to take values from; needed for `swap` only.

    Raises:
        ValueError: if `swap` has no donor.
    """

    def __init__(self, intervention: Intervention, donor: Donor | None = None) -> None:
        if intervention.kind == "swap" and donor is None:
            raise ValueError("Swapping a modality needs a recorded episode to take it from.")
        self._intervention, self._donor = intervention, donor
        self._first: NDArray[Any] | None = None
        self._tick = 0

    def __call__(self, observation: Observation) -> Observation:
        """The next observation with one modality changed; the original is left alone."""
        modality = self._intervention.modality
        state, image = observation["agent_pos"].copy(), observation["pixels"][CAMERA_KEY]
        if modality == IMAGE:
            image = self._changed(image, None if self._donor is None else self._donor.images, 255)
        else:
            columns = _COLUMNS[modality]
            donor = None if self._donor is None else self._donor.state[:, columns]
            state[columns] = self._changed(state[columns], donor, 1.0 if modality == ANGLE else np.inf)
        self._tick += 1
        return {"pixels": {CAMERA_KEY: image}, "agent_pos": state}

    def _changed(self, value: NDArray[Any], donated: NDArray[Any] | None, most: float) -> NDArray[Any]:
        if self._first is None:
            self._first = value.copy()
        match self._intervention.kind:
            case "zero":
                changed = np.zeros_like(value)
            case "freeze":
                changed = self._first
            case "double":
                changed = np.minimum(2.0 * value, most)
            case "swap":
                assert donated is not None
                changed = donated[min(self._tick, len(donated) - 1)]
        return changed.astype(value.dtype)
