"""How `lerobot-train`'s own loop gets its batches from memory.

LeRobot's `train(cfg, accelerator)` builds dataset, sampler and data loader itself, and hands the loader to
the accelerator it was given. Ours replaces the loader's dataset with the same samples from a `CachedDataset`,
and leaves everything else (order, batch size, sharding over processes) to LeRobot and Accelerate.
"""

import logging
from collections.abc import Mapping
from typing import Any

from accelerate import Accelerator
from lerobot.datasets import LeRobotDataset
from torch.utils.data import DataLoader
from tqdm import tqdm  # type: ignore[import-untyped]

from .frame_cache import CachedDataset, as_is

logger = logging.getLogger(__name__)


class CachingAccelerator(Accelerator):
    """An `Accelerator` whose data loaders deliver LeRobot's samples from memory.

    Args:
        image_sizes: cameras that are delivered, with the (height, width) of their frames, or None for their
            own.
        **kwargs: those of `Accelerator`.
    """

    def __init__(self, image_sizes: Mapping[str, tuple[int, int] | None], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._image_sizes = dict(image_sizes)

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

            cached = CachedDataset(dataset, self._image_sizes, self.device, report=report)
        logger.info("%d samples come from memory, on %s.", len(cached), self.device)
        return cached
