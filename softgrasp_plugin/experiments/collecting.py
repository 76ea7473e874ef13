"""Reads what the benchmark's runs have left so far."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .evaluation import Trial
from .plan import CONFIGURATIONS, NOMINAL, OPERATOR
from .results import Cell, ConditionResult, Latency, Results, RunResult, SceneValues, Training
from .runs import LATENCY_FILE
from .setting import Setting


def collect(home: Path, setting: Setting) -> Results:
    """Read every run below a benchmark's folder.

    Args:
        home: the benchmark's folder.
        setting: what it ran on and with.
    """
    runs = []
    for name in (*CONFIGURATIONS, OPERATOR):
        folders = (home / "runs" / name).glob("seed_*")
        by_seed = {int(folder.name.removeprefix("seed_")): folder for folder in folders}
        runs += [_read_run(name, seed, by_seed[seed]) for seed in sorted(by_seed)]
    return Results(setting, tuple(run for run in runs if run.training or run.conditions))


def read_trials(folder: Path) -> dict[int, list[Trial]]:
    """Trials by scene, in ascending order, from a run's folder of one condition."""
    paths = sorted(folder.glob("*.json"), key=lambda path: int(path.stem))
    return {
        int(path.stem): [Trial(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
        for path in paths
    }


def _read_run(name: str, seed: int, folder: Path) -> RunResult:
    conditions = {}
    for path in sorted((folder / "trials").glob("*")):
        if scenes := read_trials(path):
            conditions[path.name] = _summarise(scenes, path.name == NOMINAL.name)
    latency = folder / LATENCY_FILE
    return RunResult(
        configuration=name,
        seed=seed,
        training=_read_training(folder / "training.jsonl"),
        latency=Latency(**json.loads(latency.read_text(encoding="utf-8"))) if latency.exists() else None,
        conditions=conditions,
    )


def _read_training(path: Path) -> Training | None:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    # A line may be half written.
    rows = [json.loads(line) for line in lines if line.endswith("}")]
    if not rows:
        return None
    elapsed = [float(row["elapsed_s"]) for row in rows]
    # Elapsed time starts again when training goes on after an interruption.
    ends = [now for now, then in zip(elapsed, [*elapsed[1:], 0.0], strict=True) if then <= now]
    return Training(steps=int(rows[-1]["step"]), wall_s=sum(ends), final_loss=float(rows[-1]["loss"]))


def _summarise(scenes: dict[int, list[Trial]], with_scenes: bool) -> ConditionResult:
    by_task: dict[str, list[Trial]] = {}
    for trials in scenes.values():
        for trial in trials:
            by_task.setdefault(trial.task, []).append(trial)
    # Sorted, because the objects of a random set come in no order of ours.
    tasks = sorted(by_task)
    complete = [task for task in tasks if len(by_task[task]) == len(scenes)]
    return ConditionResult(
        scenes=tuple(scenes),
        cells={task: summarise(by_task[task]) for task in tasks},
        by_scene={task: _scene_values(by_task[task]) for task in complete} if with_scenes else {},
    )


def summarise(trials: Sequence[Trial]) -> Cell:
    """Trials of one object in sum."""
    grips = [trial.mean_grip_force_n for trial in trials if trial.was_lifted]
    peaks = [trial.peak_grip_force_n for trial in trials]
    return Cell(
        successes=sum(trial.is_success for trial in trials),
        trials=len(trials),
        never_lifted=len(trials) - len(grips),
        mean_peak_n=round(float(np.mean(peaks)), 2),
        mean_grip_n=round(float(np.mean(grips)), 2) if grips else None,
        mean_deformation_mm=round(float(np.mean([trial.max_deformation_mm for trial in trials])), 2),
        crushed=sum(trial.is_crushed for trial in trials),
        dropped=sum(trial.is_dropped for trial in trials),
        max_peak_n=round(max(peaks), 2),
        mean_duration_s=round(float(np.mean([trial.duration_s for trial in trials])), 2),
    )


def _scene_values(trials: Sequence[Trial]) -> SceneValues:
    return SceneValues(
        success="".join("01"[trial.is_success] for trial in trials),
        lifted="".join("01"[trial.was_lifted] for trial in trials),
        peak_n=tuple(round(trial.peak_grip_force_n, 2) for trial in trials),
        grip_n=tuple(round(trial.mean_grip_force_n, 2) for trial in trials),
        deformation_mm=tuple(round(trial.max_deformation_mm, 2) for trial in trials),
    )
