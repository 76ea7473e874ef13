"""What every camera of the simulation can do, and which there are."""

from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, get_args

import numpy as np
from numpy.typing import NDArray

from ..bounds import require_within

if TYPE_CHECKING:
    from mujoco import MjData

Image = NDArray[np.uint8]
"""A picture (height, width, 3), or colours (N, 3): red, green and blue."""


Renderer = Literal["ray", "gl"]

_FEWEST_PIXELS, _MOST_PIXELS = 16, 4096


class Camera(Protocol):
    """Draws the state of a simulation."""

    def render(self, data: "MjData") -> Image:
        """A picture of `data`, shape (height, width, 3)."""


def check_renderer(renderer: str) -> Renderer:
    """The renderer of that name.

    Raises:
        ValueError: there is none.
    """
    if renderer not in get_args(Renderer):
        raise ValueError(f"renderer must be one of {', '.join(get_args(Renderer))}; got {renderer!r}.")
    return cast(Renderer, renderer)


def check_picture_size(name: str, height: Any, width: Any) -> None:
    """Refuse a picture that no policy could use or no memory hold.

    Args:
        name: what the two numbers' names begin with, such as `--env.observation_`.
        height: in pixels.
        width: in pixels.

    Raises:
        ValueError: if one of them is out of its range.
    """
    require_within(f"{name}height", height, _FEWEST_PIXELS, _MOST_PIXELS, "pixels")
    require_within(f"{name}width", width, _FEWEST_PIXELS, _MOST_PIXELS, "pixels")
