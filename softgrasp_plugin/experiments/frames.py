"""A dataset's frames in memory, delivered a batch at a time.

LeRobot decodes a sample's frames from video whenever the sample is drawn, which costs a small network more
time than the network itself (three frames a sample, each in hundreds of samples). Small images fit into
memory: every frame is decoded once, and a batch is a lookup.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from lerobot.utils.constants import ACTION, OBS_PREFIX, OBS_STATE
from torch import Tensor
from torch.utils.data import Dataset

from ..datasets.frame_cache import as_is, cached_frames

__all__ = ["CachedDataset", "FrameCache", "as_is"]


class FrameCache:
    """Every frame of a dataset, decoded.

    Attributes:
        meta: the dataset's metadata.
        state: (N, D) float32.
        action: (N, D) float32.
        images: (N, 3, H, W) uint8 by camera key.
        first: (N,) index of the first frame of each frame's episode.
        last: (N,) index of the last one.
    """

    def __init__(self, repo_id: str, root: Path) -> None:
        """Read a dataset; decoded images are kept beside its folder and mapped into memory.

        Args:
            repo_id: name of the dataset.
            root: its folder.
        """
        dataset = LeRobotDataset(repo_id, root=root, video_backend="pyav")
        self.meta: LeRobotDatasetMetadata = dataset.meta
        table = dataset.hf_dataset.with_format("numpy")
        self.state = torch.from_numpy(np.stack(table[OBS_STATE]).astype(np.float32))
        self.action = torch.from_numpy(np.stack(table[ACTION]).astype(np.float32))
        episodes = self.meta.episodes
        starts, ends = np.array(episodes["dataset_from_index"]), np.array(episodes["dataset_to_index"])
        self.episode_starts, self.episode_ends = starts, ends
        self.first = torch.from_numpy(np.repeat(starts, ends - starts))
        self.last = torch.from_numpy(np.repeat(ends - 1, ends - starts))
        folder = root.with_name(f"{root.name}.frames")  # where every node of a cluster finds it
        self.images = {key: cached_frames(dataset, key, folder=folder) for key in self.meta.video_keys}

    def __len__(self) -> int:
        return len(self.state)


class CachedDataset(Dataset[dict[str, Tensor]]):
    """The samples of a `LeRobotDataset` for one policy, from a `FrameCache`.

    Args:
        cache: the frames.
        config: the policy that is trained: which frames around the present one make a sample.
    """

    def __init__(self, cache: FrameCache, config: PreTrainedConfig) -> None:
        self.cache = cache
        self._past = torch.tensor(config.observation_delta_indices or [0])
        self._has_stack = config.observation_delta_indices is not None
        self._future = torch.tensor(config.action_delta_indices)
        self._keys = [key for key in config.input_features or {} if key.startswith(OBS_PREFIX)]

    def __len__(self) -> int:
        return len(self.cache)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """One batch, as LeRobot's collation of these samples would be.

        Args:
            indices: B frames.

        Returns:
            Images (B, S, 3, H, W) uint8 and `observation.state` (B, S, D), both without S for a policy that
            sees one frame; `action` (B, H, D) and `action_is_pad` (B, H). Beyond the ends of an episode its
            first or last frame is repeated.
        """
        cache, now = self.cache, torch.as_tensor(indices)[:, None]
        first, last = cache.first[now], cache.last[now]
        past = (now + self._past).clamp(min=first, max=last)
        future = now + self._future
        batch = {ACTION: cache.action[future.clamp(min=first, max=last)]}
        batch[f"{ACTION}_is_pad"] = (future < first) | (future > last)
        for key in self._keys:
            source = cache.state if key == OBS_STATE else cache.images[key]
            frames = source[past]
            batch[key] = frames if self._has_stack else frames[:, 0]
        return batch

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {key: value[0] for key, value in self.__getitems__([index]).items()}
