"""The samples of a LeRobotDataset from memory: every frame is decoded once, and a batch is a lookup.

LeRobot decodes a sample's frames from video whenever the sample is drawn, which costs a small network more
time than the network itself (three frames a sample, each in hundreds of samples). At the size that the policy
sees a frame is some ten kilobytes: decoded frames go into a file, which is mapped into memory while it is
written and while it is read, so that it may be larger than the memory, and which processes share.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import HF_LEROBOT_HOME
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..lerobot_internals import decode_frames, delta_indices
from ..pictures import resize_bytes

FOLDER_VARIABLE = "SOFTGRASP_FRAME_CACHE"
"""Environment variable that says where decoded frames are kept."""

NO_TRANSFORMS = (
    "--dataset.image_transforms.enable=true changes frames as they are decoded, which happens only once "
    "here: use the policy's own augmentation, or lerobot-train."
)

_FORMAT = 1
"""Goes up whenever the same dataset would be decoded to other bytes."""
_FRAMES_AT_ONCE = 32
_SPARE_BYTES = 1 << 28
_GPU_SHARE = 0.5
"""Frames may take this share of the GPU memory that is free."""

type Report = Callable[[int, int], None]
"""Hears how many frames of how many are decoded."""


def cache_folder() -> Path:
    """Where decoded frames are kept: `$SOFTGRASP_FRAME_CACHE`, or beside LeRobot's datasets."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(HF_LEROBOT_HOME) / "softgrasp_frames"


def cached_frames(
    dataset: LeRobotDataset,
    key: str,
    image_size: tuple[int, int] | None = None,
    folder: Path | None = None,
    report: Report | None = None,
) -> Tensor:
    """All frames of a camera; decoded if this dataset, as it is now, has not been decoded before.

    The file's name is a hash of what it holds: the contents of the dataset's own files, the episodes chosen,
    the size. A dataset that has changed is decoded anew; files of earlier ones can be deleted at any time.

    Args:
        dataset: a dataset, or some episodes of one.
        key: the camera, stored as videos or as images.
        image_size: (height, width) that frames are kept at; None keeps their own.
        folder: where to keep the file; None for `cache_folder()`.
        report: hears of the progress.

    Returns:
        (N, 3, H, W) uint8 in the order of the dataset's rows, mapped from the file.

    Raises:
        OSError: if there is no room for the file.
    """
    height, width, _ = dataset.meta.features[key]["shape"]
    height, width = image_size or (height, width)
    shape = (dataset.num_frames, 3, height, width)
    folder = folder or cache_folder()
    path = folder / f"{fingerprint(dataset, key, (height, width))}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _require_room(folder, shape)
        partial = path.with_name(f"{path.stem}.{os.getpid()}.partial")
        try:
            frames = cast(Any, np.lib.format).open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
            _decode(dataset, key, frames, report)
            frames.flush()
            del frames
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
    # Copy-on-write: PyTorch wants writable memory, and processes share what nobody writes to.
    mapped: NDArray[np.uint8] = np.load(path, mmap_mode="c")
    return torch.from_numpy(mapped)


def fingerprint(dataset: LeRobotDataset, key: str, image_size: tuple[int, int]) -> str:
    """A hash of everything that decoded frames depend on."""
    is_video = key in dataset.meta.video_keys
    rows, paths = [], set()
    for episode in _episodes(dataset):
        row = dataset.meta.episodes[episode]
        get_path = dataset.meta.get_video_file_path if is_video else dataset.meta.get_data_file_path
        path = get_path(episode, key) if is_video else get_path(episode)
        paths.add(path)
        start = row[f"videos/{key}/from_timestamp"] if is_video else row["dataset_from_index"]
        rows.append([episode, row["length"], start, str(path)])
    files = []
    for path in sorted(paths):
        with (dataset.root / path).open("rb") as file:
            files.append([str(path), hashlib.file_digest(file, "sha256").hexdigest()])
    content = json.dumps([_FORMAT, key, list(image_size), dataset.fps, rows, files])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


class CachedDataset(Dataset[dict[str, Any]]):
    """The samples of a `LeRobotDataset`, a batch at a time, from memory.

    Args:
        dataset: what to deliver; with its `delta_timestamps`.
        image_sizes: the cameras to deliver, with the (height, width) to keep their frames at, or None for
            their own. Other cameras are left out.
        device: where frames and columns lie, and batches appear. Frames stay in the computer's memory if they
            would fill more than half of what is free on the device.
        folder: where decoded frames are kept; None for `cache_folder()`.
        report: hears of the progress of decoding.

    Raises:
        ValueError: if the dataset has what cannot be delivered this way, saying what.
    """

    def __init__(
        self,
        dataset: LeRobotDataset,
        image_sizes: dict[str, tuple[int, int] | None],
        device: torch.device | str = "cpu",
        folder: Path | None = None,
        report: Report | None = None,
    ) -> None:
        refusal = why_not(dataset)
        if refusal:
            raise ValueError(refusal)
        self._device = torch.device(device)
        self._deltas: dict[str, list[int]] = {}
        if dataset.delta_timestamps is not None:
            self._deltas = delta_indices(dataset.delta_timestamps, dataset.fps)
        self._videos = set(dataset.meta.video_keys)
        self._tasks = list(dataset.meta.tasks.index)
        self._columns = {key: value.to(self._device) for key, value in _read_columns(dataset).items()}
        episode = self._columns["episode_index"]
        begins = torch.ones_like(episode, dtype=torch.bool)
        begins[1:] = episode[1:] != episode[:-1]
        starts = begins.nonzero().flatten()
        lengths = torch.diff(starts, append=starts.new_tensor([len(episode)]))
        self._first = starts.repeat_interleave(lengths)
        self._last = (starts + lengths - 1).repeat_interleave(lengths)
        self._images: dict[str, Tensor] = {}
        for key, size in image_sizes.items():
            frames = cached_frames(dataset, key, size, folder, report)
            self._images[key] = frames.to(self._device) if _fits(frames, self._device) else frames

    def __len__(self) -> int:
        return len(self._first)

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Any]:
        """One batch, as PyTorch's collation of LeRobot's samples would be.

        Args:
            indices: B rows.

        Returns:
            Images as uint8. Beyond the ends of an episode its first or last frame is repeated.
        """
        now = torch.as_tensor(indices, device=self._device)
        batch: dict[str, Any] = {}
        for key, column in (self._columns | self._images).items():
            if key not in self._deltas:
                batch[key] = _take(column, now)
                continue
            row = now[:, None] + torch.tensor(self._deltas[key], device=self._device)
            first, last = self._first[now][:, None], self._last[now][:, None]
            batch[key] = _take(column, row.clamp(min=first, max=last))
            if key in self._videos and row.shape[1] == 1:
                batch[key] = batch[key][:, 0]  # LeRobot gives a lone frame of a video no axis of its own
            batch[f"{key}_is_pad"] = (row < first) | (row > last)
        batch["task"] = [self._tasks[task] for task in batch["task_index"].tolist()]
        return batch

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {key: value[0] for key, value in self.__getitems__([index]).items()}


