"""Whether numbers that are called closures and newtons can be those: the ranges they must keep.

A recording or dataset of another rig in degrees, percent or register counts has the right shapes and trains
without a word, to a policy that commands nonsense. Its range gives it away.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .joints import CLOSURE_KEYS, TORQUE_KEYS

CLOSURE_OVERSHOOT = 0.05
"""How far a measured closure may lie outside 0…1: an RH56 reports a few counts beyond its ends, and a
calibrated motor passes its calibrated ends a little."""

MAX_TORQUE_N = 60.0
"""No fingertip of a supported hand presses harder: FORCE_ACT of the RH56 ends at ±4000 g (39 N), and the
option `max_force_n` at 30 N."""

# Largest magnitude, what it suggests, and how to convert: the first that is not exceeded.
_CLOSURE_GUESSES = (
    (7.0, "radians", "divide by the joint's range in radians"),
    (105.0, "percent", "divide by 100"),
    (400.0, "degrees", "divide by the joint's range in degrees"),
    (1100.0, "register counts 0…1000", "divide by 1000; an RH56 counts 1000 open, 0 closed"),
)


def check_closure_statistics(names: Sequence[str], minimum: ArrayLike, maximum: ArrayLike) -> None:
    """Refuse the statistics of columns that cannot be in this package's units.

    Args:
        names: D names of columns, such as those of `observation.state`; closures and torques
            (`joints.STATE_KEYS`) are held to their ranges, any other column only to being finite and ordered.
        minimum: shape (D,), smallest value of each column: closures 0 open … 1 closed, torques in newtons.
        maximum: shape (D,), largest value of each column.

    Raises:
        ValueError: if a bound is missing, not finite or above its partner, or a closure or torque lies
            outside what a joint can have; it names the column, the values and the unit they look like.
    """
    low, high = (np.asarray(bound, dtype=np.float64) for bound in (minimum, maximum))
    if low.shape != (len(names),) or high.shape != (len(names),):
        raise ValueError(
            f"Statistics of shapes {low.shape} and {high.shape} for {len(names)} columns: "
            f"{', '.join(map(str, names))}."
        )
    for name, smallest, largest in zip(names, low.tolist(), high.tolist(), strict=True):
        if not (np.isfinite(smallest) and np.isfinite(largest)):
            raise ValueError(
                f"Column {name!r} ranges over {smallest:g}…{largest:g}: not finite. Some of its frames are "
                "NaN or infinite; find and remove those episodes."
            )
        if smallest > largest:
            raise ValueError(f"Column {name!r} has a minimum of {smallest:g} above its maximum {largest:g}.")
        if name in CLOSURE_KEYS:
            _check_closure(name, smallest, largest)
        elif name in TORQUE_KEYS:
            _check_torque(name, smallest, largest)


def _check_closure(name: str, smallest: float, largest: float) -> None:
    if smallest >= -CLOSURE_OVERSHOOT and largest <= 1.0 + CLOSURE_OVERSHOOT:
        return
    reach = max(abs(smallest), abs(largest))
    guess = next(
        (f" They look like {unit}: {remedy}." for limit, unit, remedy in _CLOSURE_GUESSES if reach <= limit),
        "",
    )
    raise ValueError(
        f"Column {name!r} ranges over {smallest:g}…{largest:g}; a closure lies in 0 (open) … 1 (closed)."
        f"{guess}"
    )


def _check_torque(name: str, smallest: float, largest: float) -> None:
    reach = max(abs(smallest), abs(largest))
    if reach <= MAX_TORQUE_N:
        return
    guess = " It looks like grams-force: multiply by 0.00980665." if reach <= 5000.0 else ""
    raise ValueError(
        f"Column {name!r} ranges over {smallest:g}…{largest:g}; a fingertip force in newtons lies within "
        f"±{MAX_TORQUE_N:g}.{guess}"
    )
