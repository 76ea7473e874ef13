"""`softgrasp-benchmark`: success of a policy on the objects of Table 2, in simulation.

```shell
softgrasp-benchmark --policy=operator --output_dir=outputs/benchmark
softgrasp-benchmark --policy=operator --output_dir=outputs/quick --episodes=5
--objects="[object_01,object_06]" ```

Writes ``results.json`` (every trial) and ``table.md`` (one row per object) to the output folder, prints the
table, and ends with exit status 1 if an object's success is below ``--min_success``.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from draccus.utils import ParsingError
from lerobot.configs import parser
from tqdm import tqdm  # type: ignore[import-untyped]

from ..grasping.objects import OBJECT_BY_TASK, TASKS
from ..simulation.episode import EpisodeConfig, EpisodeResult, run_operator_episode

POLICIES = ("operator",)
_MEASURES = ("mean grip N", "peak grip N", "max deformation mm", "duration s")


@dataclass
class BenchmarkConfig:
    """Options of `softgrasp-benchmark`."""

    # Folder for results.json and table.md; made if it does not exist.
    output_dir: Path
    # What grasps: "operator", the simulated person behind the force-feedback glove.
    policy: str = "operator"
    # Trials per object; trial n is the scene with seed first_seed + n.
    episodes: int = 20
    first_seed: int = 0
    # Tasks to run.
    objects: list[str] = field(default_factory=lambda: list(TASKS))
    # Standard deviation of slow noise on the executed closure.
    action_noise: float = 0.0
    # Lowest share of successes, per object, that passes.
    min_success: float = 0.95
    # Processes that simulate at the same time.
    workers: int = 2

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ValueError(f"--policy={self.policy}: expected one of {', '.join(POLICIES)}.")
        unknown = [task for task in self.objects if task not in OBJECT_BY_TASK]
        if unknown or not self.objects:
            raise ValueError(f"--objects={self.objects}: expected some of {', '.join(TASKS)}.")
        for name in ("episodes", "workers"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name}={getattr(self, name)}: expected 1 or more.")
        if self.action_noise < 0:
            raise ValueError(f"--action_noise={self.action_noise}: expected a standard deviation, 0 or more.")
        if not 0 <= self.min_success <= 1:
            raise ValueError(f"--min_success={self.min_success}: expected a share between 0 and 1.")


@dataclass(frozen=True)
class Trial:
    """What is kept of one grasp; forces in newtons, deformation in millimetres, duration in seconds."""

    task: str
    seed: int
    is_success: bool
    is_held: bool
    is_crushed: bool
    mean_grip_force_n: float
    peak_grip_force_n: float
    max_deformation_mm: float
    duration_s: float

    @classmethod
    def of(cls, task: str, result: EpisodeResult) -> "Trial":
        outcome = result.outcome
        return cls(
            task,
            result.seed,
            outcome.is_success,
            outcome.is_held,
            outcome.is_crushed,
            outcome.mean_grip_force_n,
            outcome.peak_grip_force_n,
            outcome.max_deformation_mm,
            result.duration_s,
        )


def _run_trial(job: tuple[str, int, EpisodeConfig]) -> Trial:
    task, seed, config = job
    return Trial.of(task, run_operator_episode(OBJECT_BY_TASK[task].object_id, seed, config))


def run_trials(config: BenchmarkConfig) -> Iterator[Trial]:
    """Run every trial, in order of object and seed."""
    seeds = range(config.first_seed, config.first_seed + config.episodes)
    episode = EpisodeConfig(action_noise=config.action_noise)
    jobs = [(task, seed, episode) for task, seed in product(config.objects, seeds)]
    with ExitStack() as stack:
        if config.workers > 1:
            # A fresh interpreter per worker: a fork would copy whatever threads the caller's libraries hold.
            pool = ProcessPoolExecutor(config.workers, mp_context=get_context("spawn"))
            trials = stack.enter_context(pool).map(_run_trial, jobs)
        else:
            trials = map(_run_trial, jobs)
        yield from tqdm(trials, total=len(jobs), desc=config.policy, unit="grasp")


def success_rate(trials: list[Trial]) -> float:
    """Share of successes."""
    return float(np.mean([trial.is_success for trial in trials]))


def table(trials: list[Trial]) -> str:
    """One Markdown row per object, and their sum."""
    columns = ("object", "material", "success", "held", "crushed", *_MEASURES)
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for task in dict.fromkeys(trial.task for trial in trials):
        rows = [trial for trial in trials if trial.task == task]
        held = [trial.mean_grip_force_n for trial in rows if trial.is_held]
        cells = [
            task,
            OBJECT_BY_TASK[task].material,
            f"{sum(trial.is_success for trial in rows)}/{len(rows)}",
            str(len(held)),
            str(sum(trial.is_crushed for trial in rows)),
            f"{np.mean(held):.1f}" if held else "–",
            f"{max(trial.peak_grip_force_n for trial in rows):.1f}",
            f"{max(trial.max_deformation_mm for trial in rows):.1f}",
            f"{np.mean([trial.duration_s for trial in rows]):.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    total = sum(trial.is_success for trial in trials)
    lines.append(f"| **all** | | **{total}/{len(trials)}** | | | | | | |")
    return "\n".join(lines)


def run(config: BenchmarkConfig) -> bool:
    """Run the benchmark, write and print its results.

    Returns:
        Whether every object reached `min_success`.
    """
    config.output_dir.mkdir(parents=True, exist_ok=True)
    trials = list(run_trials(config))
    options = {**asdict(config), "output_dir": str(config.output_dir)}
    results = {
        "config": options,
        "success_rate": success_rate(trials),
        "trials": [asdict(trial) for trial in trials],
    }
    (config.output_dir / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = table(trials)
    (config.output_dir / "table.md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\nWrote {config.output_dir / 'table.md'} and {config.output_dir / 'results.json'}")

    rates = {task: success_rate([trial for trial in trials if trial.task == task]) for task in config.objects}
    below = {task: rate for task, rate in rates.items() if rate < config.min_success}
    for task, rate in below.items():
        print(f"{task}: success {rate:.0%} is below --min_success={config.min_success:.0%}")
    return not below


@parser.wrap()
def benchmark(config: BenchmarkConfig) -> bool:
    """Entry point of the command; see the module's docstring."""
    return run(config)


def main() -> None:
    """Run `softgrasp-benchmark`; exit status 1 below the wanted success or after a mistake in the options."""
    try:
        passed = benchmark()
    except ParsingError as error:
        sys.exit(f"softgrasp-benchmark: {error.__cause__ or error}")
    except OSError as error:
        sys.exit(f"softgrasp-benchmark: {error}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
