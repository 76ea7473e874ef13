"""Which of the benchmark's expectations hold, worked out from its numbers."""

from collections.abc import Sequence

from .markdown import number, percent, percent_range, points, signed, table
from .plan import CONFIGURATIONS, MODALITY_SETS, STRATEGIES
from .results import Cell
from .statistics import Interval
from .view import View, difference_of, interval_of

LEAST_SUCCESS = 0.95
FAR_BEHIND = 0.30
"""Difference of success rates that counts as far; the paper's is 0.85."""
RELEVANT = 0.10
"""Difference of success rates that matters."""
_YES, _NO, _OPEN = "**holds**", "**does not hold**", "not known yet"


def targets(view: View) -> str:
    """The section on what was expected and what came."""
    rows = [
        [f"SoftGrasp reaches {percent(LEAST_SUCCESS, 0)}", *reaches(view)],
        ["SoftGrasp is first of the four strategies", *is_first(view, STRATEGIES)],
        ["I+T+A is first of the seven sets of modalities", *is_first(view, ("softgrasp", *MODALITY_SETS))],
        [f"Direct Connection is {number(100 * FAR_BEHIND, 0)} points behind or more", *is_far_behind(view)],
    ]
    header = ("target", "verdict", "because")
    ours = view.cell("softgrasp")
    done, planned = view.progress()
    unfinished = f" So far {done} of {planned} policies are done, so all this is provisional."
    text = _TEXT + (unfinished if done < planned else "")
    parts = [f"## Targets\n\n{text}\n\n{table(header, rows, range(3))}\n"]
    if ours is not None:
        others = [name for name in CONFIGURATIONS if name != "softgrasp"]
        found = [(name, cell) for name in others if (cell := view.cell(name))]
        differences = [_difference(CONFIGURATIONS[name].title, ours, cell) for name, cell in found]
        if differences:
            parts.append(f"{_DIFFERENCES}\n\n{table(_HEADER, differences)}\n")
    return "\n".join(parts)


def reaches(view: View) -> tuple[str, str]:
    """Whether SoftGrasp's success rate is high enough."""
    cell = view.cell("softgrasp")
    if cell is None:
        return _OPEN, "SoftGrasp has not been tried"
    reason = f"{percent(cell.rate)} of {cell.trials} trials, interval {percent_range(interval_of(cell))}"
    return (_YES if cell.rate >= LEAST_SUCCESS else _NO), reason


def is_first(view: View, names: Sequence[str]) -> tuple[str, str]:
    """Whether SoftGrasp has the highest rate of some configurations."""
    cells = {name: cell for name in names if (cell := view.cell(name))}
    missing = [CONFIGURATIONS[name].title for name in names if name not in cells]
    if "softgrasp" not in cells:
        return _OPEN, "SoftGrasp has not been tried"
    ours = cells["softgrasp"].rate
    others = {name: cell.rate for name, cell in cells.items() if name != "softgrasp"}
    better = {name: rate for name, rate in others.items() if rate > ours}
    if better:
        return _NO, f"SoftGrasp {percent(ours)}; higher: {_list_rates(better)}"
    level = {name: rate for name, rate in others.items() if rate == ours}
    if level:
        return _NO, f"SoftGrasp {percent(ours)}; level with it: {_list_rates(level)}"
    if missing:
        return _OPEN, f"not tried: {', '.join(missing)}"
    second = max(others, key=lambda name: others[name])
    significance = _significance(difference_of(cells["softgrasp"], cells[second]))
    return _YES, f"SoftGrasp {percent(ours)}; next: {_list_rates({second: others[second]})}, {significance}"


def is_far_behind(view: View) -> tuple[str, str]:
    """Whether concatenating the modalities costs most of the success."""
    ours, other = view.cell("softgrasp"), view.cell("concat")
    if ours is None or other is None:
        return _OPEN, "not both have been tried"
    interval = difference_of(ours, other)
    holds = ours.rate - other.rate >= FAR_BEHIND and interval.low > 0
    reason = f"{signed(100 * (ours.rate - other.rate))} points, interval {points(interval)}"
    return (_YES if holds else _NO), reason


def _list_rates(rates: dict[str, float]) -> str:
    return ", ".join(f"{CONFIGURATIONS[name].title} {percent(rate)}" for name, rate in rates.items())


def _difference(title: str, ours: Cell, other: Cell) -> list[str]:
    interval = difference_of(ours, other)
    return [
        title,
        percent(other.rate),
        signed(100 * (ours.rate - other.rate)),
        points(interval),
        _significance(interval),
        _relevance(interval),
        f"{ours.trials}, {other.trials}",
    ]


def _significance(interval: Interval) -> str:
    return "not significant" if 0 in interval else "significant"


def _relevance(interval: Interval) -> str:
    """What an interval says about a difference that matters, in either direction."""
    if interval.low >= RELEVANT or interval.high <= -RELEVANT:
        return "yes"
    return "no" if interval.low > -RELEVANT and interval.high < RELEVANT else "open"


_TEXT = (
    "What the paper leads one to expect, and whether these numbers bear it out. A verdict is about the "
    "measured rates; whether chance could have made the difference is said beside it."
)
_DIFFERENCES = (
    "SoftGrasp minus each other configuration, in percentage points with Newcombe's 95 % interval (hybrid "
    "score, method 10). A difference is significant if its interval leaves out zero. The last column but "
    f"one says whether the difference is {number(100 * RELEVANT, 0)} points or more: `yes` if the whole "
    "interval is, `no` if none of it is, `open` if the trials do not decide."
)
_HEADER = (
    "configuration",
    "its success",
    "difference",
    "95 % interval",
    "significance",
    f"{number(100 * RELEVANT, 0)} points or more",
    "trials",
)
