"""Where rays enter the four kinds of primitive, and which way their surfaces face, in the primitive's frame.

A primitive is a box (half sizes `half`) swept by an ellipsoid (semi-axes `radii`): a capsule is a segment
swept by a ball, a cylinder a segment swept by a disc, a box is swept by a point, an ellipsoid sweeps a point.

Distances are found from how near a ray passes to the axis or centre, not from the usual b² - ac, whose digits
cancel: single precision then draws a fingertip as sharply as double.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

_ONE = np.float32(1)
_TINY = np.float32(1e-30)
_FLAT_M = np.float32(1e-5)
"""A box thinner than this is a plane and has only an upper side."""


def dot(a: Sequence[Float32Array] | Float32Array, b: Sequence[Float32Array] | Float32Array) -> Float32Array:
    """Inner products (…) of vectors (3, …)."""
    product: Float32Array = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def product(matrix: Float32Array, vectors: Float32Array) -> Float32Array:
    """Matrix (M, K) times vectors (K, N), without BLAS.

    It is as fast on one processor. On several, the threads of OpenBLAS wait for each other by spinning, and
    take from whatever else runs.
    """
    result: Float32Array = np.einsum("mk,kn->mn", matrix, vectors)
    return result


def length(a: Float32Array) -> Float32Array:
    """Lengths (…) of vectors (3, …)."""
    return np.sqrt(dot(a, a))


# Entries: arguments `start` (3, T, 1), where all rays of a packet begin, `ray` (3, T, B), and `radii`, `half`
# (3, T, 1); result (T, B) in lengths of the ray. Where a ray misses, the result is NaN or infinite.


def capsule_entry(
    start: Float32Array, ray: Float32Array, radii: Float32Array, half: Float32Array
) -> Float32Array:
    """Where a ray enters the endless tube tells which ball of the sweep it enters: the one at that height."""
    (x, y, z), (dx, dy, dz), r, h = start, ray, radii[2], half[2]
    across = dx * dx + dy * dy
    square = across + dz * dz
    across += _TINY
    offset = x * dy - y * dx
    tube_entry = (x * dx + y * dy + np.sqrt(across * (r * r) - offset * offset)) / -across
    centre = np.minimum(np.maximum(z + tube_entry * dz, -h), h)
    return _ball_entry((x, y, z - centre), ray, square, r)


def cylinder_entry(
    start: Float32Array, ray: Float32Array, radii: Float32Array, half: Float32Array
) -> Float32Array:
    """A cylinder is what an endless tube and a slab have in common; a ray is in it while it is in both."""
    (x, y, z), (dx, dy, dz), r, h = start, ray, radii[0], half[2]
    across = dx * dx + dy * dy + _TINY
    offset = x * dy - y * dx
    half_chord = np.sqrt(across * (r * r) - offset * offset) / across
    middle = (x * dx + y * dy) / -across
    slab_entry, slab_exit = _slab(z, dz, h)
    entry = np.maximum(middle - half_chord, slab_entry)
    return _unless_left(entry, np.minimum(middle + half_chord, slab_exit))


def box_entry(
    start: Float32Array, ray: Float32Array, radii: Float32Array, half: Float32Array
) -> Float32Array:
    """A box is what three slabs have in common."""
    (x, x_exit), (y, y_exit), (z, z_exit) = (_slab(*axis) for axis in zip(start, ray, half, strict=True))
    return _unless_left(np.maximum(np.maximum(x, y), z), np.minimum(np.minimum(x_exit, y_exit), z_exit))


def ellipsoid_entry(
    start: Float32Array,
    ray: Float32Array,
    radii: Float32Array,
    half: Float32Array,
) -> Float32Array:
    """In units of its radii it is a unit ball."""
    ray = ray / radii
    return _ball_entry(start / radii, ray, dot(ray, ray), np.ones_like(radii[0]))


def _ball_entry(
    start: Sequence[Float32Array] | Float32Array,
    ray: Float32Array,
    square: Float32Array,
    radius: Float32Array,
) -> Float32Array:
    """Where rays of squared length `square` enter a ball about the origin."""
    nearest = dot(start, ray) / -square
    off_centre = [o + nearest * d for o, d in zip(start, ray, strict=True)]
    entry: Float32Array = nearest - np.sqrt((radius * radius - dot(off_centre, off_centre)) / square)
    return entry


def _slab(start: Float32Array, ray: Float32Array, half: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Where rays enter and leave |coordinate| ≤ half."""
    inverse = 1 / ray
    one, other = (-half - start) * inverse, (half - start) * inverse
    return np.minimum(one, other), np.maximum(one, other)


def _unless_left(entry: Float32Array, leave: Float32Array) -> Float32Array:
    """The entry, or infinite where a ray has left by then; division by false is faster than `np.where`."""
    return np.divide(entry, entry <= leave, dtype=np.float32)


# Normals: arguments `point` on the surface, `radii`, `half`, all (3, N); result (3, N), outward, any length.


def capsule_normal(point: Float32Array, radii: Float32Array, half: Float32Array) -> Float32Array:
    """Away from the nearest point of the axis."""
    nearest: Float32Array = np.minimum(np.maximum(point, -half), half)
    return point - nearest


def cylinder_normal(point: Float32Array, radii: Float32Array, half: Float32Array) -> Float32Array:
    """Along the axis on the lids, away from it elsewhere."""
    x, y, z = point
    on_lid = half[2] - np.abs(z) < radii[0] - np.sqrt(x * x + y * y)
    normal: Float32Array = point * np.stack([~on_lid, ~on_lid, on_lid])
    return normal


def box_normal(point: Float32Array, radii: Float32Array, half: Float32Array) -> Float32Array:
    """Along the axis of the nearest face."""
    face = np.argmin(half - np.abs(point), axis=0)
    normal: Float32Array = (face == np.arange(3)[:, None]) * np.where(point < -_FLAT_M, -_ONE, _ONE)
    return normal


def ellipsoid_normal(point: Float32Array, radii: Float32Array, half: Float32Array) -> Float32Array:
    """The gradient of Σ(xᵢ/rᵢ)²."""
    normal: Float32Array = point / (radii * radii)
    return normal


CAPSULE, CYLINDER, BOX, ELLIPSOID = range(4)

ENTRY: tuple[Callable[[Float32Array, Float32Array, Float32Array, Float32Array], Float32Array], ...] = (
    capsule_entry,
    cylinder_entry,
    box_entry,
    ellipsoid_entry,
)
NORMAL: tuple[Callable[[Float32Array, Float32Array, Float32Array], Float32Array], ...] = (
    capsule_normal,
    cylinder_normal,
    box_normal,
    ellipsoid_normal,
)
