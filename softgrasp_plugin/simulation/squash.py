"""Drawing a soft object squeezed: the seen geom gives way where the fingers press, the touched one stays
rigid.
"""

import numpy as np

from ..joints import FloatArray
from .engine import mujoco

_BULGE = 0.4
"""Share of a squeeze that reappears sideways."""


class Squash:
    """Sizes the seen geom of the object from its indentation. Cylinders are stiff and stay as they are."""

    def __init__(self, model: "mujoco.MjModel") -> None:
        self._model = model
        self._geom = model.geom("object_seen").id
        self._size: FloatArray = model.geom_size[self._geom].copy()
        self._squeezes = model.geom_type[self._geom] != mujoco.mjtGeom.mjGEOM_CYLINDER

    def draw(self, squash_m: FloatArray) -> None:
        """Set the seen size for an indentation per body axis (3,), metres."""
        if not self._squeezes:
            return
        squeeze = np.minimum(squash_m, 0.5 * self._size)
        bulge = _BULGE * (squeeze.sum() - squeeze) / 2
        self._model.geom_size[self._geom] = self._size - squeeze + bulge
