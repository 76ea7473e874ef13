"""Hard bounds of numbers that come from outside: options, files, messages.

Whatever decides a force, a speed, a height or a patience is checked here, so that "inf", "nan", 1e308 and a
value in the wrong unit are refused where they enter, by name, and not where they do harm.
"""

from numbers import Real
from typing import Any


def require_within(
    name: str, value: Any, low: float, high: float, unit: str = "", *, above_low: bool = False
) -> None:
    """Refuse a number outside [low, high].

    Args:
        name: what the user wrote, such as `--teleop.feedback.max_torque`, or the place in a file.
        value: the number; anything else (also a bool) is refused.
        low: smallest value allowed.
        high: largest value allowed.
        unit: unit for the message, such as `N`.
        above_low: whether `low` itself is refused: the interval is (low, high].

    Raises:
        ValueError: if it is not a finite number inside the interval.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if is_number and low <= value <= high and not (above_low and value == low):
        return
    interval = f"{'(' if above_low else '['}{low:g}, {high:g}]{f' {unit}' if unit else ''}"
    raise ValueError(f"{name} must be a number in {interval}, got {_shown(value)}.")


def _shown(value: Any) -> str:
    try:
        text = f"{value!r}"
    except ValueError:  # an integer of thousands of digits is not turned into text
        return "a number of thousands of digits"
    return text if len(text) <= 80 else f"{text[:77]}…"
