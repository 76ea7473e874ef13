"""How well a policy predicts the next moment of episodes it was not trained on, beside doing nothing.

Most one-step changes of a grasp are zero, so a small error alone says little: every error stands beside that
of a baseline that copies the last measurement, and the skill is what the policy takes off that error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import ACTION, OBS_STATE
from tqdm import tqdm  # type: ignore[import-untyped]

from ..joints import CLOSURE_KEYS, JOINTS, TORQUE_KEYS, FloatArray

QUANTITIES: dict[str, tuple[str, ...]] = {"closure": CLOSURE_KEYS, "torque": TORQUE_KEYS}
"""What is predicted and measured: closures (dimensionless) and torques (newtons)."""


class Predictor(Protocol):
    """A loaded policy, such as `policies.runner.PolicyRunner`."""

    def reset(self) -> None: ...

    def act(self, item: dict[str, Any]) -> tuple[FloatArray, dict[str, float]]: ...


@dataclass(frozen=True)
class EpisodePrediction:
    """Predictions over one episode of N frames.

    The last frame has no next moment, so errors are over N − 1 frames.

    Attributes:
        predicted: (N, 6) per quantity: the closure to command now, the torque at the next moment.
        truth: (N, 6) per quantity: the demonstrated ones; the last row of the torque is NaN.
        copied: (N, 6) per quantity: the measurement at the frame itself, which the baseline predicts.
        attention: (N,) per modality; empty for a policy without attention.
    """

    predicted: dict[str, FloatArray]
    truth: dict[str, FloatArray]
    copied: dict[str, FloatArray]
    attention: dict[str, FloatArray]


@dataclass(frozen=True)
class Errors:
    """Mean absolute errors per quantity, each of shape (6,).

    Attributes:
        policy: of the policy.
        copy_last: of predicting that the last measurement stays.
        frames: how many frames they are over.
    """

    policy: dict[str, FloatArray]
    copy_last: dict[str, FloatArray]
    frames: int

    def skill(self, quantity: str) -> float:
        """1 − error / error of copying: 1 is perfect, 0 no better than copying; NaN if nothing moved."""
        baseline = float(self.copy_last[quantity].mean())
        return 1.0 - float(self.policy[quantity].mean()) / baseline if baseline > 0 else float("nan")


def predict_episode(runner: Predictor, dataset: LeRobotDataset, episode: int) -> EpisodePrediction:
    """Run the policy over a recorded episode, frame by frame from its reset, as on the robot.

    Args:
        runner: the policy. Its action's torques are those of the next moment (SoftGrasp, section 3.2.3).
        dataset: all episodes of a dataset with closures and torques in state and action.
        episode: which one.

    Raises:
        ValueError: if the dataset lacks a joint's column.
    """
    start, stop = episode_bounds(dataset, episode)
    columns = {
        feature: {name: joint_columns(dataset, feature, keys) for name, keys in QUANTITIES.items()}
        for feature in (ACTION, OBS_STATE)
    }
    actions, states, predictions, attention = [], [], [], []
    runner.reset()
    for index in tqdm(range(start, stop), desc=f"Predicting episode {episode}", unit="frame", leave=False):
        item = dataset[index]
        action, scores = runner.act(item)
        predictions.append(action)
        attention.append(scores)
        actions.append(item[ACTION].double().numpy())
        states.append(item[OBS_STATE].double().numpy())
    predicted = _by_quantity(np.stack(predictions), columns[ACTION])
    truth = _by_quantity(np.stack(actions), columns[ACTION])
    truth["torque"] = np.concatenate([truth["torque"][1:], np.full((1, len(JOINTS)), np.nan)])
    return EpisodePrediction(
        predicted,
        truth,
        copied=_by_quantity(np.stack(states), columns[OBS_STATE]),
        attention={name: np.array([scores[name] for scores in attention]) for name in attention[0]},
    )


def measure_errors(episodes: Sequence[EpisodePrediction]) -> Errors:
    """Mean absolute errors over all frames of the episodes that have a next moment."""
    policy: dict[str, FloatArray] = {}
    copy_last: dict[str, FloatArray] = {}
    for quantity in QUANTITIES:
        truth = np.concatenate([episode.truth[quantity][:-1] for episode in episodes])
        for errors, source in ((policy, "predicted"), (copy_last, "copied")):
            guess = np.concatenate([getattr(episode, source)[quantity][:-1] for episode in episodes])
            errors[quantity] = np.abs(guess - truth).mean(axis=0)
    return Errors(policy, copy_last, frames=len(truth))


def format_errors(errors: Errors) -> str:
    """The errors as a table to print."""
    rows: list[tuple[str, ...]] = [("", "closure", "copy-last", "torque N", "copy-last N")]
    for index, joint in enumerate(JOINTS):
        rows.append((joint, *(f"{column[index]:.4f}" for column in _columns(errors))))
    rows.append(("mean", *(f"{column.mean():.4f}" for column in _columns(errors))))
    rows.append(("skill", f"{errors.skill('closure'):+.2f}", "", f"{errors.skill('torque'):+.2f}", ""))
    lines = [f"{row[0]:<12}" + "".join(f"{cell:>13}" for cell in row[1:]) for row in rows]
    return "\n".join([f"Mean absolute error over {errors.frames} frames", *map(str.rstrip, lines)])


def episode_bounds(dataset: LeRobotDataset, episode: int) -> tuple[int, int]:
    """Half-open range of the frames of an episode.

    Raises:
        ValueError: if the dataset has no such episode.
    """
    if not 0 <= episode < dataset.meta.total_episodes:
        raise ValueError(
            f"There is no episode {episode}: the dataset has 0…{dataset.meta.total_episodes - 1}."
        )
    row = dataset.meta.episodes[episode]
    return int(row["dataset_from_index"]), int(row["dataset_to_index"])


def joint_columns(dataset: LeRobotDataset, feature: str, keys: Sequence[str]) -> list[int]:
    """Columns of `keys` in a feature of the dataset.

    Raises:
        ValueError: if the feature or one of the columns is missing.
    """
    names = list(dataset.features.get(feature, {}).get("names") or [])
    if missing := [key for key in keys if key not in names]:
        remedy = ""
        if tuple(missing) == TORQUE_KEYS:
            remedy = (
                " Without torque sensing there is no grasp to draw here: see it with lerobot-dataset-viz."
            )
        raise ValueError(
            f"The dataset's {feature!r} has no {', '.join(missing)}; it has {', '.join(names) or 'no names'}."
            f"{remedy}"
        )
    return [names.index(key) for key in keys]


def _by_quantity(values: FloatArray, columns: dict[str, list[int]]) -> dict[str, FloatArray]:
    return {name: values[:, indices] for name, indices in columns.items()}


def _columns(errors: Errors) -> list[FloatArray]:
    return [side[quantity] for quantity in QUANTITIES for side in (errors.policy, errors.copy_last)]
