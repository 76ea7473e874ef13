"""Questions to the results of a benchmark, of which any part may be missing."""

from collections.abc import Collection
from dataclasses import dataclass

from ..grasping.objects import OBJECT_BY_TASK, TASKS, Hardness
from .plan import CONFIGURATIONS, NOMINAL, TRAINING_TASKS
from .results import Cell, ConditionResult, Measures, Results, RunResult, pool, pool_cells
from .statistics import Interval, newcombe, wilson

KNOWN = TRAINING_TASKS
NOVEL = tuple(task for task in TASKS if task not in TRAINING_TASKS)


def tasks_of_class(hardness: Hardness) -> tuple[str, ...]:
    """Objects of Table 2 of a class."""
    return tuple(task for task in TASKS if OBJECT_BY_TASK[task].hardness == hardness)


@dataclass(frozen=True)
class Pair:
    """A policy's trials under two conditions, with the same objects in the same scenes.

    Attributes:
        before: under the nominal condition.
        after: under the other one.
        seeds: how many training seeds contribute.
    """

    before: Measures
    after: Measures
    seeds: int


class View:
    """Results by configuration and condition.

    Args:
        results: of the benchmark.
    """

    def __init__(self, results: Results) -> None:
        self.results = results
        self.setting = results.setting

    def runs(self, name: str, condition: str = NOMINAL.name) -> list[RunResult]:
        """Runs of a configuration that were tried under a condition."""
        return [run for run in self.results.runs if run.configuration == name and condition in run.conditions]

    def progress(self) -> tuple[int, int]:
        """How many policies were tried in all their nominal scenes, and how many there are to be."""
        profile = self.setting.profile
        planned = [CONFIGURATIONS[name] for name in profile["configurations"] if name in CONFIGURATIONS]
        done = sum(
            len(run.conditions[NOMINAL.name].scenes) >= profile["trials"]
            for entry in planned
            for run in self.runs(entry.name)
        )
        seeds = [profile["strategy_seeds" if entry.is_strategy else "other_seeds"] for entry in planned]
        return done, sum(seeds)

    def cell(
        self, name: str, condition: str = NOMINAL.name, tasks: Collection[str] | None = None
    ) -> Cell | None:
        """All trials of a configuration, every seed pooled; with some objects only, or with all."""
        return pool_cells(
            cell
            for run in self.runs(name, condition)
            for task, cell in run.conditions[condition].cells.items()
            if tasks is None or task in tasks
        )

    def seed_rates(self, name: str, tasks: Collection[str] | None = None) -> list[float]:
        """Success of each training seed under the nominal condition."""
        rates = []
        for run in self.runs(name):
            cells = run.conditions[NOMINAL.name].cells.items()
            pooled = pool_cells(cell for task, cell in cells if tasks is None or task in tasks)
            rates += [pooled.rate] if pooled else []
        return rates

    def pair(self, name: str, condition: str) -> Pair | None:
        """A condition beside the nominal one, on the objects and scenes that were tried under both."""
        before: list[Measures] = []
        after: list[Measures] = []
        seeds = 0
        for run in self.runs(name, condition):
            pairs = _same_scenes(run.conditions.get(NOMINAL.name), run.conditions[condition])
            before += [pair[0] for pair in pairs]
            after += [pair[1] for pair in pairs]
            seeds += bool(pairs)
        nominal, changed = pool(before), pool(after)
        return Pair(nominal, changed, seeds) if nominal and changed else None


def _same_scenes(nominal: ConditionResult | None, other: ConditionResult) -> list[tuple[Measures, Measures]]:
    if nominal is None or not set(other.scenes) <= set(nominal.scenes):
        return []
    places = [nominal.scenes.index(scene) for scene in other.scenes]
    return [
        (nominal.by_scene[task].measures(places), cell)
        for task, cell in other.cells.items()
        if task in nominal.by_scene
    ]


def interval_of(measures: Measures) -> Interval:
    """95 % interval of a success rate."""
    return wilson(measures.successes, measures.trials)


def difference_of(first: Measures, other: Measures) -> Interval:
    """95 % interval of the difference of two success rates, first minus other."""
    return newcombe(first.successes, first.trials, other.successes, other.trials)
