"""Does the benchmark's pieces of work: record, train a configuration with one seed, try it; resumable.

Everything is a file below the run's folder: `lerobot-train`'s checkpoints, `training.jsonl`, and a
`trials/<condition>/<scene>.json`. What is there is not done again.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from lerobot.configs.train import TrainPipelineConfig
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import OBS_STATE
from torch import Tensor

import lerobot_robot_softgrasp  # noqa: F401  makes the policies known by name

from ..datasets.caching_accelerator import train_from_memory
from ..envs.softgrasp_sim import SoftGraspSimEnv
from ..files import write_json
from ..hub_configs import config_path
from ..joints import IMAGE_FEATURE
from ..lerobot_internals import goes_on_from, hears_training
from ..policies.runner import PolicyRunner
from ..simulation.catalogue import SIM_OBJECT_BY_TASK
from ..simulation.episode import EpisodeConfig, run_operator_episode
from .demonstrations import decoded_frames, demonstrate, frames_folder
from .interventions import Donor, donor_episode
from .pieces import (
    RECORD,
    TRAIN,
    TRY,
    Run,
    Work,
    last_checkpoint,
    missing_trials,
    operator_folder,
    trained_policy,
)
from .plan import (
    CONFIGURATIONS,
    FIRST_TRIAL_SEED,
    NOMINAL,
    OPERATOR,
    Condition,
    Demonstrations,
    Profile,
    tasks_of,
)
from .trials import Trace, Trial, make_trial, run_trials

type Report = Callable[[str], None]

TRACED_TASKS = ("object_06", "object_08", "object_09")
"""One object of each hardness class: rigid, soft-plastic, deformable (Figs. 7–9)."""
LATENCY_FILE = "latency.json"
_LATENCY_REPETITIONS = 100


def do_piece(work: Work, piece: str, device: str, report: Report) -> None:
    """Do one piece of work, or what is left of it.

    Args:
        work: the benchmark it belongs to.
        piece: `operator`, `record:KIND`, `train:CONFIGURATION/SEED` or `try:CONFIGURATION/SEED`.
        device: where policies are trained and run: cpu, cuda, mps.
        report: receives a line about how far it is.

    Raises:
        ValueError: if there is no such piece, or another comes first.
    """
    kind, _, rest = piece.partition(":")
    name, _, seed = rest.partition("/")
    if piece == OPERATOR:
        try_operator(work.home, work.profile, report)
    elif kind == RECORD and rest in {entry.demonstrations for entry in CONFIGURATIONS.values()}:
        record(work.home, work.profile, rest, report)
    elif kind in (TRAIN, TRY) and name in CONFIGURATIONS and seed.isdigit():
        run = work.run(CONFIGURATIONS[name], int(seed))
        if kind == TRAIN:
            train_run(run, device, report)
        elif not run.is_trained:  # a checkpoint may be there, but not the last one
            raise ValueError(f"--piece={piece}: {TRAIN}:{rest} comes first.")
        try_run(run, [NOMINAL] if kind == TRAIN else run.further_conditions, report)
    else:
        raise ValueError(
            f"--piece={piece}: expected {OPERATOR}, {RECORD}:KIND, {TRAIN}:CONFIGURATION/SEED or "
            f"{TRY}:CONFIGURATION/SEED."
        )


def dataset_root(home: Path, kind: Demonstrations) -> Path:
    """Folder of the benchmark's demonstrations of one kind."""
    return home / "datasets" / kind


def repo_id(kind: Demonstrations) -> str:
    """Name of the benchmark's demonstrations of one kind."""
    return f"softgrasp/benchmark_{kind}"


def record(home: Path, profile: Profile, kind: Demonstrations, report: Report) -> None:
    """Make a training set and decode its frames, unless it is there."""
    config, root = profile.demonstrations(kind), dataset_root(home, kind)
    for saved in demonstrate(config, repo_id(kind), root):
        report(f"episode {saved}/{config.num_episodes}")
    dataset = LeRobotDataset(repo_id(kind), root=root)
    for key in dataset.meta.camera_keys:
        decoded_frames(dataset, key)


def train_config(run: Run, device: str) -> TrainPipelineConfig:
    """The configuration as `lerobot-train` would parse it."""
    root = dataset_root(run.home, run.configuration.demonstrations)
    path = config_path(f"train/{run.configuration.config}")
    policy_type = yaml.safe_load(path.read_text(encoding="utf-8"))["policy"]["type"]
    arguments = [
        *run.profile.options,
        *run.profile.network.get(policy_type, ()),
        *run.profile.network.get(run.configuration.name, ()),
        *run.configuration.options,
        f"--dataset.repo_id={repo_id(run.configuration.demonstrations)}",
        f"--dataset.root={root}",
        f"--policy.device={device}",
        "--num_workers=0",
        f"--seed={run.seed}",
    ]
    cfg = TrainPipelineConfig.from_pretrained(path, cli_args=arguments)
    cfg.output_dir = run.folder
    return cfg


