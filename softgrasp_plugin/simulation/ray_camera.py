"""The camera at the side: a pinhole that casts rays in NumPy, so it draws on a machine without OpenGL.

What never moves is traced once and kept. A frame then traces arm, hand and object, and asks the light which
of the points seen they shade. A picture depends on the state of the simulation alone, not on earlier ones.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..joints import FloatArray
from .camera import Image
from .engine import mujoco
from .primitives import Float32Array, dot, length
from .raycast import Packets
from .scene import ARM_GROUP, CAMERA_NAME, HAND_GROUP, LIGHT_POSITION, OBJECT_GROUP, SKY_RGB, STATIC_GROUP
from .solids import IntArray, Solids, View

_MOVING_GROUPS = (ARM_GROUP, HAND_GROUP, OBJECT_GROUP)
_AMBIENT, _FACING, _KEY, _GLOSS = 0.36, 0.20, 0.56, 0.16
_LEAST_COSINE = 0.02
"""Light that falls in flatter than this is none: shadows would flicker there."""

_OFF_SURFACE_M = np.float32(2e-3)
_SHADOW_SHARE = 0.999
"""A shadow ray ends this far off the surface, and is blocked by what it meets in this share of its length."""


class RayCamera:
    """Traces the scene from the model's camera, with one light, hard shadows and a little gloss.

    Args:
        model: compiled scene; camera, light and static geoms must not change later, sizes of the others may.
        height: rows of the picture.
        width: columns of the picture.
    """

    def __init__(self, model: "mujoco.MjModel", height: int, width: int) -> None:
        self._model, self._height, self._width = model, height, width
        self._moving = np.flatnonzero(np.isin(model.geom_group, _MOVING_GROUPS))
        self._background: _Background | None = None

    def render(self, data: "mujoco.MjData") -> Image:
        """Draw `data`, shape (height, width, 3)."""
        if self._background is None:
            self._background = _Background(self._model, data, self._height, self._width)
        background = self._background
        moving = Solids.read(self._model, data, self._moving)
        image = background.lit.copy()
        dark = background.shadow_rays.blocked(moving, _SHADOW_SHARE)
        _paint(image, dark, background.dark.take(dark, axis=0))
        surface = _Surface.seen(moving, background.camera_rays, background.pixel_rays, background.distance)
        _paint(image, surface.pixel, surface.shade(self._model, surface.light(moving)))
        return image.reshape(self._height, self._width, 3)


class _Background:
    """What the camera sees of the geoms that never move, lit and in the shadow of something that moves.

    Attributes:
        camera_rays: the camera's rays, numbered as the pixels.
        pixel_rays: their unit directions, shape (3, pixels).
        shadow_rays: rays from the light to every point it reaches, numbered as the pixels that show them.
        distance: from the camera in metres, shape (pixels,); infinite in the sky.
        lit: picture without anything that moves, shape (pixels, 3).
        dark: the same without the light.
    """

    def __init__(self, model: "mujoco.MjModel", data: "mujoco.MjData", height: int, width: int) -> None:
        camera = model.camera(CAMERA_NAME).id
        right, up, back = data.cam_xmat[camera].reshape(3, 3).T
        view = View(data.cam_xpos[camera].copy(), np.stack([right, up, -back]))
        focal = 0.5 * height / np.tan(np.deg2rad(model.cam_fovy[camera]) / 2)
        pixel = np.arange(height * width)
        row, column = np.divmod(pixel, width)
        image = np.stack([column + 0.5 - width / 2, height / 2 - row - 0.5]) / focal
        rays = view.basis.T @ np.concatenate([image, np.ones((1, len(pixel)))])
        self.pixel_rays = (rays / np.linalg.norm(rays, axis=0)).astype(np.float32)
        self.camera_rays = Packets.make(view, pixel, self.pixel_rays, np.stack([column, row]))

        static = Solids.read(model, data, np.flatnonzero(model.geom_group == STATIC_GROUP))
        self.distance = np.full(len(pixel), np.inf, np.float32)
        surface = _Surface.seen(static, self.camera_rays, self.pixel_rays, self.distance)
        self.distance[surface.pixel] = surface.distance
        light = surface.light(static)
        shadow_rays = surface.shadow_rays(np.flatnonzero(light))
        self.shadow_rays = replace(shadow_rays, ray=surface.pixel[shadow_rays.ray])

        top, bottom = np.array(SKY_RGB)[..., None]
        sky = _to_bytes(top + (bottom - top) * (row + 0.5) / height)
        self.lit, self.dark = sky.copy(), sky.copy()
        _paint(self.lit, surface.pixel, surface.shade(model, light))
        _paint(self.dark, surface.pixel, surface.shade(model, np.zeros_like(light)))


@dataclass(frozen=True)
class _Surface:
    """N points that the camera sees.

    Attributes:
        pixel: where in the flat picture, shape (N,).
        geom: number in the model, shape (N,).
        distance: from the camera in metres, shape (N,).
        ray: unit direction in which the camera looks, shape (3, N).
        point: position in the world, shape (3, N).
        normal: unit normal, shape (3, N).
        to_light: unit direction to the light, shape (3, N).
    """

    pixel: IntArray
    geom: IntArray
    distance: Float32Array
    ray: Float32Array
    point: Float32Array
    normal: Float32Array
    to_light: Float32Array

    @classmethod
    def seen(
        cls, solids: Solids, camera_rays: Packets, pixel_rays: Float32Array, limit: Float32Array
    ) -> Self:
        """What is seen of the solids nearer than `limit` (pixels,)."""
        pixel, index, distance = camera_rays.first_hits(solids)
        nearer = distance < limit[pixel]
        pixel, index, distance = pixel[nearer], index[nearer], distance[nearer]
        ray = pixel_rays.take(pixel, axis=1)
        point = camera_rays.view.origin.astype(np.float32)[:, None] + ray * distance
        to_light = LIGHT_POSITION.astype(np.float32)[:, None] - point
        to_light /= length(to_light)
        return cls(pixel, solids.geom[index], distance, ray, point, solids.normals(index, point), to_light)

    def light(self, casters: Solids) -> Float32Array:
        """Cosine (N,) at which the light falls in, 0 where the surface faces away or lies in a shadow."""
        cosine = dot(self.normal, self.to_light)
        cosine[cosine < _LEAST_COSINE] = 0
        cosine[self.shadow_rays(np.flatnonzero(cosine)).blocked(casters, _SHADOW_SHARE)] = 0
        return cosine

    def shadow_rays(self, places: IntArray) -> Packets:
        """Rays from the light to the points at `places` (M,), numbered as these."""
        end = (self.point + _OFF_SURFACE_M * self.normal).take(places, axis=1)
        direction = end - LIGHT_POSITION.astype(np.float32)[:, None]
        cell = np.clip(128 + 256 * _LIGHT_VIEW.image(direction), 0, 255).astype(np.intp)
        return Packets.make(_LIGHT_VIEW, places, direction, cell)

    def shade(self, model: "mujoco.MjModel", light: Float32Array) -> Image:
        """Bytes (N, 3): ambient, brighter towards the camera, the key light, and a Blinn–Phong highlight."""
        facing_eye = np.maximum(-dot(self.normal, self.ray), 0)
        half = self.to_light - self.ray
        facing_half = np.maximum(dot(self.normal, half) / length(half), 0)
        cube = facing_half * facing_half * facing_half
        highlight = ((cube**2) ** 2) ** 2 * (light > 0)  # a gloss exponent of 24, much faster than a power
        colour = model.geom_rgba[:, :3].T.take(self.geom, axis=1)
        return _to_bytes(colour * (_AMBIENT + _FACING * facing_eye + _KEY * light) + _GLOSS * highlight)


def _light_view() -> View:
    """The light looks at the origin, over which everything happens: all that is drawn is in front of it."""
    forward = -LIGHT_POSITION / np.linalg.norm(LIGHT_POSITION)
    right = np.cross(forward, np.array([0.0, 0.0, 1.0]))
    right /= np.linalg.norm(right)
    basis: FloatArray = np.stack([right, np.cross(right, forward), forward])
    return View(LIGHT_POSITION, basis)


_LIGHT_VIEW = _light_view()


def _paint(image: Image, pixel: IntArray, colour: Image) -> None:
    """Give pixels (N,) of a flat picture their colours (N, 3); NumPy moves whole pixels faster than bytes."""
    image.view("V3")[:, 0].put(pixel, colour.view("V3"))


def _to_bytes(colour: NDArray[np.floating]) -> Image:
    """Colours (3, N), 0…1, clipped, as bytes (N, 3)."""
    return np.ascontiguousarray((np.clip(colour, 0, 1) * 255).astype(np.uint8).T)
