"""A benchmark's results: a table with one row per trial, one with a row per policy, and what both were made
with. Whatever has not been run has no row: nothing missing ever counts as a failure.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]

from ..files import read_json, reading, write_json
from ..grasping.objects import TASKS
from .pieces import TRIALS_FILE
from .plan import CONFIGURATIONS, NOMINAL, OPERATOR, TRAINING_TASKS
from .runs import LATENCY_FILE
from .setting import Setting
from .statistics import Interval, newcombe, wilson
from .trials import Trial

SETTING_FILE = "setting.json"
KNOWN = TRAINING_TASKS
NOVEL = tuple(task for task in TASKS if task not in TRAINING_TASKS)

_WRITE_ANEW = "Start the benchmark again with the same command: it makes what is missing."
_SHARES = ["is_success", "is_held", "is_crushed", "is_dropped", "was_lifted"]
_TRIAL_COLUMNS = [column.name for column in fields(Trial) if column.name != "seed"]
_COLUMNS = ["configuration", "seed", "condition", "scene", *_TRIAL_COLUMNS]
_LATENCY_COLUMNS = ["median_ms", "p95_ms", "device", "threads", "parameters"]
_POLICY_COLUMNS = ["configuration", "seed", "steps", "wall_s", *_LATENCY_COLUMNS]


@dataclass(frozen=True)
class Cell:
    """Several trials in sum; means are over all of them unless said otherwise.

    Attributes:
        successes: in how many the object was held uncrushed.
        held: in how many it was held, crushed or not: the paper's verdict.
        trials: how many there were.
        seeds: from how many training seeds.
        crushed: in how many the object was deformed beyond its limit.
        dropped: in how many the rising hand left it behind.
        never_lifted: in how many the hand did not rise.
        peak: highest grip force, newtons.
        highest: the highest of all, newtons.
        grip: grip force while lifted, newtons, over the trials in which the hand rose; None if in none.
        deformation: largest deformation, millimetres.
        duration: until the verdict, seconds.
    """

    successes: int
    held: int
    trials: int
    seeds: int
    crushed: int
    dropped: int
    never_lifted: int
    peak: float
    highest: float
    grip: float | None
    deformation: float
    duration: float

    @property
    def rate(self) -> float:
        return self.successes / self.trials

    @property
    def held_rate(self) -> float:
        return self.held / self.trials

    @property
    def interval(self) -> Interval:
        """95 % interval of the rate."""
        return wilson(self.successes, self.trials)

    def minus(self, other: "Cell") -> Interval:
        """95 % interval of the difference of the rates."""
        return newcombe(self.successes, self.trials, other.successes, other.trials)


def pool(rows: pd.DataFrame) -> Cell | None:
    """Rows of trials in sum; None if there is none."""
    if rows.empty:
        return None
    counts = rows[_SHARES].sum().round().astype(int)
    means = rows[["peak_grip_force_n", "max_deformation_mm", "duration_s"]].mean()
    lifted = rows["was_lifted"]
    return Cell(
        successes=int(counts["is_success"]),
        held=int(counts["is_held"]),
        trials=len(rows),
        seeds=rows["seed"].nunique(),
        crushed=int(counts["is_crushed"]),
        dropped=int(counts["is_dropped"]),
        never_lifted=len(rows) - int(counts["was_lifted"]),
        peak=float(means["peak_grip_force_n"]),
        highest=float(rows["peak_grip_force_n"].max()),
        grip=float((rows["mean_grip_force_n"] * lifted).sum() / lifted.sum()) if lifted.any() else None,
        deformation=float(means["max_deformation_mm"]),
        duration=float(means["duration_s"]),
    )


@dataclass(frozen=True)
class Pair:
    """A policy's trials under two conditions, with the same objects in the same scenes."""

    before: Cell
    after: Cell

    @property
    def points(self) -> float:
        """Change of success, percentage points."""
        return 100 * (self.after.rate - self.before.rate)


