"""The benchmark's demonstrations; frames are decoded once for all processes that share its folder."""

from pathlib import Path

from lerobot.configs import PreTrainedConfig
from lerobot.datasets import LeRobotDataset
from torch import Tensor

from ..datasets.frame_cache import CachedDataset, cached_frames
from ..lerobot_internals import delta_timestamps


def open_demonstrations(repo_id: str, root: Path, policy: PreTrainedConfig | None = None) -> LeRobotDataset:
    """A dataset of the benchmark.

    Args:
        repo_id: its name.
        root: its folder.
        policy: whose samples it gives; None for single frames.
    """
    dataset = LeRobotDataset(repo_id, root=root, video_backend="pyav")
    if policy is None:
        return dataset
    deltas = delta_timestamps(policy, dataset.meta)
    return LeRobotDataset(repo_id, root=root, video_backend="pyav", delta_timestamps=deltas)


def decoded_frames(dataset: LeRobotDataset, key: str) -> Tensor:
    """All frames of a camera, (N, 3, H, W) uint8, mapped from a file beside the dataset's folder."""
    return cached_frames(dataset, key, folder=_folder(dataset))


def samples(dataset: LeRobotDataset, policy: PreTrainedConfig) -> CachedDataset:
    """The samples of a dataset from memory, with the cameras that a policy reads."""
    cameras = [key for key in dataset.meta.camera_keys if key in (policy.input_features or {})]
    return CachedDataset(dataset, dict.fromkeys(cameras), folder=_folder(dataset))


def _folder(dataset: LeRobotDataset) -> Path:
    root = Path(dataset.root)
    return root.with_name(f"{root.name}.frames")
