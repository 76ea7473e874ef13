"""Tables and numbers as Markdown; what is not known is a dash."""

from collections.abc import Callable, Collection, Sequence

from .statistics import Interval

DASH = "–"
_MINUS = "−"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[int] = (0,)) -> str:
    """A Markdown table.

    Args:
        header: titles of the columns.
        rows: cells.
        text_columns: places of the columns that hold text; the others hold numbers and align to the right.

    Raises:
        ValueError: if a row is not as long as the header.
    """
    if any(len(row) != len(header) for row in rows):
        raise ValueError(f"Every row needs {len(header)} cells.")
    rule = ["---" if place in text_columns else "--:" for place in range(len(header))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def number(value: float | None, digits: int = 1) -> str:
    """A number with a fixed number of decimals."""
    return DASH if value is None else f"{value:.{digits}f}".replace("-", _MINUS)


def signed(value: float | None, digits: int = 1) -> str:
    """A change, with its sign unless it rounds to zero."""
    if value is None:
        return DASH
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", _MINUS)


def percent(rate: float | None, digits: int = 1) -> str:
    """A share."""
    return DASH if rate is None else f"{number(100 * rate, digits)} %"


def percent_range(interval: Interval | None) -> str:
    """An interval of shares, in percent."""
    return DASH if interval is None else f"{number(100 * interval.low)}…{number(100 * interval.high)} %"


def points(interval: Interval) -> str:
    """An interval of differences of shares, in percentage points."""
    return f"{signed(100 * interval.low)}…{signed(100 * interval.high)}"


def count(value: int | None) -> str:
    """A whole number, in groups of three digits."""
    return DASH if value is None else f"{value:,}".replace(",", " ")


def of[T](value: T | None, text: Callable[[T], str]) -> str:
    """The text of a value, or a dash if there is none."""
    return DASH if value is None else text(value)
