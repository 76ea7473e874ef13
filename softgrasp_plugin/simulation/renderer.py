"""Which camera draws: rays, which work everywhere, or OpenGL, which is only loaded if it is asked for."""

from typing import TYPE_CHECKING, Literal, cast, get_args

from .camera import Camera
from .ray_camera import RayCamera

if TYPE_CHECKING:
    from mujoco import MjModel

Renderer = Literal["ray", "gl"]


def check_renderer(renderer: str) -> Renderer:
    """The renderer of that name.

    Raises:
        ValueError: there is none.
    """
    if renderer not in get_args(Renderer):
        raise ValueError(f"renderer must be one of {', '.join(get_args(Renderer))}; got {renderer!r}.")
    return cast(Renderer, renderer)


def make_camera(renderer: Renderer, model: "MjModel", height: int, width: int) -> Camera:
    """The camera of that kind; `gl` needs MUJOCO_GL to name a backend that works here.

    Raises:
        ValueError: a picture smaller than 16 pixels.
    """
    if height < 16 or width < 16:
        raise ValueError(f"A picture needs at least 16x16 pixels, got {height}x{width}.")
    if renderer == "ray":
        return RayCamera(model, height, width)
    from .gl_camera import GLCamera

    return GLCamera(model, height, width)
