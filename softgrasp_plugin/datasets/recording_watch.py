"""Whether an episode that was just saved is what it seems: recorded at its rate, a picture for every row.

LeRobot takes a row as it comes: a loop that ran at half its rate leaves half the rows, each of which says
that a thirtieth of a second has passed. And where pictures are encoded while they are recorded, an encoder
that falls behind drops some, so that all later ones lie beside the wrong rows. Neither is an error there.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from ..lerobot_internals import newest_episode, rows_so_far
from ..running_command import EpisodeNotes

logger = logging.getLogger(__name__)

LEAST_SHARE = 0.95
"""An episode recorded at a smaller share of its rate is warned about."""

_FEWEST_ROWS = 10

_DROPPED = (
    "The encoder fell behind and dropped pictures, so later ones lie beside the wrong rows. Record the "
    "episode again. Against it: --dataset.streaming_encoding=false, a larger "
    "--dataset.encoder_queue_maxsize, smaller pictures (--robot.cameras), an encoder in hardware "
    "(--dataset.rgb_encoder.vcodec=auto)."
)
_SLOW = (
    "Its rows say that time passed faster than it did. Record the episode again. Against it: smaller "
    "pictures (--robot.cameras), less beside it on this computer, --dataset.encoder_threads=1, a lower "
    "--dataset.fps."
)
_SLOW_SIMULATION = (
    "The simulated world waits, so what is recorded is right, but --dataset.episode_time_s ended it sooner. "
    "Against it: smaller pictures (--robot.cameras), less beside it on this computer, a longer episode."
)


class RecordingWatch:
    """Looks at every episode once it is saved, warns, and leaves a note beside the dataset.

    Args:
        dataset: the `LeRobotDataset` being recorded.
        is_simulated: the world waits for the loop.
        clock: seconds.
    """

    def __init__(
        self, dataset: Any, is_simulated: bool, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._dataset, self._is_simulated, self._clock = dataset, is_simulated, clock
        self._episode = dataset.num_episodes
        self._forget()

    def _forget(self) -> None:
        """An attempt at an episode begins; its rows so far, and when they were seen."""
        self._seen: list[tuple[int, float]] = []

    def update(self) -> None:
        """Call it at the beginning of every control tick; it looks at a clock."""
        if self._dataset.num_episodes != self._episode:
            self.end()
        rows = rows_so_far(self._dataset)
        if self._seen and rows < self._seen[-1][0]:  # thrown away, to be recorded again
            self._forget()
            if not self._is_simulated:  # a simulated rig has begun new notes when it heard of the attempt
                EpisodeNotes(self._dataset).discard()
        if not self._seen or rows > self._seen[-1][0]:
            # The newest may have been seen late: the loop has ended, and somebody puts the object back.
            self._seen = [*self._seen[:1], *self._seen[1:][-1:], (rows, self._clock())]
        elif rows == 0:
            self._seen = [(0, self._clock())]

    def end(self) -> None:
        """Judge the episode that has been saved since the last call, if there is one."""
        if self._dataset.num_episodes == self._episode:
            return
        episode, self._episode = self._episode, self._dataset.num_episodes
        saved = {key: value[0] for key, value in newest_episode(self._dataset).items()}
        rate = self._rate()
        self._forget()
        rows, fps = int(saved["length"]), self._dataset.fps
        faults = {}
        for key in self._dataset.meta.video_keys:
            begin, stop = (saved.get(f"videos/{key}/{side}_timestamp") for side in ("from", "to"))
            if begin is None or stop is None:  # encoded later, with others
                continue
            pictures = round((float(stop) - float(begin)) * fps)
            if pictures != rows:
                logger.warning(
                    "Episode %d has %d rows and %d pictures of %s. %s", episode, rows, pictures, key, _DROPPED
                )
                faults[f"pictures {key}"] = f"{pictures} for {rows} rows"
        if rate is not None and rate < LEAST_SHARE * fps:
            reason = _SLOW_SIMULATION if self._is_simulated else _SLOW
            logger.warning("Episode %d was recorded at %.1f Hz instead of %d. %s", episode, rate, fps, reason)
            faults["recorded_hz"] = f"{rate:.1f}"
        if faults:
            EpisodeNotes(self._dataset).add_to(episode, **faults)
        else:
            logger.info("Episode %d: %d rows%s.", episode, rows, "" if rate is None else f" at {rate:.1f} Hz")

    def _rate(self) -> float | None:
        """Rows per second from the first to the last but one; None if there are too few to tell."""
        if len(self._seen) < 3:
            return None
        (first, begin), (last, stop) = self._seen[0], self._seen[-2]
        return (last - first) / (stop - begin) if last - first >= _FEWEST_ROWS and stop > begin else None
