"""Which camera draws: rays, which work everywhere, or OpenGL, which is only loaded if it is asked for."""

from typing import TYPE_CHECKING

from .camera import Camera, Renderer, check_picture_size
from .ray_camera import RayCamera

if TYPE_CHECKING:
    from mujoco import MjModel


def make_camera(renderer: Renderer, model: "MjModel", height: int, width: int) -> Camera:
    """The camera of that kind; `gl` needs MUJOCO_GL to name a backend that works here.

    Raises:
        ValueError: a picture smaller than 16 pixels, or larger than 4096.
    """
    check_picture_size("A picture: ", height, width)
    if renderer == "ray":
        return RayCamera(model, height, width)
    from .gl_camera import GLCamera

    return GLCamera(model, height, width)