class Results:
    """A benchmark, as far as it has come.

    Args:
        trials: one row per trial: `configuration`, `seed`, `condition`, `scene`, and the fields of `Trial`.
        policies: one row per run: `configuration`, `seed`, and what is known of its training and latency.
        setting: what both were made with.
    """

    def __init__(self, trials: pd.DataFrame, policies: pd.DataFrame, setting: Setting) -> None:
        self.trials, self.policies, self.setting = trials, policies, setting
        self._groups = dict(tuple(trials.groupby(["configuration", "condition"], sort=False)))

    def rows(
        self, name: str, condition: str = NOMINAL.name, tasks: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Trials of a configuration under a condition; with some objects only, or with all."""
        rows = self._groups.get((name, condition))
        if rows is None:
            return self.trials.iloc[:0]
        return rows if tasks is None else rows[rows["task"].isin(list(tasks))]

    def cell(
        self, name: str, condition: str = NOMINAL.name, tasks: Collection[str] | None = None
    ) -> Cell | None:
        """The same in sum, every seed pooled."""
        return pool(self.rows(name, condition, tasks))

    def seed_rates(self, name: str) -> list[float]:
        """Success of each training seed under the nominal condition."""
        cells = [pool(rows) for _, rows in self.rows(name).groupby("seed")]
        return [cell.rate for cell in cells if cell]

    def pair(self, name: str, condition: str) -> Pair | None:
        """A condition beside the nominal one, on the objects and scenes that were tried under both."""
        scene = ["seed", "task", "scene"]
        before, after = (self.rows(name, tried).set_index(scene) for tried in (NOMINAL.name, condition))
        both = after.index.intersection(before.index)
        nominal, changed = (pool(rows.loc[both].reset_index()) for rows in (before, after))
        return Pair(nominal, changed) if nominal and changed else None

    def tried(self, *conditions: str) -> list[str]:
        """Configurations with trials under at least one of the conditions."""
        return [name for name in CONFIGURATIONS if any((name, tried) in self._groups for tried in conditions)]

    def progress(self) -> tuple[int, int]:
        """How many of the planned policies were tried in all nominal scenes, and how many are planned."""
        profile = self.setting.profile
        planned = [CONFIGURATIONS[name] for name in profile["configurations"] if name in CONFIGURATIONS]
        scenes = [self.rows(entry.name).groupby("seed")["scene"].nunique() for entry in planned]
        seeds = [profile["strategy_seeds" if entry.is_strategy else "other_seeds"] for entry in planned]
        tried = [int((each >= profile["trials"]).sum()) for each in scenes]
        # Seeds beyond the plan are in the tables, and make up for none that is missing.
        return sum(map(min, tried, seeds)), sum(seeds)

    def write(self, home: Path) -> None:
        """Keep everything beside the report."""
        partial = home / f"{TRIALS_FILE}.partial"
        self.trials.to_parquet(partial, index=False)
        partial.rename(home / TRIALS_FILE)
        policies = json.loads(self.policies.to_json(orient="records", double_precision=6))
        write_json(home / SETTING_FILE, {"setting": asdict(self.setting), "policies": policies})


def read_results(home: Path) -> Results:
    """Results that were kept beside a report.

    Raises:
        ValueError: if a file is missing or damaged.
    """
    with reading(home / SETTING_FILE, "the setting of a benchmark", _WRITE_ANEW):
        content = read_json(home / SETTING_FILE)
        setting = Setting(**{**content["setting"], "commits": tuple(content["setting"]["commits"])})
        policies = pd.DataFrame(content["policies"], columns=_POLICY_COLUMNS)
    with reading(home / TRIALS_FILE, "a table of trials", _WRITE_ANEW):
        trials = pd.read_parquet(home / TRIALS_FILE)[_COLUMNS]
    return Results(trials, policies, setting)


def read_commits(home: Path) -> tuple[str, ...]:
    """Commits with which the results beside a report were made; none if there are none."""
    return read_results(home).setting.commits if (home / SETTING_FILE).exists() else ()


def collect(home: Path, setting: Setting) -> Results:
    """Read what every run below a benchmark's folder has left.

    Raises:
        ValueError: if one of its files is damaged.
    """
    trials, policies = [], []
    for name in (*CONFIGURATIONS, OPERATOR):
        for folder in sorted((home / "runs" / name).glob("seed_*"), key=lambda path: int(path.name[5:])):
            run = {"configuration": name, "seed": int(folder.name[5:])}
            for path in sorted(folder.glob("trials/*/*.json")):
                with reading(path, "the trials of one scene", f"Remove it. {_WRITE_ANEW}"):
                    place = {**run, "condition": path.parent.name, "scene": int(path.stem)}
                    trials += [place | {key: row[key] for key in _TRIAL_COLUMNS} for row in read_json(path)]
            policies.append({**run, **_read_training(folder / "training.jsonl"), **_read_latency(folder)})
    table = pd.DataFrame(trials, columns=_COLUMNS).astype(dict.fromkeys(_SHARES, float))
    return Results(table, pd.DataFrame(policies, columns=_POLICY_COLUMNS), setting)


def _read_latency(folder: Path) -> dict[str, Any]:
    path = folder / LATENCY_FILE
    if not path.exists():
        return {}
    with reading(path, "the latency of a policy", f"Remove it. {_WRITE_ANEW}"):
        content = read_json(path)
        return {key: content[key] for key in _LATENCY_COLUMNS}


def _read_training(path: Path) -> dict[str, Any]:
    """Steps done and seconds taken; a line may be half written."""
    if not path.exists():
        return {}
    with reading(path, "one JSON object a line", "Remove it: only the time of training is lost."):
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = pd.DataFrame([json.loads(line) for line in lines if line.endswith("}")])
        if rows.empty:
            return {}
        # Elapsed time starts again when training goes on after an interruption.
        goes_on = rows["elapsed_s"].shift(-1) > rows["elapsed_s"]
        return {"steps": int(rows["step"].iloc[-1]), "wall_s": float(rows["elapsed_s"][~goes_on].sum())}
