"""Episodes that are whole on disk once they are saved, while a recording goes on.

LeRobot appends the episodes of a recording to one table of frames, one table of episodes and one video per
camera, and ends the tables only with the recording: a process that is killed leaves all of them unreadable.
It begins new files where the old ones would grow beyond the dataset's settings of file sizes. Here those
settings are set so low that every episode gets files of its own, and each is ended when its episode is saved.

What LeRobot does about the table of episodes: it holds rows back, ten at a time, unless the file of the last
row exists and is full; then it writes them and begins the next. So the row held back is written to its file
from here, and rewritten by LeRobot with the next episode.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from lerobot.datasets.utils import DEFAULT_EPISODES_PATH

from ..files import write_json
from ..lerobot_internals import end_table_of_frames, file_sizes, newest_episode, set_file_sizes

logger = logging.getLogger(__name__)

CHECKPOINT_FILE = "meta/softgrasp_checkpoint.json"
"""A copy of `info.json` and of the newest row of the table of episodes, for a repair: LeRobot rewrites both
with every episode, and a full disk or a kill in that moment leaves them cut off."""

_EVERY_EPISODE_MB = 1e-6


class Checkpoints:
    """Ends the files of every saved episode; it changes settings of the dataset until `end` is called.

    Args:
        dataset: the `LeRobotDataset` being recorded, before its first episode is saved.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._saved = dataset.num_episodes
        # A recording that was killed has left the low settings behind.
        self._sizes = {name: max(1, int(size)) for name, size in file_sizes(dataset).items()}
        # Frames of an episode that was not saved, from a recording that was killed, would get into the next.
        dataset.clear_episode_buffer()
        set_file_sizes(
            dataset, data_files_size_in_mb=_EVERY_EPISODE_MB, video_files_size_in_mb=_EVERY_EPISODE_MB
        )

    def update(self) -> None:
        """End the files of the episode saved since the last call, if there is one; else it costs nothing."""
        if self._dataset.num_episodes == self._saved:
            return
        self._saved = self._dataset.num_episodes
        self.end_episode_files()

    def end_episode_files(self) -> None:
        """End the files of the newest episode."""
        end_table_of_frames(self._dataset)
        root, row = Path(self._dataset.root), plain_row(newest_episode(self._dataset))
        write_json(root / CHECKPOINT_FILE, {"info": self._dataset.meta.info.to_dict(), "episode": row})
        write_row(root, row)

    def end(self) -> None:
        """The dataset gets its own settings back; call it after LeRobot has finalized it."""
        set_file_sizes(self._dataset, **self._sizes)
        (Path(self._dataset.root) / CHECKPOINT_FILE).unlink(missing_ok=True)


def plain_row(latest_episode: dict[str, Sequence[Any]]) -> dict[str, Any]:
    """A row of the table of episodes as plain values, from LeRobot's lists of one value each."""
    return {
        key: value[0].tolist() if isinstance(value[0], np.ndarray | np.generic) else value[0]
        for key, value in latest_episode.items()
    }


def write_row(root: Path, row: dict[str, Any]) -> None:
    """Write the file of the table of episodes that holds this row and no other, whole or not at all."""
    path = root / DEFAULT_EPISODES_PATH.format(
        chunk_index=row["meta/episodes/chunk_index"], file_index=row["meta/episodes/file_index"]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    pq.write_table(pa.Table.from_pydict({key: [value] for key, value in row.items()}), partial)
    partial.rename(path)
