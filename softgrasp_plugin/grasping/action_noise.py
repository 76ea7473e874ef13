"""Slow noise for the executed command while the recorded one stays clean (DART: Laskey et al., 2017).

A policy that only saw perfect demonstrations has never seen its own small errors, nor how to recover from
them.
"""

import numpy as np

from ..joints import NUM_JOINTS, THUMB_SWING, FloatArray

_CORRELATION = 0.9
_SWING_SHARE = 0.3
"""The swing sets where the thumb meets the object; shaken as much as the others, it knocks light objects
over.
"""


class ActionNoise:
    """A first-order autoregressive process in closure, one value per joint and control tick.

    Args:
        std: stationary standard deviation in closure; 0.004 is about 2 N on a rigid object.
        seed: the same seed gives the same noise.

    Raises:
        ValueError: if `std` is negative or not finite.
    """

    def __init__(self, std: float, seed: int) -> None:
        if not 0 <= std < np.inf:
            raise ValueError(f"std is a standard deviation in closure, 0 or more; got {std}.")
        self._rng = np.random.default_rng(seed)
        self._scale = np.full(NUM_JOINTS, std)
        self._scale[THUMB_SWING] *= _SWING_SHARE
        self._value = np.zeros(NUM_JOINTS)

    def step(self) -> FloatArray:
        """The next value, shape (6,), to be added to the commanded closure; it starts near zero."""
        innovation = np.sqrt(1 - _CORRELATION**2) * self._rng.standard_normal(NUM_JOINTS)
        self._value = _CORRELATION * self._value + self._scale * innovation
        return self._value.copy()
