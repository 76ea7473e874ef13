"""Runs of a benchmark that nobody ran: files as a real one leaves them, drawn from a seed."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from softgrasp_plugin.experiments.plan import FIRST_TRIAL_SEED, NOMINAL, PROFILES, Condition, tasks_of
from softgrasp_plugin.experiments.runs import TRACED_TASKS
from softgrasp_plugin.experiments.setting import Setting, describe_setting
from softgrasp_plugin.experiments.trials import Trial
from softgrasp_plugin.grasping.objects import OBJECT_BY_TASK, TASKS

FPS = 30


def setting(profile: str = "cpu") -> Setting:
    return describe_setting(PROFILES[profile], f"softgrasp-benchmark --profile={profile}")


def make_trial(task: str, seed: int, is_success: bool = True, **changes: object) -> Trial:
    parts: dict[str, object] = {
        "task": task,
        "seed": seed,
        "is_success": is_success,
        "is_held": is_success,
        "is_crushed": False,
        "is_dropped": not is_success,
        "was_lifted": True,
        "peak_grip_force_n": 6.0,
        "mean_grip_force_n": 4.0,
        "max_deformation_mm": 1.5,
        "duration_s": 5.0,
        "stable_torque_n": [1.0] * 6 if is_success else None,
        "final_closure": [0.5] * 6,
    }
    return Trial(**(parts | changes))  # type: ignore[arg-type]


def random_trial(task: str, seed: int, rate: float, rng: np.random.Generator) -> Trial:
    """A plausible trial that succeeds with a probability."""
    row = OBJECT_BY_TASK.get(task)
    grip = 3.0 + (row.mass_g if row else 60.0) / 40.0 * rng.uniform(0.9, 1.2)
    success = bool(rng.random() < rate)
    failure = "" if success else rng.choice(["crushed", "dropped", "stuck"])
    torque = grip / 8 * rng.uniform(0.7, 1.3, 6) * (0.5, 0.8, 1.0, 1.1, 1.6, 0.4)
    return make_trial(
        task,
        seed,
        success,
        is_crushed=failure == "crushed",
        is_dropped=failure == "dropped",
        was_lifted=failure != "stuck",
        peak_grip_force_n=round(float(grip * rng.uniform(1.1, 2.0)), 3),
        mean_grip_force_n=0.0 if failure == "stuck" else round(float(grip), 3),
        max_deformation_mm=round(float(rng.uniform(0.1, 4.0)), 3),
        duration_s=round(float(rng.uniform(3.5, 12.0)), 3),
        stable_torque_n=np.round(torque, 3).tolist() if success else None,
        final_closure=np.round(rng.normal((0.45, 0.5, 0.55, 0.55, 0.5, 0.6), 0.04), 3).tolist(),
    )


def write_scene(folder: Path, condition: str, seed: int, trials: Iterable[Trial]) -> None:
    path = folder / "trials" / condition / f"{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([trial.to_json() for trial in trials]) + "\n")


def write_random_run(
    home: Path,
    name: str,
    seed: int,
    conditions: dict[Condition, int] | Iterable[tuple[Condition, int]],
    rate: float,
) -> Path:
    """A trained run with traces and trials: `conditions` are given with how many scenes they have."""
    folder = home / "runs" / name / f"seed_{seed}"
    rng = np.random.default_rng([seed, *name.encode()])
    folder.mkdir(parents=True)
    for condition, scenes in dict(conditions).items() if isinstance(conditions, dict) else conditions:
        chance = rate if condition == NOMINAL else rate * rng.uniform(0.3, 1.0)
        for scene in range(FIRST_TRIAL_SEED, FIRST_TRIAL_SEED + scenes):
            tasks = tasks_of(condition, TASKS)
            write_scene(
                folder, condition.name, scene, [random_trial(task, scene, chance, rng) for task in tasks]
            )
    if name == "operator":
        return folder
    rows = [{"step": step, "elapsed_s": 0.6 * step, "loss": 1 / step} for step in range(200, 1501, 100)]
    (folder / "training.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    latency = {"median_ms": 4.2, "p95_ms": 6.5, "device": "cpu", "threads": 1, "parameters": 1_234_567}
    (folder / "latency.json").write_text(json.dumps(latency))
    for task in TRACED_TASKS:
        write_trace(folder, task, rng, with_attention=name not in ("concat", "act", "timesformer"))
    return folder


def write_trace(folder: Path, task: str, rng: np.random.Generator, with_attention: bool) -> None:
    """Fingers close, touch, hold, and the hand rises; a round object on a table in the images."""
    length = 150
    time = np.arange(length) / FPS
    course = 1 / (1 + np.exp(-4 * (time - 1.2)))
    closure = course[:, None] * (0.45, 0.5, 0.55, 0.55, 0.5, 0.1) + (0, 0, 0, 0, 0, 0.5)
    touch = np.clip((time - 1.5) / 0.5, 0, 1)[:, None] * (0.6, 0.9, 1.2, 1.3, 2.0, 0.3)
    height = 0.1 * np.clip((time - 2.5) / 1.0, 0, 1)
    y, x = np.mgrid[:48, :64]
    images = np.full((length, 48, 64, 3), (168, 160, 148), dtype=np.uint8)
    for frame, lift in enumerate(height):
        images[frame][(x - 32) ** 2 + (y - 32 + 160 * lift) ** 2 < 90] = (180, 90, 50)
        images[frame][(abs(x - 32) < 14) & (abs(y - 14 + 160 * lift) < 5)] = (40, 44, 52)
    attention = {}
    if with_attention:
        logits = np.stack([1 - touch.max(1) / 2, 0.6 + 0 * time, touch.max(1)], axis=1)
        logits += 0.05 * rng.standard_normal(logits.shape)
        scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        attention = dict(
            zip(("attention_image", "attention_angle", "attention_torque"), scores.T, strict=True)
        )
    (folder / "traces").mkdir(exist_ok=True)
    np.savez_compressed(
        folder / "traces" / f"{task}.npz",
        state=np.concatenate([closure, touch + 0.01 * rng.standard_normal(touch.shape)], axis=1),
        lift_height_m=height,
        images=images,
        is_success=True,
        **attention,
    )
