"""Casting rays at solids: neighbouring rays travel in packets, and a packet meets only what its bounds touch.

A pair of packet and solid is the unit of work, and all pairs are worked on at once, so that NumPy is busy
with arithmetic and not with being called.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from .primitives import Float32Array, product
from .solids import OUTLINE_DIRECTIONS, IntArray, Solids, View

PACKET = 64
"""Rays in a packet; in a picture, 8x8 pixels."""


@dataclass(frozen=True)
class Packets:
    """Rays from one view, grouped with their neighbours.

    Attributes:
        view: where they start.
        ray: number of the ray in each place, shape (P, 64); the last packet is filled up with its last ray.
        direction: shape (P, 3, 64), of any length.
        low: least image coordinate of each packet along the outline directions, shape (4, P).
        high: greatest, likewise.
    """

    view: View
    ray: IntArray
    direction: Float32Array
    low: Float32Array
    high: Float32Array

    @classmethod
    def make(cls, view: View, ray: IntArray, direction: Float32Array, cell: IntArray) -> Self:
        """Group rays that are all in front of the view.

        Args:
            view: where they start.
            ray: their numbers, shape (N,).
            direction: theirs, shape (3, N).
            cell: column and row of each, below 2¹⁶, on some grid over the view, shape (2, N); rays are taken
                along a Z-order curve through it, on which 64 cells in succession fill a square of 8x8.
        """
        order = np.argsort(_interleave(cell), kind="stable")
        order = np.pad(order, (0, -len(order) % PACKET), mode="edge").reshape(-1, PACKET)
        along = product(OUTLINE_DIRECTIONS.astype(np.float32), view.image(direction))
        along = along.take(order.T, axis=1)
        packets = np.ascontiguousarray(direction.take(order, axis=1).swapaxes(0, 1))
        return cls(view, ray.take(order), packets, along.min(1), along.max(1))

    def first_hits(self, solids: Solids) -> tuple[IntArray, IntArray, Float32Array]:
        """What every ray meets first.

        Returns:
            Rays that meet anything, which solid, and how many lengths of the ray away, each (H,). A ray that
            enters two at the same point is there twice.
        """
        packet, index = self._pairs(solids)
        nearness = solids.nearness(index, self.view.origin, self.direction, packet)
        nearest = np.zeros(self.ray.shape, np.float32)
        starts = np.flatnonzero(np.diff(packet, prepend=-1))
        rank = np.arange(len(packet)) - np.repeat(starts, np.diff(starts, append=len(packet)))
        for layer in range(rank.max(initial=-1) + 1):  # one solid of every packet at a time
            rows = np.flatnonzero(rank == layer)
            nearest[packet[rows]] = np.fmax(nearest[packet[rows]], nearness[rows])
        first = np.flatnonzero((nearness == nearest.take(packet, axis=0)) & (nearness > 0))
        distance: Float32Array = np.float32(1) / nearness.take(first)
        return self._rays(packet, first), index.take(first // PACKET), distance

    def blocked(self, solids: Solids, within: float) -> IntArray:
        """Rays that meet anything within so many of their lengths; a ray may be there more than once."""
        packet, index = self._pairs(solids)
        nearness = solids.nearness(index, self.view.origin, self.direction, packet)
        return self._rays(packet, np.flatnonzero(nearness > 1 / within))

    def _pairs(self, solids: Solids) -> tuple[IntArray, IntArray]:
        """Packet and solid of every pair that may meet, sorted by packet."""
        low, high = (bound.astype(np.float32).T[..., None] for bound in solids.outlines(self.view))
        # Most packets are far from every solid.
        near = np.flatnonzero(((self.low <= high.max(1)) & (self.high >= low.min(1))).all(0))
        meets = np.ones((low.shape[1], len(near)), bool)
        for packet_low, packet_high, least, greatest in zip(self.low, self.high, low, high, strict=True):
            meets &= packet_low.take(near) <= greatest
            meets &= packet_high.take(near) >= least
        pair = np.flatnonzero(meets.T)
        place = pair // len(meets)
        return near.take(place), pair - place * len(meets)

    def _rays(self, packet: IntArray, place: IntArray) -> IntArray:
        """Rays (M,) at places (M,) of a flat array (T, 64) whose rows belong to `packet` (T,)."""
        row = place // PACKET
        return self.ray.take(place + (packet.take(row) - row) * PACKET)


def _interleave(cell: IntArray) -> NDArray[np.unsignedinteger]:
    """Numbers (N,) along the Z-order curve, of the smallest type, which NumPy sorts fastest."""
    bits = cell.astype(np.uint32)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | bits << np.uint32(shift)) & np.uint32(mask)
    curve: NDArray[np.uint32] = bits[0] | bits[1] << np.uint32(1)
    return np.asarray(curve, dtype=np.min_scalar_type(curve.max(initial=0)))
