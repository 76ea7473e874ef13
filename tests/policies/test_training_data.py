"""Data that would train a policy to NaN or to nonsense are refused, with the column."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.policies.example import make_example_batch

from .small import POLICIES, small_config, small_policy

pytestmark = pytest.mark.parametrize("policy_type", POLICIES)
SWING = 5


def statistics() -> dict[str, dict[str, Any]]:
    low, high = np.zeros(12), np.r_[np.ones(6), np.full(6, 8.0)]
    vector = {"min": low, "max": high, "mean": (low + high) / 2, "std": (high - low) / 4}
    return {name: {key: value.copy() for key, value in vector.items()} for name in (OBS_STATE, ACTION)}


@pytest.mark.parametrize("feature", [OBS_STATE, ACTION])
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("min", np.nan, "not finite"),
        ("min", 2.0, "above its maximum"),
        ("max", 100.0, "percent"),
        ("max", np.inf, "not finite"),
        ("mean", np.nan, "'mean' is not finite"),
        ("std", np.inf, "'std' is not finite"),
    ],
)
def test_statistics(policy_type: str, feature: str, name: str, value: float, message: str) -> None:
    stats = statistics()
    config = small_config(policy_type)
    make_pre_post_processors(config, dataset_stats=stats)
    stats[feature][name][SWING] = value
    with pytest.raises(ValueError, match=rf"statistics of '{feature}'.*{message}"):
        make_pre_post_processors(config, dataset_stats=stats)
    with pytest.raises(ValueError, match=rf"statistics of '{feature}'.*{message}"):
        get_policy_class(policy_type)(config, dataset_meta=SimpleNamespace(fps=30, stats=stats))


@pytest.mark.parametrize("feature", [OBS_STATE, ACTION])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_rows(policy_type: str, feature: str, reduction: str) -> None:
    policy = small_policy(policy_type)
    batch = make_example_batch(policy.config, 3)
    batch[feature][1, ..., SWING] = torch.nan
    options = {} if policy_type == "softgrasp_act" else {"reduction": reduction}
    with pytest.raises(ValueError, match=rf"{feature} in columns \[5\]"):
        policy.forward(batch, **options)
