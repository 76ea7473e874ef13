"""The numbers of a benchmark, few enough for one file, and how to add them up.

Whatever has not been run is absent: no missing scene, condition, seed or configuration ever counts as a
failure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .setting import Setting


@dataclass(frozen=True)
class Measures:
    """Several trials, in sum; means are over all of them unless said otherwise.

    Attributes:
        successes: how many succeeded.
        trials: how many there were.
        never_lifted: in how many the hand did not rise.
        mean_peak_n: highest grip force, newtons.
        mean_grip_n: grip force while lifted, newtons, over the trials in which it rose; None if in none.
        mean_deformation_mm: largest deformation, millimetres.
    """

    successes: int
    trials: int
    never_lifted: int
    mean_peak_n: float
    mean_grip_n: float | None
    mean_deformation_mm: float

    @property
    def rate(self) -> float:
        return self.successes / self.trials


@dataclass(frozen=True)
class Cell(Measures):
    """Trials of one run with one object under one condition, or several such cells pooled.

    Attributes:
        crushed: in how many the object was deformed beyond its limit.
        dropped: in how many the rising hand left it behind.
        max_peak_n: highest grip force of all, newtons.
        mean_duration_s: until the verdict, seconds.
    """

    crushed: int
    dropped: int
    max_peak_n: float
    mean_duration_s: float


@dataclass(frozen=True)
class SceneValues:
    """Trials of one object scene by scene, to compare other conditions in the same scenes.

    Attributes:
        success: one `1` or `0` per scene.
        lifted: the same for whether the hand rose.
        peak_n: highest grip force, newtons.
        grip_n: grip force while lifted, newtons.
        deformation_mm: largest deformation, millimetres.
    """

    success: str
    lifted: str
    peak_n: tuple[float, ...]
    grip_n: tuple[float, ...]
    deformation_mm: tuple[float, ...]

    def measures(self, places: Sequence[int]) -> Measures:
        """The scenes at some places of the list, in sum."""
        lifted = [place for place in places if self.lifted[place] == "1"]
        return Measures(
            successes=sum(self.success[place] == "1" for place in places),
            trials=len(places),
            never_lifted=len(places) - len(lifted),
            mean_peak_n=_mean([self.peak_n[place] for place in places]),
            mean_grip_n=_mean([self.grip_n[place] for place in lifted]) if lifted else None,
            mean_deformation_mm=_mean([self.deformation_mm[place] for place in places]),
        )


@dataclass(frozen=True)
class ConditionResult:
    """One run under one condition.

    Attributes:
        scenes: seeds of the scenes tried.
        cells: by object.
        by_scene: by object, values in the order of `scenes`; empty except for the nominal condition.
    """

    scenes: tuple[int, ...]
    cells: dict[str, Cell]
    by_scene: dict[str, SceneValues]


@dataclass(frozen=True)
class Training:
    """How a policy was trained.

    Attributes:
        steps: done so far.
        wall_s: time it took, seconds, interruptions left out.
        final_loss: mean loss since the step that was logged before the last.
    """

    steps: int
    wall_s: float
    final_loss: float


@dataclass(frozen=True)
class Latency:
    """Time from one frame to the action for one robot, processors included.

    Attributes:
        median_ms: milliseconds.
        p95_ms: 95th percentile, milliseconds.
        device: on which.
        threads: of PyTorch.
        parameters: numbers in the policy.
    """

    median_ms: float
    p95_ms: float
    device: str
    threads: int
    parameters: int


@dataclass(frozen=True)
class RunResult:
    """One configuration trained with one seed, as far as it has come."""

    configuration: str
    seed: int
    training: Training | None
    latency: Latency | None
    conditions: dict[str, ConditionResult]


@dataclass(frozen=True)
class Results:
    """A benchmark, as far as it has come."""

    setting: Setting
    runs: tuple[RunResult, ...]


def pool(parts: Iterable[Measures]) -> Measures | None:
    """Several measures as one; every trial counts once. None if there is none."""
    parts = list(parts)
    return Measures(**_pooled(parts)) if parts else None


def pool_cells(parts: Iterable[Cell]) -> Cell | None:
    """Several cells as one; every trial counts once. None if there is none."""
    parts = list(parts)
    if not parts:
        return None
    trials = [part.trials for part in parts]
    return Cell(
        **_pooled(parts),
        crushed=sum(part.crushed for part in parts),
        dropped=sum(part.dropped for part in parts),
        max_peak_n=max(part.max_peak_n for part in parts),
        mean_duration_s=_mean([part.mean_duration_s for part in parts], trials),
    )


def _pooled(parts: Sequence[Measures]) -> dict[str, Any]:
    trials = [part.trials for part in parts]
    grips = [(part.mean_grip_n, part.trials - part.never_lifted) for part in parts]
    known = [(grip, lifted) for grip, lifted in grips if grip is not None]
    return {
        "successes": sum(part.successes for part in parts),
        "trials": sum(trials),
        "never_lifted": sum(part.never_lifted for part in parts),
        "mean_peak_n": _mean([part.mean_peak_n for part in parts], trials),
        "mean_grip_n": _mean(*map(list, zip(*known, strict=True))) if known else None,
        "mean_deformation_mm": _mean([part.mean_deformation_mm for part in parts], trials),
    }


def _mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    return float(np.average(values, weights=weights))
