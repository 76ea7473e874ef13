"""Which of the benchmark's expectations hold, worked out from its numbers."""

from collections.abc import Sequence

from .numbers import number, percent, percent_range, points, signed
from .plan import CONFIGURATIONS, MODALITY_SETS, STRATEGIES
from .results import Cell, Results
from .statistics import Interval

LEAST_SUCCESS = 0.95
FAR_BEHIND = 0.30
"""Difference of success rates that counts as far; the paper's is 0.85."""
RELEVANT = 0.10
"""Difference of success rates that matters."""
_YES, _NO, _OPEN = "**holds**", "**does not hold**", "not known yet"


def verdicts(results: Results) -> list[tuple[str, str, str]]:
    """Every expectation, whether it holds, and why."""
    far = number(100 * FAR_BEHIND, 0)
    every = ("softgrasp", *MODALITY_SETS)
    return [
        (f"SoftGrasp reaches {percent(LEAST_SUCCESS, 0)}", *reaches(results)),
        ("SoftGrasp is first of the four strategies", *is_first(results, STRATEGIES)),
        ("I+T+A is first of the seven sets of modalities", *is_first(results, every)),
        (f"Direct Connection is {far} points behind or more", *is_far_behind(results)),
    ]


def reaches(results: Results) -> tuple[str, str]:
    """Whether SoftGrasp's success rate is high enough."""
    cell = results.cell("softgrasp")
    if cell is None:
        return _OPEN, "SoftGrasp has not been tried"
    reason = f"{percent(cell.rate)} of {cell.trials} trials, interval {percent_range(cell.interval)}"
    return (_YES if cell.rate >= LEAST_SUCCESS else _NO), reason


def is_first(results: Results, names: Sequence[str]) -> tuple[str, str]:
    """Whether SoftGrasp has the highest rate of some configurations."""
    cells = {name: cell for name in names if (cell := results.cell(name))}
    missing = [CONFIGURATIONS[name].title for name in names if name not in cells]
    if "softgrasp" not in cells:
        return _OPEN, "SoftGrasp has not been tried"
    ours = cells["softgrasp"].rate
    others = {name: cell.rate for name, cell in cells.items() if name != "softgrasp"}
    for relation, rivals in (
        ("higher", {name: rate for name, rate in others.items() if rate > ours}),
        ("level with it", {name: rate for name, rate in others.items() if rate == ours}),
    ):
        if rivals:
            return _NO, f"SoftGrasp {percent(ours)}; {relation}: {_list_rates(rivals)}"
    if missing:
        return _OPEN, f"not tried: {', '.join(missing)}"
    second = max(others, key=lambda name: others[name])
    significance = _significance(cells["softgrasp"].minus(cells[second]))
    return _YES, f"SoftGrasp {percent(ours)}; next: {_list_rates({second: others[second]})}, {significance}"


def is_far_behind(results: Results) -> tuple[str, str]:
    """Whether concatenating the modalities costs most of the success."""
    ours, other = results.cell("softgrasp"), results.cell("concat")
    if ours is None or other is None:
        return _OPEN, "not both have been tried"
    interval = ours.minus(other)
    holds = ours.rate - other.rate >= FAR_BEHIND and interval.low > 0
    reason = f"{signed(100 * (ours.rate - other.rate))} points, interval {points(interval)}"
    return (_YES if holds else _NO), reason


def difference(ours: Cell, other: Cell) -> list[str]:
    """A configuration's row in the table of differences, after its title."""
    interval = ours.minus(other)
    return [
        percent(other.rate),
        signed(100 * (ours.rate - other.rate)),
        points(interval),
        _significance(interval),
        _relevance(interval),
        f"{ours.trials}, {other.trials}",
    ]


def _list_rates(rates: dict[str, float]) -> str:
    return ", ".join(f"{CONFIGURATIONS[name].title} {percent(rate)}" for name, rate in rates.items())


def _significance(interval: Interval) -> str:
    return "not significant" if 0 in interval else "significant"


def _relevance(interval: Interval) -> str:
    """What an interval says about a difference that matters, in either direction."""
    if interval.low >= RELEVANT or interval.high <= -RELEVANT:
        return "yes"
    return "no" if interval.low > -RELEVANT and interval.high < RELEVANT else "open"
