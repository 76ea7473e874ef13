"""A floor under the ranges that normalise joint channels.

A joint that did not move in the demonstrations has a range of zero (or of its sensor noise). Normalised with
it, a touch of 0.01 at run time becomes 10⁶. Widening the range around its middle costs nothing and keeps such
a channel near zero.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_RANGES = (("min", "max"), ("q01", "q99"), ("q10", "q90"))


def floor_ranges(stats: Mapping[str, Any], floors: Sequence[float]) -> dict[str, Any]:
    """Widen the ranges of one feature's statistics to at least `floors`, keeping their middle.

    Args:
        stats: the statistics of one vector feature of D columns, as LeRobot computes them (`min`, `max`,
            `mean`, `std`, `q01`, …).
        floors: D smallest ranges, in the units of the columns.

    Returns:
        A copy. Ranges (min…max, q01…q99, q10…q90) are widened, and `std` is at least that of a uniform
        distribution of the smallest range. Other statistics are kept.

    Raises:
        ValueError: if the statistics have another number of columns.
    """
    smallest = np.asarray(floors, dtype=np.float64)
    floored = dict(stats)
    for low_name, high_name in _RANGES:
        if low_name in stats and high_name in stats:
            low, high = _column_values(stats, low_name, smallest), _column_values(stats, high_name, smallest)
            missing = np.maximum(smallest - (high - low), 0.0)
            floored[low_name], floored[high_name] = low - missing / 2, high + missing / 2
    if "std" in stats:
        floored["std"] = np.maximum(_column_values(stats, "std", smallest), smallest / math.sqrt(12))
    return floored


def _column_values(stats: Mapping[str, Any], name: str, floors: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    values = np.asarray(stats[name], dtype=np.float64)
    if values.shape != floors.shape:
        raise ValueError(
            f"Statistic {name!r} has shape {values.shape}, expected {floors.shape}: one value per column."
        )
    return values