def train_run(run: Run, device: str, report: Report) -> None:
    """Train to the end, with `lerobot-train`'s own loop; goes on from the last checkpoint if there is one.

    Raises:
        ValueError: if the demonstrations were not recorded, or there are trials of a policy that is gone.
    """
    kind = run.configuration.demonstrations
    root, checkpoint = dataset_root(run.home, kind), last_checkpoint(run.folder)
    if not root.exists():  # LeRobot would look for them on the Hub
        raise ValueError(
            f"There are no demonstrations to train {run.name} with: {RECORD}:{kind} comes first."
        )
    log, started = run.folder / "training.jsonl", time.monotonic()
    cfg = train_config(run, device)
    cfg.resume = checkpoint.exists()
    if not cfg.resume and run.folder.exists():  # LeRobot begins in a folder that is not there
        shutil.rmtree(checkpoint.parent, ignore_errors=True)
        log.unlink(missing_ok=True)
        if any(run.folder.iterdir()):
            raise ValueError(f"{run.folder} holds trials of a policy that is gone: remove it to train anew.")
        run.folder.rmdir()

    def hear(numbers: dict[str, float]) -> None:
        step = numbers.pop("steps")
        row = {"elapsed_s": time.monotonic() - started, **numbers}
        row = {"step": step} | {key: float(f"{value:.5g}") for key, value in row.items()}
        run.folder.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        report(f"step {step}/{cfg.steps}, loss {numbers['loss']:.4f}")

    with hears_training(hear), goes_on_from(checkpoint):
        train_from_memory(cfg, frames_folder(root), resized=False)


def try_run(run: Run, conditions: Iterable[Condition], report: Report) -> None:
    """Try the trained policy under the given conditions."""
    loaded: PolicyRunner | None = None
    donors = Donors(run)
    for condition, seed, path in missing_trials(run.folder, conditions, run.profile):
        tasks = tasks_of(condition, run.profile.tasks)
        loaded = loaded or PolicyRunner(str(trained_policy(run.folder)))
        make_env = partial(
            SoftGraspSimEnv,
            height=run.profile.image_size[0],
            width=run.profile.image_size[1],
            torque=condition.torque,
            world=replace(run.profile.world, **condition.world),
        )
        trials, traces = run_trials(loaded, make_env, tasks, seed, condition.intervention, donors.find)
        if condition == NOMINAL and seed == FIRST_TRIAL_SEED:
            _keep_traces(run.folder / "traces", trials, traces)
            _keep_latency(run.folder / LATENCY_FILE, loaded, traces[0])
        write_json(path, [trial.to_json() for trial in trials])
        successes = sum(trial.is_success for trial in trials)
        report(f"{condition.name}, scene {seed}: {successes} of {len(trials)}")


def try_operator(home: Path, profile: Profile, report: Report) -> None:
    """Let the virtual operator grasp the same objects in the same scenes."""
    config = EpisodeConfig(world=profile.world)
    for _, seed, path in missing_trials(operator_folder(home), [NOMINAL], profile):
        trials = []
        for task in profile.tasks:
            result = run_operator_episode(SIM_OBJECT_BY_TASK[task].object_id, seed, config)
            state = np.hstack([result.closure, result.torque])
            outcome = result.outcome.to_info()
            trials.append(make_trial(task, seed, outcome, state, result.lift_height_m, config.fps))
        write_json(path, [trial.to_json() for trial in trials])
        report(f"scene {seed}: {sum(trial.is_success for trial in trials)} of {len(trials)}")


class Donors:
    """Recorded demonstrations to take a modality from.

    Args:
        run: whose demonstrations.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._opened: tuple[LeRobotDataset, Tensor] | None = None

    def find(self, task: str, seed: int) -> Donor:
        """The demonstration of `donor_episode`."""
        kind, profile = self._run.configuration.demonstrations, self._run.profile
        if self._opened is None:
            opened = LeRobotDataset(repo_id(kind), root=dataset_root(self._run.home, kind))
            self._opened = opened, decoded_frames(opened, IMAGE_FEATURE)
        dataset, images = self._opened
        episode = donor_episode(profile.demonstrations(kind), task, seed)
        row = dataset.meta.episodes[episode]
        frames = slice(row["dataset_from_index"], row["dataset_to_index"])
        state = dataset.hf_dataset.with_format("numpy")[frames][OBS_STATE]
        return Donor(np.asarray(state, dtype=np.float64), images[frames].permute(0, 2, 3, 1).numpy())


def _keep_traces(folder: Path, trials: list[Trial], traces: list[Trace]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for trial, trace in zip(trials, traces, strict=True):
        if trial.task in TRACED_TASKS:
            columns: dict[str, Any] = {
                "state": trace.state,
                "lift_height_m": trace.lift_height_m,
                "images": trace.images,
                "is_success": trial.is_success,
            }
            columns |= {f"attention_{name}": values for name, values in trace.attention.items()}
            np.savez_compressed(folder / f"{trial.task}.npz", **columns)


def _keep_latency(path: Path, runner: PolicyRunner, trace: Trace) -> None:
    """Time from one frame to the action for one robot, processors included."""
    image = torch.from_numpy(trace.images[0]).permute(2, 0, 1).float() / 255.0
    item = {OBS_STATE: torch.from_numpy(trace.state[0]).float(), IMAGE_FEATURE: image, "task": ""}
    runner.reset()
    times_ms = []
    for _ in range(_LATENCY_REPETITIONS):
        started = time.perf_counter()
        runner.act(item)
        times_ms.append(1e3 * (time.perf_counter() - started))
    runner.reset()
    write_json(
        path,
        {
            "median_ms": float(np.median(times_ms)),
            "p95_ms": float(np.percentile(times_ms, 95)),
            "device": str(runner.device),
            "threads": torch.get_num_threads(),
            "parameters": sum(parameter.numel() for parameter in runner.policy.parameters()),
        },
    )
