"""Numbers as a person reads them; what is not known is a dash. Filters of the report's template."""

from collections.abc import Callable
from typing import Any

from jinja2 import Undefined

from .statistics import Interval

DASH = "–"
_MINUS = "−"


def number(value: float, digits: int = 1) -> str:
    """A number with a fixed number of decimals."""
    return f"{value:.{digits}f}".replace("-", _MINUS)


def signed(value: float, digits: int = 1) -> str:
    """A change, with its sign unless it rounds to zero."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", _MINUS)


def percent(rate: float, digits: int = 1) -> str:
    """A share."""
    return f"{number(100 * rate, digits)} %"


def percent_range(interval: Interval) -> str:
    """An interval of shares, in percent."""
    return f"{number(100 * interval.low)}…{number(100 * interval.high)} %"


def points(interval: Interval) -> str:
    """An interval of differences of shares, in percentage points."""
    return f"{signed(100 * interval.low)}…{signed(100 * interval.high)}"


def count(value: float) -> str:
    """A whole number, in groups of three digits."""
    return f"{int(value):,}".replace(",", " ")


def listed(values: list[str]) -> str:
    """Entries with commas; a dash without any."""
    return ", ".join(values) or DASH


def _or_dash(text: Callable[..., str]) -> Callable[..., str]:
    """The same for the template, where a value may not be known."""

    def filtered(value: Any, *arguments: Any) -> str:
        # Not a number: what pandas makes of an empty cell.
        is_known = value is not None and not isinstance(value, Undefined) and value == value
        return text(value, *arguments) if is_known else DASH

    return filtered


FILTERS = {
    function.__name__: _or_dash(function)
    for function in (number, signed, percent, percent_range, points, count, listed)
}
