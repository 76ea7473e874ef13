"""A copy of a dataset with smaller pictures, written by LeRobot's own writer."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.configs import RGBEncoderConfig
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import DEFAULT_FEATURES
from torch import Tensor

from ..files import read_json, reading, write_json
from ..running_command import NOTES_FILE
from .frame_cache import cached_frames, fingerprint
from .repair import examine_dataset, repair_dataset

ORIGIN_FILE = "meta/softgrasp_resize.json"
"""What a copy was made from, so that an interrupted one goes on with nothing else."""

_SHAPE_TOLERANCE_PX = 1.0

type Report = Callable[[str, int, int], None]
"""Hears what is being done, and how many frames or episodes of how many are."""


@dataclass(frozen=True)
class Copy:
    """What is made of what.

    Attributes:
        source: the dataset, opened.
        repo_id: name of the copy.
        root: its folder.
        image_size: (height, width) of its pictures.
        video: encode the pictures as videos; otherwise each is stored as it is, without loss.
    """

    source: LeRobotDataset
    repo_id: str
    root: Path
    image_size: tuple[int, int]
    video: bool


def check_copy(copy: Copy) -> None:
    """Refuse what cannot be copied, or would not be a copy.

    Raises:
        ValueError: naming the option, and what to set it to.
    """
    meta, (height, width) = copy.source.meta, copy.image_size
    if not meta.camera_keys:
        raise ValueError(f"{copy.source.repo_id} has no cameras: there is nothing to resize.")
    if meta.depth_keys:
        raise ValueError(f"Pictures of depth ({meta.depth_keys}) cannot be resized: depths would mix.")
    if copy.root.resolve() == Path(copy.source.root).resolve():
        raise ValueError("--new_root is the dataset's own folder: a copy needs one of its own.")
    if copy.video and (height % 2 or width % 2):
        raise ValueError(
            f"--image_size=[{height},{width}] cannot be a video, whose sides are even: set --video=false, "
            "which stores each picture as it is."
        )
    for key in meta.camera_keys:
        before = meta.features[key]["shape"]
        fits = before[0] * width / before[1]
        if abs(fits - height) > _SHAPE_TOLERANCE_PX:
            raise ValueError(
                f"--image_size=[{height},{width}] would stretch {key!r}, which is {before[0]} × {before[1]}: "
                f"of this width it is {round(fits)} high. The policy stretches what has to be, itself."
            )
        if height > before[0] or width > before[1]:
            raise ValueError(f"--image_size=[{height},{width}] is larger than {key!r}: nothing to gain.")


def copy_resized(copy: Copy, report: Report) -> LeRobotDataset:
    """Make the copy, or what is missing of it.

    Returns:
        The copy, complete and compared with its source.

    Raises:
        ValueError: if the copy is refused, its folder holds something else, or it is not what the source is.
        OSError: if the disk is full.
    """
    check_copy(copy)
    source, total = copy.source, copy.source.num_episodes
    written = _open(copy, _origin(copy))
    decoded = copy.root.with_name(f"{copy.root.name}.frames")
    if written.num_episodes < total:
        try:
            frames = {
                key: cached_frames(
                    source, key, copy.image_size, decoded, lambda done, of: report("decoded frames", done, of)
                )
                for key in source.meta.camera_keys
            }
            for episode in range(written.num_episodes, total):
                for frame in _frames(source, episode, frames):
                    written.add_frame(frame)
                written.save_episode()
                report("written episodes", episode + 1, total)
        finally:  # what is whole is kept, however this ends
            written.finalize()
            shutil.rmtree(copy.root / "images", ignore_errors=True)  # LeRobot's, of frames on their way
        notes = Path(source.root) / NOTES_FILE
        if notes.exists():
            shutil.copyfile(notes, copy.root / NOTES_FILE)
    finished = LeRobotDataset(copy.repo_id, root=copy.root, video_backend="pyav")
    _compare(source, finished)
    shutil.rmtree(decoded, ignore_errors=True)
    return finished


def _origin(copy: Copy) -> dict[str, Any]:
    meta = copy.source.meta
    return {
        "source": copy.source.repo_id,
        "fingerprints": {
            key: fingerprint(copy.source, key, copy.image_size) for key in sorted(meta.camera_keys)
        },
        "image_size": list(copy.image_size),
        "video": copy.video,
    }


def _open(copy: Copy, origin: dict[str, Any]) -> LeRobotDataset:
    """The copy to write to: a new one, or an interrupted one of the same source."""
    path, meta = copy.root / ORIGIN_FILE, copy.source.meta
    encoder = _encoder(copy)
    if copy.root.exists() and any(copy.root.iterdir()):
        if not path.exists():
            raise ValueError(f"{copy.root} is no copy of softgrasp-resize: choose another --new_root.")
        with reading(path, "the source of a copy", "Delete the folder to copy anew."):
            theirs = read_json(path)
        if theirs != origin:
            raise ValueError(
                f"{copy.root} is a copy of something else ({theirs.get('source')}, "
                f"{theirs.get('image_size')}), or its source has changed: choose another --new_root, or "
                "delete the folder."
            )
        damage = examine_dataset(copy.root)
        if damage.problems and damage.rows:
            repair_dataset(damage)
        if damage.rows:
            return LeRobotDataset.resume(copy.repo_id, root=copy.root, rgb_encoder=encoder)
        shutil.rmtree(copy.root)  # nothing of it is whole
    features = {}
    for key, feature in meta.features.items():
        if key in meta.camera_keys:
            shape = (*copy.image_size, 3)
            dtype = "video" if copy.video else "image"
            features[key] = {"dtype": dtype, "shape": shape, "names": feature["names"]}
        elif key not in DEFAULT_FEATURES:
            features[key] = dict(feature)
    written = LeRobotDataset.create(
        copy.repo_id,
        fps=meta.fps,
        features=features,
        root=copy.root,
        robot_type=meta.robot_type,
        use_videos=copy.video,
        image_writer_threads=4,
        rgb_encoder=encoder,
    )
    write_json(path, origin)
    written.meta.save_episode_tasks(list(meta.tasks.index))  # with the numbers that they have
    return written


def _encoder(copy: Copy) -> RGBEncoderConfig | None:
    """Videos are encoded as those of the source were."""
    if not copy.video:
        return None
    keys = copy.source.meta.video_keys
    info = copy.source.meta.features[keys[0]].get("info") if keys else None
    encoder: RGBEncoderConfig = RGBEncoderConfig.from_video_info(info)
    return encoder


def _frames(source: LeRobotDataset, episode: int, frames: dict[str, Tensor]) -> Iterator[dict[str, Any]]:
    """What `add_frame` takes, for every frame of an episode."""
    row = source.meta.episodes[episode]
    rows = range(row["dataset_from_index"], row["dataset_to_index"])
    columns = [
        key for key in source.meta.features if key not in (*DEFAULT_FEATURES, *source.meta.camera_keys)
    ]
    table = source.hf_dataset.select_columns([*columns, "task_index"]).with_format("numpy")[rows]
    tasks = list(source.meta.tasks.index)
    for at, index in enumerate(rows):
        frame: dict[str, Any] = {"task": tasks[int(table["task_index"][at])]}
        for key in columns:
            feature, value = source.meta.features[key], table[key][at]
            is_text = feature["dtype"] == "string"
            frame[key] = (
                str(value) if is_text else np.asarray(value, feature["dtype"]).reshape(feature["shape"])
            )
        for key, pictures in frames.items():
            frame[key] = pictures[index].permute(1, 2, 0).numpy()
        yield frame


def _compare(source: LeRobotDataset, finished: LeRobotDataset) -> None:
    """Every column but the pictures is what it was."""
    for key in source.meta.features:
        if key in source.meta.camera_keys:
            continue
        before, after = (data.hf_dataset.data.column(key).combine_chunks() for data in (source, finished))
        if not before.equals(after):
            raise ValueError(
                f"Column {key!r} of the copy in {finished.root} is not that of its source. Delete the folder "
                "and try again; if that happens again, report it."
            )
