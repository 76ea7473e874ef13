"""What every camera of the simulation can do."""

from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mujoco import MjData

Image = NDArray[np.uint8]
"""A picture (height, width, 3), or colours (N, 3): red, green and blue."""


class Camera(Protocol):
    """Draws the state of a simulation."""

    def render(self, data: "MjData") -> Image:
        """A picture of `data`, shape (height, width, 3)."""
