"""What is whole of a dataset whose recording was killed, ran out of disk or was cut off while saving.

Nothing is deleted or overwritten: what a repair takes out of the dataset or rewrites is first put into a
folder beside it.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from lerobot.datasets.compute_stats import aggregate_stats
from lerobot.datasets.io_utils import serialize_dict
from lerobot.datasets.utils import DatasetInfo
from numpy.typing import NDArray

from ..files import read_json, write_json
from .checkpoints import CHECKPOINT_FILE, write_row

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, LookupError, pa.ArrowException)


@dataclass
class Damage:
    """What was found in a dataset.

    Attributes:
        root: its folder.
        info: its description, from `info.json` or from the copy beside it.
        rows: rows of the table of episodes, of the whole episodes only: 0 … len(rows) − 1.
        announced: how many episodes the dataset says it has.
        problems: one line each.
        strays: files and folders that belong to no whole episode, or cannot be read.
    """

    root: Path
    info: DatasetInfo
    rows: list[dict[str, Any]]
    announced: int
    problems: list[str] = field(default_factory=list)
    strays: list[Path] = field(default_factory=list)


def examine_dataset(root: Path) -> Damage:
    """Find out which episodes are whole; changes nothing.

    Args:
        root: folder of a LeRobotDataset v3.

    Raises:
        ValueError: if it is not a dataset, or its description is lost.
    """
    info_path, checkpoint_path = root / "meta/info.json", root / CHECKPOINT_FILE
    if not (root / "meta").is_dir():
        raise ValueError(
            f"{root} is not a dataset: it has no folder 'meta'. Give the folder of --dataset.root."
        )
    problems: list[str] = []
    strays: list[Path] = []
    newest: dict[str, Any] = {}
    if checkpoint_path.exists():
        try:
            newest = dict(read_json(checkpoint_path))
        except _UNREADABLE as error:
            problems.append(f"{checkpoint_path} cannot be read ({error})")
            strays.append(checkpoint_path)
    try:
        info = DatasetInfo.from_dict(read_json(info_path))
    except _UNREADABLE as error:
        problems.append(f"{info_path} cannot be read ({error})")
        if "info" not in newest:
            raise ValueError(
                f"{info_path} cannot be read ({error}), and there is no copy of it. Copy meta/info.json of a "
                "dataset recorded with the same options there, and try again."
            ) from error
        info = DatasetInfo.from_dict(newest["info"])
    damage = Damage(root, info, [], info.total_episodes, problems, strays)
    _find_whole_episodes(damage, newest.get("episode"))
    _check_summaries(damage)
    damage.strays.extend(_leftovers(damage))
    return damage


def repair_dataset(damage: Damage) -> Path:
    """Leave the whole episodes, and tables that say so.

    Returns:
        The folder beside the dataset with everything that was taken out or rewritten.

    Raises:
        ValueError: if no episode is whole; nothing has been changed then.
        OSError: if the disk is (still) full.
    """
    if not damage.rows:
        raise ValueError(f"No episode of {damage.root} is whole; record anew into another folder.")
    root, count = damage.root, len(damage.rows)
    backup = root.with_name(f"{root.name}.before-repair-{time.strftime('%Y%m%d-%H%M%S')}")
    backup.mkdir()
    for path in damage.strays:
        target = backup / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    for path in (root / "meta").glob("*.*"):
        _back_up(path, root, backup)
    for path in [*root.glob("data/*/*.parquet"), *root.glob("meta/episodes/*/*.parquet")]:
        table = pq.read_table(path)
        keep = pc.less(table["episode_index"], count)
        if not pc.all(keep).as_py():
            _back_up(path, root, backup)
            partial = path.with_suffix(".partial")
            pq.write_table(table.filter(keep), partial)
            partial.rename(path)
    known = {index for path, index in _episode_rows(root)}
    for row in damage.rows:
        if row["episode_index"] not in known:
            write_row(root, row)
    _write_summaries(damage)
    (root / CHECKPOINT_FILE).unlink(missing_ok=True)  # has served; a copy of it is in the backup
    return backup


def _back_up(path: Path, root: Path, backup: Path) -> None:
    target = backup / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target)


def _episode_rows(root: Path) -> Iterator[tuple[Path, int]]:
    for path in sorted(root.glob("meta/episodes/*/*.parquet")):
        for index in pq.read_table(path, columns=["episode_index"])["episode_index"].to_pylist():
            yield path, index


def _find_whole_episodes(damage: Damage, newest: dict[str, Any] | None) -> None:
    root = damage.root
    rows: dict[int, dict[str, Any]] = {}
    for path in sorted(root.glob("meta/episodes/*/*.parquet")):
        try:
            rows.update((row["episode_index"], row) for row in pq.read_table(path).to_pylist())
        except _UNREADABLE as error:
            _unreadable(damage, path, error)
    if newest is not None:
        rows.setdefault(newest["episode_index"], newest)
    frames: dict[int, int] = {}
    for path in sorted(root.glob("data/*/*.parquet")):
        try:
            episodes = pq.read_table(path, columns=["episode_index"])["episode_index"].to_numpy()
        except _UNREADABLE as error:
            _unreadable(damage, path, error)
            continue
        for index, length in zip(*np.unique(episodes, return_counts=True), strict=True):
            frames[int(index)] = frames.get(int(index), 0) + int(length)
    durations: dict[Path, float] = {}
    seen = max([damage.announced, *(index + 1 for index in (*rows, *frames))])
    damage.announced = seen
    for index in range(seen):
        fault = _episode_fault(damage, rows.get(index), frames.get(index, 0), durations)
        if fault:
            damage.problems.append(f"episode {index}: {fault}")
            break
        damage.rows.append(rows[index])


def _unreadable(damage: Damage, path: Path, error: Exception) -> None:
    damage.problems.append(f"{path} cannot be read ({str(error).splitlines()[0]:.120})")
    damage.strays.append(path)


def _episode_fault(
    damage: Damage, row: dict[str, Any] | None, frames: int, durations: dict[Path, float]
) -> str | None:
    if row is None:
        return f"it has no row in the table of episodes ({frames} frames are there)"
    if row["length"] != frames:
        return f"{frames} of its {row['length']} frames are there"
    for key, feature in damage.info.features.items():
        if feature["dtype"] != "video":
            continue
        if row.get(f"videos/{key}/chunk_index") is None:
            return f"its video of {key} was never encoded"
        path = _video(damage, row, key)
        if path not in durations:
            durations[path] = _duration(path)
        if durations[path] < row[f"videos/{key}/to_timestamp"] - 0.5 / damage.info.fps:
            return f"its video {path} is cut off or missing"
    return None


def _video(damage: Damage, row: dict[str, Any], key: str) -> Path:
    assert damage.info.video_path is not None
    name = damage.info.video_path.format(
        video_key=key,
        chunk_index=row[f"videos/{key}/chunk_index"],
        file_index=row[f"videos/{key}/file_index"],
    )
    return Path(damage.root, name)


def _duration(path: Path) -> float:
    """Seconds of a video that can be played; 0 where there is none."""
    seconds = 0.0
    with contextlib.suppress(OSError, ValueError, IndexError), av.open(str(path)) as container:
        stream = container.streams.video[0]
        seconds = float((stream.duration or 0) * (stream.time_base or 0))
    return seconds


def _check_summaries(damage: Damage) -> None:
    root, info = damage.root, damage.info
    frames = sum(row["length"] for row in damage.rows)
    if (info.total_episodes, info.total_frames) != (len(damage.rows), frames):
        damage.problems.append(
            f"info.json tells of {info.total_episodes} episodes and {info.total_frames} frames; "
            f"{len(damage.rows)} with {frames} are whole"
        )
    for name, read in (("stats.json", read_json), ("tasks.parquet", pd.read_parquet)):
        try:
            content = read(root / "meta" / name)
            tasks = {task for row in damage.rows for task in row["tasks"]}
            if name == "tasks.parquet" and not tasks <= set(content.index):
                damage.problems.append("tasks.parquet lacks tasks of the episodes")
        except _UNREADABLE as error:
            damage.problems.append(f"{root / 'meta' / name} cannot be read ({str(error)[:120]})")


def _leftovers(damage: Damage) -> Iterator[Path]:
    """What an interrupted recording leaves: frames not encoded, videos and frames of episodes not whole."""
    root, count = damage.root, len(damage.rows)
    yield from (path for path in (root / "images", *root.glob("tmp*")) if path.is_dir())
    yield from root.rglob("*.partial")
    for path in sorted({*root.glob("data/*/*.parquet"), *root.glob("meta/episodes/*/*.parquet")}):
        if path not in damage.strays:
            lowest = pc.min(pq.read_table(path, columns=["episode_index"])["episode_index"]).as_py()
            if lowest is None or lowest >= count:
                yield path
    videos = [key for key, feature in damage.info.features.items() if feature["dtype"] == "video"]
    used = {_video(damage, row, key) for row in damage.rows for key in videos}
    yield from (path for path in sorted(root.glob("videos/*/*/*.mp4")) if path not in used)


def _write_summaries(damage: Damage) -> None:
    """`info.json`, `stats.json` and `tasks.parquet` of the whole episodes."""
    root, rows, info = damage.root, damage.rows, damage.info
    tasks = list(dict.fromkeys(task for row in rows for task in row["tasks"]))
    path = root / "meta/tasks.parquet"
    try:
        known = list(pd.read_parquet(path).index)
    except _UNREADABLE:
        known = []
    if not set(tasks) <= set(known):
        known = tasks
        partial = path.with_suffix(".partial")
        index = pd.Index(tasks, name="task")
        pd.DataFrame({"task_index": range(len(tasks))}, index=index).to_parquet(partial)
        partial.rename(path)
    stats = aggregate_stats([_row_stats(row) for row in rows])
    write_json(root / "meta/stats.json", serialize_dict(stats))
    info.total_episodes, info.total_frames = len(rows), sum(row["length"] for row in rows)
    info.total_tasks, info.splits = len(known), {"train": f"0:{len(rows)}"}
    write_json(root / "meta/info.json", info.to_dict())


def _row_stats(row: dict[str, Any]) -> dict[str, dict[str, NDArray[Any]]]:
    stats: dict[str, dict[str, NDArray[Any]]] = {}
    for key, value in row.items():
        if key.startswith("stats/"):
            feature, _, name = key.removeprefix("stats/").rpartition("/")
            stats.setdefault(feature, {})[name] = np.array(json.loads(json.dumps(value)))
    return stats
