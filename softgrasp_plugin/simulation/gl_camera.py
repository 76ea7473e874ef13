"""The same camera drawn by MuJoCo's OpenGL renderer, where a machine has one."""

import os
from typing import TYPE_CHECKING

import numpy as np

from .camera import Image
from .engine import mujoco
from .scene import ARM_GROUP, CAMERA_NAME, HAND_GROUP, OBJECT_GROUP, STATIC_GROUP

if TYPE_CHECKING:
    from mujoco import MjData, MjModel

_DISABLED = ("", "0", "off", "false", "disable", "disabled")


class GLCamera:
    """Pinhole and scene of the `RayCamera`; light and shade are OpenGL's, so do not mix the two between
    training and evaluation.

    Args:
        model: compiled scene.
        height: rows of the picture.
        width: columns of the picture.

    Raises:
        RuntimeError: MUJOCO_GL names no backend, or one that does not work on this machine.
    """

    def __init__(self, model: "MjModel", height: int, width: int) -> None:
        backend = os.environ.get("MUJOCO_GL", "")
        if backend.lower() in _DISABLED:
            raise RuntimeError(
                f"The gl renderer needs an OpenGL backend, but MuJoCo was started with MUJOCO_GL={backend!r}."
                " Set MUJOCO_GL=egl (or osmesa, or glfw) before starting Python, or use the ray renderer,"
                " which needs none."
            )
        try:
            self._renderer = mujoco.Renderer(model, height, width)
        except (mujoco.FatalError, ImportError) as error:
            raise RuntimeError(
                f"OpenGL does not work here with MUJOCO_GL={backend!r} ({error}). Install its system "
                "library or use the ray renderer."
            ) from error
        self._options = mujoco.MjvOption()
        self._options.geomgroup[:] = 0
        self._options.geomgroup[[STATIC_GROUP, ARM_GROUP, HAND_GROUP, OBJECT_GROUP]] = 1

    def render(self, data: "MjData") -> Image:
        """Draw `data`, shape (height, width, 3)."""
        self._renderer.update_scene(data, CAMERA_NAME, self._options)
        return np.asarray(self._renderer.render(), dtype=np.uint8)
