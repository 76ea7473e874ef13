"""The drawn geoms of a model as they stand at one moment: read, outlined in a view, met by rays."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..joints import FloatArray
from .engine import mujoco
from .primitives import BOX, CAPSULE, CYLINDER, ELLIPSOID, ENTRY, NORMAL, Float32Array, length, product

IntArray = NDArray[np.intp]

OUTLINE_DIRECTIONS: FloatArray = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
"""Directions (4, 2) in an image along which outlines are bounded; an octagon hugs a slanted tube."""

_GEOM = mujoco.mjtGeom
_KIND = {
    int(_GEOM.mjGEOM_PLANE): BOX,
    int(_GEOM.mjGEOM_SPHERE): CAPSULE,
    int(_GEOM.mjGEOM_CAPSULE): CAPSULE,
    int(_GEOM.mjGEOM_CYLINDER): CYLINDER,
    int(_GEOM.mjGEOM_BOX): BOX,
    int(_GEOM.mjGEOM_ELLIPSOID): ELLIPSOID,
}
# MuJoCo's geom_size is (radius, half length, 0) for capsule and cylinder, (radius, 0, 0) for a sphere, and
# half sizes along x, y, z for the others. Per kind: which of these numbers are the radii, and which the half
# sizes, along x, y, z? Number 3 is a zero.
_RADII = np.array([[0, 0, 0], [0, 0, 3], [3, 3, 3], [0, 1, 2]])
_HALF_SIZES = np.array([[3, 3, 1], [3, 3, 1], [0, 1, 2], [3, 3, 3]])
_CORNERS = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)


@dataclass(frozen=True)
class View:
    """What is seen from a point.

    Attributes:
        origin: the point in the world, shape (3,), metres.
        basis: rows right, up and forward in the world, shape (3, 3).
    """

    origin: FloatArray
    basis: FloatArray

    def image(self, direction: Float32Array) -> Float32Array:
        """Image coordinates right/forward and up/forward (2, N) of directions (3, N) in front of the view."""
        local = product(self.basis.astype(np.float32), direction)
        image: Float32Array = local[:2] / local[2]
        return image


@dataclass(frozen=True)
class Solids:
    """G geoms, each a box swept by an ellipsoid (see `primitives`).

    Attributes:
        geom: number in the model, shape (G,).
        kind: which kind of primitive, shape (G,).
        radii: semi-axes of the ellipsoid, shape (G, 3), metres.
        half_sizes: half sizes of the box, shape (G, 3), metres.
        rotation: axes (columns) in the world, shape (G, 3, 3).
        position: centre in the world, shape (G, 3), metres.
    """

    geom: IntArray
    kind: IntArray
    radii: FloatArray
    half_sizes: FloatArray
    rotation: FloatArray
    position: FloatArray

    @classmethod
    def read(cls, model: "mujoco.MjModel", data: "mujoco.MjData", geom: IntArray) -> Self:
        """The geoms `geom` (G,) with their present sizes and poses; a plane becomes a box of no height.

        Raises:
            ValueError: a geom that is no primitive, or a plane without end.
        """
        types = model.geom_type[geom]
        try:
            kind = np.array([_KIND[each] for each in types.tolist()], dtype=np.intp)
        except KeyError as error:
            raise ValueError(
                "The ray camera draws planes, spheres, capsules, cylinders, boxes and ellipsoids, not "
                f"{_GEOM(error.args[0]).name}; build the geom from these, or choose renderer='gl'."
            ) from None
        size = np.pad(model.geom_size[geom], ((0, 0), (0, 1)))
        is_plane = types == _GEOM.mjGEOM_PLANE
        if (size[is_plane, :2] == 0).any():
            raise ValueError("The ray camera draws no endless planes; give the plane two half sizes above 0.")
        size[is_plane, 2] = 0.0
        return cls(
            geom=geom,
            kind=kind,
            radii=np.take_along_axis(size, _RADII[kind], axis=1),
            half_sizes=np.take_along_axis(size, _HALF_SIZES[kind], axis=1),
            rotation=data.geom_xmat[geom].reshape(-1, 3, 3),
            position=data.geom_xpos[geom],
        )

    def outlines(self, view: View) -> tuple[FloatArray, FloatArray]:
        """Least and greatest image coordinate along each of the outline directions, both (G, 4), exact.

        The line n·(x, y) = s touches the image of an ellipsoid with centre c and semi-axes a₁, a₂, a₃ where
        l = (n, -s) satisfies Σ(l·aᵢ)² = (l·c)², the dual conic: a quadratic equation in s, for every corner
        of the box that the ellipsoid sweeps. What is not wholly in front of the view has no bounds.
        """
        to_view = view.basis @ self.rotation
        centre = (self.position - view.origin) @ view.basis.T
        corner = centre[:, None] + (_CORNERS * self.half_sizes[:, None]) @ to_view.transpose(0, 2, 1)
        axes = (to_view * self.radii[:, None]).transpose(0, 2, 1)
        corner_n, corner_z = corner[..., :2] @ OUTLINE_DIRECTIONS.T, corner[..., 2:]
        axes_n, axes_z = axes[..., :2] @ OUTLINE_DIRECTIONS.T, axes[..., 2:]
        # a s² - 2 b s + c = 0 for every solid, corner and direction (G, 8, 4).
        a = (axes_z**2).sum(1, keepdims=True) - corner_z**2
        b = (axes_n * axes_z).sum(1, keepdims=True) - corner_n * corner_z
        c = (axes_n**2).sum(1, keepdims=True) - corner_n**2
        in_front = ((a < 0) & (corner_z > 0)).all(axis=(1, 2))[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
            low, high = ((b + root) / a).min(1), ((b - root) / a).max(1)
        return np.where(in_front, low, -np.inf), np.where(in_front, high, np.inf)

    def nearness(
        self, index: IntArray, origin: FloatArray, direction: Float32Array, packet: IntArray
    ) -> Float32Array:
        """How near to their origin rays enter solids, for T pairs of a solid and a packet of B rays.

        Args:
            index: the solid of each pair, shape (T,).
            origin: where all rays start, outside of all solids, shape (3,).
            direction: of the rays in P packets, any length, shape (P, 3, B).
            packet: the packet of each pair, shape (T,).

        Returns:
            One over the distance, in lengths of `direction`, shape (T, B). It is positive where a ray enters,
            0 or NaN where it misses, and negative behind the origin; so the first hit is the greatest.
        """
        to_local = self.rotation.transpose(0, 2, 1)
        start = np.einsum("gij,gj->gi", to_local, origin - self.position)
        solid = np.stack([start, self.radii, self.half_sizes], axis=1).astype(np.float32)
        turn = to_local.astype(np.float32)
        entry = np.empty((len(index), direction.shape[2]), np.float32)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for kind, rows in _by_kind(self.kind[index]):
                ray = (turn[index[rows]] @ direction[packet[rows]]).swapaxes(0, 1)
                local_start, radii, half = solid[index[rows]].transpose(1, 2, 0)[..., None]
                entry[rows] = ENTRY[kind](local_start, ray, radii, half)
            return np.divide(1, entry, out=entry)

    def normals(self, index: IntArray, point: Float32Array) -> Float32Array:
        """Outward unit normals (3, N) at points (3, N) in the world that lie on the solids `index` (N,)."""
        solid = np.stack([self.position, self.radii, self.half_sizes]).astype(np.float32)
        position, radii, half = solid.transpose(0, 2, 1).take(index, axis=2)
        turn = self.rotation.astype(np.float32).transpose(1, 2, 0).take(index, axis=2)
        local = (turn * (point - position)[:, None]).sum(0)
        normal = np.empty_like(local)
        for kind, rows in _by_kind(self.kind[index]):
            normal[:, rows] = NORMAL[kind](*(each.take(rows, axis=1) for each in (local, radii, half)))
        normal /= length(normal)
        return np.asarray((turn * normal).sum(1))


def _by_kind(kind: IntArray) -> Iterator[tuple[int, IntArray]]:
    """Every kind that is in `kind` (N,), and where."""
    for each in range(len(ENTRY)):
        rows = np.flatnonzero(kind == each)
        if len(rows):
            yield each, rows
