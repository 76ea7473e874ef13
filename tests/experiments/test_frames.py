from pathlib import Path

import pytest
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.datasets import LeRobotDataset
from lerobot.datasets.factory import resolve_delta_timestamps
from torch.utils.data import DataLoader

from softgrasp_plugin.experiments.frames import CachedDataset, FrameCache, as_is
from softgrasp_plugin.policies.softgrasp.example import make_example_config

from .conftest import REPO_ID


@pytest.mark.parametrize("overrides", [{}, {"chunk_size": 10, "num_stack": 2, "frameskip": 3}])
def test_samples_are_those_of_lerobots_dataset(
    demonstrations: Path, cache: FrameCache, overrides: dict[str, int]
) -> None:
    config = make_example_config(48, 64, **overrides)
    theirs = LeRobotDataset(
        REPO_ID,
        root=demonstrations,
        delta_timestamps=resolve_delta_timestamps(config, cache.meta),
        video_backend="pyav",
        return_uint8=True,
    )
    boundary = int(cache.episode_ends[0])
    indices = [0, 3, 40, boundary - 1, boundary, boundary + 4, len(cache) - 1]
    batch = next(iter(DataLoader([theirs[index] for index in indices], batch_size=len(indices))))
    ours = CachedDataset(cache, config).__getitems__(indices)
    for key, value in ours.items():
        torch.testing.assert_close(value, batch[key], rtol=0, atol=0)


def test_a_policy_that_sees_one_frame_gets_no_stack(cache: FrameCache) -> None:
    class OneFrame(type(make_example_config())):  # type: ignore[misc]
        observation_delta_indices = None

    config: PreTrainedConfig = make_example_config(48, 64)
    config.__class__ = OneFrame
    batch = CachedDataset(cache, config).__getitems__([5, 6])
    assert batch["observation.images.side"].shape == (2, 3, 48, 64)
    torch.testing.assert_close(batch["observation.state"], cache.state[5:7])


def test_only_what_the_policy_reads_is_delivered(cache: FrameCache) -> None:
    dataset = CachedDataset(cache, make_example_config(48, 64, modalities=["angle", "torque"]))
    assert set(dataset[0]) == {"observation.state", "action", "action_is_pad"}


def test_a_data_loader_gets_whole_batches(cache: FrameCache) -> None:
    dataset = CachedDataset(cache, make_example_config(48, 64))
    batches = list(DataLoader(dataset, batch_size=32, collate_fn=as_is))
    assert sum(len(batch["action"]) for batch in batches) == len(cache)
    assert batches[0]["observation.images.side"].dtype is torch.uint8
