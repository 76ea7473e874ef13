"""How `lerobot-train`'s own loop gets its batches from memory.

LeRobot's `train(cfg, accelerator)` builds dataset, sampler and data loader itself, and hands the loader to
the accelerator it was given. Ours replaces the loader's dataset with the same samples from a `CachedDataset`,
and leaves everything else (order, batch size, sharding over processes) to LeRobot and Accelerate.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs
from lerobot.configs.train import TrainPipelineConfig
from lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from torch.utils.data import DataLoader
from tqdm import tqdm  # type: ignore[import-untyped]

from ..allocator import keep_freed_memory
from ..lerobot_internals import train_with
from .frame_cache import NO_TRANSFORMS, CachedDataset, as_is

logger = logging.getLogger(__name__)


class CachingAccelerator(Accelerator):
    """An `Accelerator` whose data loaders deliver LeRobot's samples from memory.

    Args:
        image_sizes: cameras that are delivered, with the (height, width) of their frames, or None for their
            own.
        folder: where decoded frames are kept; None for `cache_folder()`.
        **kwargs: those of `Accelerator`.
    """

    def __init__(
        self,
        image_sizes: Mapping[str, tuple[int, int] | None],
        folder: Path | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._image_sizes, self._folder = dict(image_sizes), folder

    def prepare_data_loader(self, data_loader: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(data_loader.dataset, LeRobotDataset):
            # One process of a machine decodes, and the others map its file.
            with self.local_main_process_first():
                dataset = self._cached(data_loader.dataset)
            data_loader = DataLoader(
                dataset,
                batch_size=data_loader.batch_size,
                sampler=data_loader.sampler,
                drop_last=data_loader.drop_last,
                collate_fn=as_is,
            )
        return super().prepare_data_loader(data_loader, *args, **kwargs)

    def _cached(self, dataset: LeRobotDataset) -> CachedDataset:
        with tqdm(desc="Decoding frames", unit="frame", leave=False, disable=None) as bar:

            def report(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            cached = CachedDataset(dataset, self._image_sizes, self.device, self._folder, report)
        logger.info("%d samples come from memory, on %s.", len(cached), self.device)
        return cached


def train_from_memory(
    settings: TrainPipelineConfig, folder: Path | None = None, resized: bool = True
) -> None:
    """Train as `lerobot-train` does.

    Args:
        settings: those of `lerobot-train`.
        folder: where decoded frames are kept; None for `cache_folder()`.
        resized: keep frames at the size that the policy sees, instead of their own.

    Raises:
        ValueError: if an option asks for what frames in memory cannot give.
    """
    if settings.job.is_remote:
        raise ValueError("--job.target: jobs on the Hub run lerobot-train; submit them with it.")
    if settings.dataset.streaming:
        raise ValueError("--dataset.streaming=true reads what does not fit: use lerobot-train for that.")
    if settings.dataset.image_transforms.enable:
        raise ValueError(NO_TRANSFORMS)
    settings.validate()
    keep_freed_memory()
    dataset = settings.dataset
    meta = LeRobotDatasetMetadata(dataset.repo_id, root=dataset.root, revision=dataset.revision)
    sizes = image_sizes(settings, meta.camera_keys)
    trained = settings.trainable_config
    accelerator = CachingAccelerator(
        sizes if resized else dict.fromkeys(sizes),
        folder,
        # As LeRobot makes its own.
        step_scheduler_with_optimizer=False,
        mixed_precision=mixed_precision(trained),
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        cpu=trained.device == "cpu",
    )
    train_with(settings, accelerator)


def image_sizes(settings: TrainPipelineConfig, cameras: list[str]) -> dict[str, tuple[int, int] | None]:
    """Cameras of the dataset that the policy reads, with the size that it sees them at.

    Args:
        settings: a validated configuration.
        cameras: keys of the dataset's cameras.

    Returns:
        (height, width) by camera, None for frames as they are; empty for a policy that reads no image.
    """
    policy = settings.policy
    key, size = getattr(policy, "image_key", None), getattr(policy, "image_size", None)
    if key is None:  # a policy of somebody else, which may see all of them, as they are
        return dict.fromkeys(cameras)
    read = [camera for camera in cameras if settings.rename_map.get(camera, camera) == key]
    return dict.fromkeys(read if "image" in policy.modalities else [], tuple(size) if size else None)


def mixed_precision(trained: Any) -> str | None:
    """What LeRobot's `train` asks of Accelerate: a policy's `dtype`, or where it has none, `use_amp`."""
    if hasattr(trained, "dtype"):
        return {"bfloat16": "bf16", "float16": "fp16", "float32": "no"}.get(trained.dtype)
    if getattr(trained, "use_amp", False):
        dtype = torch.get_autocast_dtype(torch.device(trained.device).type)
        return {torch.bfloat16: "bf16", torch.float16: "fp16"}[dtype]
    return None
