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
from .plan import Intervention

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