def why_not(dataset: LeRobotDataset) -> str | None:
    """Why a dataset's samples cannot come from memory; None if they can."""
    if dataset.image_transforms is not None:
        return NO_TRANSFORMS
    if dataset.meta.depth_keys:
        return f"Depth cameras ({dataset.meta.depth_keys}) are not kept in memory: use lerobot-train."
    features = dataset.meta.features.items()
    texts = [key for key, feature in features if feature["dtype"] in ("string", "language")]
    if texts or dataset.meta.has_language_columns:
        return f"Columns of text ({texts}) are not kept in memory: use lerobot-train."
    return None


def as_is(batch: Any) -> Any:
    """Collation for a dataset whose `__getitems__` returns whole batches."""
    return batch


def _take(source: Tensor, rows: Tensor) -> Tensor:
    """Rows of frames that did not fit on the device come there with the batch."""
    return source[rows] if source.device == rows.device else source[rows.to(source.device)].to(rows.device)


def _fits(frames: Tensor, device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return frames.nbytes < _GPU_SHARE * free


def _episodes(dataset: LeRobotDataset) -> list[int]:
    """The episodes chosen, in the order of the rows."""
    return sorted(dataset.episodes if dataset.episodes is not None else range(dataset.num_episodes))


def _read_columns(dataset: LeRobotDataset) -> dict[str, Tensor]:
    table = dataset.hf_dataset.with_format("numpy")
    columns = {}
    for key in dataset.meta.features:
        if key in dataset.meta.camera_keys:
            continue
        values = np.stack(table[key][:])
        if values.dtype == np.float64:
            values = values.astype(np.float32)
        columns[key] = torch.from_numpy(values)
    return columns


def _require_room(folder: Path, shape: tuple[int, ...]) -> None:
    needed, free = int(np.prod(shape)), shutil.disk_usage(folder).free
    if needed + _SPARE_BYTES > free:
        raise OSError(
            f"The decoded frames take {needed / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB left. "
            f"Delete old files there, or name another folder in the environment variable {FOLDER_VARIABLE}."
        )


def _decode(dataset: LeRobotDataset, key: str, frames: NDArray[np.uint8], report: Report | None) -> None:
    size = (frames.shape[2], frames.shape[3])
    read = _video_pieces if key in dataset.meta.video_keys else _image_pieces
    done = 0
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:

        def work(piece: tuple[int, int, Callable[[], Tensor]]) -> int:
            start, length, load = piece
            frames[start : start + length] = resize_bytes(load(), size).numpy()
            return length

        for length in pool.map(work, read(dataset, key)):
            done += length
            if report is not None:
                report(done, len(frames))


def _video_pieces(dataset: LeRobotDataset, key: str) -> Iterator[tuple[int, int, Callable[[], Tensor]]]:
    times = np.asarray(dataset.hf_dataset.with_format("numpy")["timestamp"][:], dtype=np.float64)
    row_start = 0
    for episode in _episodes(dataset):
        row = dataset.meta.episodes[episode]
        path = dataset.root / dataset.meta.get_video_file_path(episode, key)
        offset, length = row[f"videos/{key}/from_timestamp"], row["length"]
        for start in range(row_start, row_start + length, _FRAMES_AT_ONCE):
            stop = min(start + _FRAMES_AT_ONCE, row_start + length)

            at = (offset + times[start:stop]).tolist()

            def load(path: Path = path, at: list[float] = at) -> Tensor:
                decoded: Tensor = decode_frames(path, at, dataset.tolerance_s)
                return decoded

            yield start, stop - start, load
        row_start += length


def _image_pieces(dataset: LeRobotDataset, key: str) -> Iterator[tuple[int, int, Callable[[], Tensor]]]:
    table = dataset.hf_dataset.select_columns([key]).with_format(None)
    for start in range(0, len(table), _FRAMES_AT_ONCE):
        stop = min(start + _FRAMES_AT_ONCE, len(table))

        def load(start: int = start, stop: int = stop) -> Tensor:
            pictures = [np.asarray(picture.convert("RGB")) for picture in table[start:stop][key]]
            return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)

        yield start, stop - start, load
