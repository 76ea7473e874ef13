"""Which of the benchmark's expectations hold, worked out from its numbers."""

from collections.abc import Sequence

from .numbers import number, percent, percent_range, points, signed
from .plan import CONFIGURATIONS, LIMIT, MODALITY_SETS, STRATEGIES
from .results import Cell, Results
from .statistics import Interval, wilson

RELEVANT = 0.10
"""Difference of success rates that matters, and by which Direct Connection is to be behind."""
_YES, _NO, _OPEN = "**holds**", "**does not hold**", "not known yet"
_HELD, _UNCRUSHED = "held", "held uncrushed"


def verdicts(results: Results) -> list[tuple[str, str, str]]:
    """Every expectation, whether it holds, and why."""
    everything, diverse = ("softgrasp", *MODALITY_SETS), CONFIGURATIONS["any_object"].title
    behind = f"Direct Connection is {number(100 * RELEVANT, 0)} points behind or more"
    return [
        _reaches("SoftGrasp", 0.95, _HELD, results.cell("softgrasp")),
        _reaches("SoftGrasp", 0.90, _UNCRUSHED, results.cell("softgrasp")),
        ("SoftGrasp is first of the four strategies", *is_first(results, STRATEGIES)),
        (behind, *is_behind(results, "concat")),
        ("I+T+A is first of the seven sets of modalities", *is_first(results, everything)),
        _reaches(f"“{diverse}”", 0.95, _UNCRUSHED, results.cell("any_object")),
        _reaches(
            f"“{diverse}”, with torque limits", 0.95, _UNCRUSHED, results.cell("any_object", LIMIT.name)
        ),
    ]


def _reaches(title: str, least: float, verdict: str, cell: Cell | None) -> tuple[str, str, str]:
    target = f"{title}: {percent(least, 0)} {verdict}"
    if cell is None:
        return target, _OPEN, "not tried"
    count = cell.held if verdict == _HELD else cell.successes
    interval = percent_range(wilson(count, cell.trials))
    reason = f"{percent(count / cell.trials)} of {cell.trials} trials, interval {interval}"
    return target, _YES if count >= least * cell.trials else _NO, reason


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


def is_behind(results: Results, name: str) -> tuple[str, str]:
    """Whether a configuration is relevantly behind SoftGrasp."""
    ours, other = results.cell("softgrasp"), results.cell(name)
    if ours is None or other is None:
        return _OPEN, "not both have been tried"
    interval = ours.minus(other)
    reason = f"{signed(100 * (ours.rate - other.rate))} points, interval {points(interval)}"
    return (_YES if ours.rate - other.rate >= RELEVANT and interval.low > 0 else _NO), reason


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
