from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from softgrasp_plugin.datasets.prediction_errors import (
    EpisodePrediction,
    episode_bounds,
    format_errors,
    measure_errors,
    predict_episode,
)
from softgrasp_plugin.joints import STATE_KEYS

LENGTHS = (12, 8)


class Recorded:
    """A dataset in memory whose joints move at a constant rate; columns are in reverse order."""

    def __init__(self, names: tuple[str, ...] = STATE_KEYS[::-1]) -> None:
        self.features = {key: {"names": list(names)} for key in ("observation.state", "action")}
        edges = np.cumsum([0, *LENGTHS]).tolist()
        episodes = [
            {"dataset_from_index": start, "dataset_to_index": stop} for start, stop in pairwise(edges)
        ]
        self.meta = SimpleNamespace(total_episodes=len(LENGTHS), episodes=episodes)

    def __getitem__(self, index: int) -> dict[str, Any]:
        # Column k of 12 moves by (k + 1)/1000 per frame; the action's closure is the next state's.
        rate = torch.arange(1, 13) / 1000
        state, following = index * rate, (index + 1) * rate
        action = torch.cat([following[:6], state[6:]])
        return {"observation.state": state.flip(0), "action": action.flip(0), "task": "grasp"}


class Runner:
    """Predicts the state of `ahead` frames later, with one constant error on the closures."""

    def __init__(self, ahead: int, closure_error: float = 0.0) -> None:
        self.ahead, self.closure_error, self.resets = ahead, closure_error, 0

    def reset(self) -> None:
        self.resets += 1

    def act(self, item: dict[str, Any]) -> tuple[np.ndarray, dict[str, float]]:
        rate = np.arange(1, 13)[::-1] / 1000
        action = item["observation.state"].numpy() + self.ahead * rate
        action[6:] += self.closure_error
        return action, {"image": 0.25, "angle": 0.75}


def predict(runner: Any, episode: int = 0) -> EpisodePrediction:
    return predict_episode(runner, Recorded(), episode)  # type: ignore[arg-type]


def test_the_perfect_policy_has_no_error() -> None:
    runner = Runner(ahead=1)
    errors = measure_errors([predict(runner, 0), predict(runner, 1)])
    assert runner.resets == 2
    assert errors.frames == sum(LENGTHS) - 2  # the last frame of an episode has no next moment
    for quantity in ("closure", "torque"):
        assert errors.policy[quantity] == pytest.approx(np.zeros(6), abs=1e-6)
        assert errors.skill(quantity) == pytest.approx(1.0, abs=1e-5)
    assert errors.copy_last["closure"] == pytest.approx(np.arange(1, 7) / 1000, abs=1e-6)
    assert errors.copy_last["torque"] == pytest.approx(np.arange(7, 13) / 1000, abs=1e-6)


def test_copying_has_no_skill_and_errors_count() -> None:
    errors = measure_errors([predict(Runner(ahead=0))])
    assert [errors.skill(quantity) for quantity in ("closure", "torque")] == pytest.approx([0, 0], abs=1e-5)
    errors = measure_errors([predict(Runner(ahead=1, closure_error=0.01))])
    assert errors.policy["closure"] == pytest.approx(np.full(6, 0.01), abs=1e-6)
    assert errors.policy["torque"] == pytest.approx(np.zeros(6), abs=1e-6)
    assert errors.skill("closure") < -1


def test_skill_is_undefined_where_nothing_moves() -> None:
    still = {name: np.ones((5, 6)) for name in ("closure", "torque")}
    errors = measure_errors([EpisodePrediction(still, still, still, {})])
    assert np.isnan(errors.skill("closure"))
    assert "+nan" in format_errors(errors)


def test_attention_is_kept_per_frame() -> None:
    attention = predict(Runner(ahead=1)).attention
    assert attention["angle"].tolist() == [0.75] * LENGTHS[0]


def test_the_table_names_every_joint() -> None:
    lines = format_errors(measure_errors([predict(Runner(ahead=1))])).splitlines()
    assert lines[0] == "Mean absolute error over 11 frames"
    assert [line.split()[0] for line in lines[2:4]] == ["little_bend", "ring_bend"]
    assert lines[2].split()[1:] == ["0.0000", "0.0010", "0.0000", "0.0070"]
    assert lines[-1].split() == ["skill", "+1.00", "+1.00"]


def test_other_datasets_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'action' has no .*little_bend_torque\.pos"):
        predict_episode(Runner(ahead=1), Recorded(STATE_KEYS[:6] * 2), 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no episode 2: the dataset has 0…1"):
        episode_bounds(Recorded(), 2)  # type: ignore[arg-type]
