"""What this package uses of LeRobot that LeRobot does not promise: all of it, in one place.

Each entry says what it relies on. What differs between LeRobot's releases is found by looking, never by the
version number. `tests/test_lerobot_internals.py` holds every line here against the LeRobot that is installed,
with a sentence that names the change; the variables of a running command are in `running_command.py`.

Relied on by how things are named or written elsewhere, and watched by the same tests:

- `lerobot-rollout` shows a policy the float channels whose names end in `.pos` (or `.vel`) and no others,
  which is why forces are called `<joint>_torque.pos` (`joints.py`);
- no command passes observations to `Teleoperator.send_feedback` unless the robot is a `unitree_g1`, which is
  why glove and hand share a channel of their own (`devices/feel.py`).
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .running_command import RunningCommand

_ANNOUNCEMENT = re.compile(r"^Recording episode (\d+)$")


class AnnouncementListener(logging.Handler):
    """Hears which episode begins.

    Relies on: `lerobot-record` and the episodic strategy of `lerobot-rollout` log "Recording episode N", N
    being `dataset.num_episodes`, at level INFO to the root logger, after `robot.connect()` and right before
    each attempt.

    Args:
        hear: receives the number of the episode.
    """

    def __init__(self, hear: Callable[[int], None]) -> None:
        super().__init__(level=logging.INFO)
        self._hear = hear

    def emit(self, record: logging.LogRecord) -> None:
        match = _ANNOUNCEMENT.match(record.getMessage())
        if match:
            self._hear(int(match.group(1)))

    def listen(self) -> None:
        """Start to listen."""
        logging.getLogger().addHandler(self)

    def stop(self) -> None:
        """Listen no more."""
        logging.getLogger().removeHandler(self)

    @property
    def is_deaf(self) -> str | None:
        """Why no announcement can be heard; None if one can."""
        root = logging.getLogger()
        if self not in root.handlers:
            return "logging was set up a second time after the robot was connected"
        if not root.isEnabledFor(logging.INFO):
            return f"the log level is {logging.getLevelName(root.getEffectiveLevel())}"
        return None


class TorchcodecInOneLine(logging.Filter):
    """Says in one line what LeRobot says in a hundred where torchcodec finds no FFmpeg, and once only.

    Relies on: the logger `lerobot.utils.import_utils`, and the message's end "Falling back to 'pyav'…".
    """

    _LOGGER = "lerobot.utils.import_utils"

    def __init__(self) -> None:
        super().__init__()
        self._is_said = False

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "torchcodec" not in message or "Falling back to 'pyav'" not in message:
            return True
        record.msg, record.args = (
            "torchcodec finds no FFmpeg: videos are decoded by PyAV, more slowly, and datasets with video "
            "cannot be streamed. To mend it: sudo apt-get install ffmpeg",
            (),
        )
        is_first, self._is_said = not self._is_said, True
        return is_first

    @classmethod
    def install(cls) -> None:
        """Put it before LeRobot's logger, once."""
        logger = logging.getLogger(cls._LOGGER)
        if not any(isinstance(found, cls) for found in logger.filters):
            logger.addFilter(cls())


def announces_episodes(command: RunningCommand | None) -> bool:
    """Whether a command tells of every episode before it records it.

    Relies on: `lerobot-record` has its dataset open for writing when it connects the robot; `lerobot-rollout`
    keeps its strategy's name in `cfg.strategy.type`, and of these only `episodic` announces.
    """
    if command is None:
        return False
    strategy = getattr(getattr(command.config, "strategy", None), "type", None)
    return command.is_recording or strategy == "episodic"


def lazy_async_vector_env(factories: Sequence[Callable[[], Any]], probe: Any) -> Any:
    """A vector environment whose processes start at the first reset; at once where LeRobot has no such thing.

    Relies on: `lerobot.envs.utils._LazyAsyncVectorEnv(factories, observation_space, action_space, metadata)`.

    Args:
        factories: make the environments.
        probe: one of them.
    """
    from lerobot.envs import utils

    lazy = getattr(utils, "_LazyAsyncVectorEnv", None)
    if lazy is not None:
        return lazy(list(factories), probe.observation_space, probe.action_space, probe.metadata)
    from gymnasium.vector import AsyncVectorEnv

    return AsyncVectorEnv(list(factories), shared_memory=True, context="forkserver")


def freeze_after_episode_end(factory: Callable[[], Any]) -> Callable[[], Any]:
    """A factory of the same environments, which stop working once their own episode has ended.

    Relies on: `lerobot.envs.utils.freeze_after_episode_end(env_fn)`.
    """
    from lerobot.envs import utils

    frozen: Callable[[], Any] = utils.freeze_after_episode_end(factory)
    return frozen


def temporal_ensembler(coefficient: float, chunk_size: int) -> Any:
    """Averages overlapping chunks of actions, as in ACT.

    Relies on: `lerobot.policies.act.modeling_act.ACTTemporalEnsembler(coefficient, chunk_size)`, whose
    `update` takes a chunk (B, H, D) and returns the next action (B, D), and whose `reset` forgets.
    """
    from lerobot.policies.act.modeling_act import ACTTemporalEnsembler

    return ACTTemporalEnsembler(coefficient, chunk_size)


def decode_frames(video: Path, timestamps_s: Sequence[float], tolerance_s: float) -> Any:
    """Frames of a video at given times, a tensor (N, 3, height, width) uint8.

    Relies on: `lerobot.datasets.video_utils.decode_video_frames(path, timestamps, tolerance_s, backend,
    return_uint8=)`.
    """
    from lerobot.datasets.video_utils import decode_video_frames

    return decode_video_frames(video, list(timestamps_s), tolerance_s, "pyav", return_uint8=True)


def delta_indices(timestamps: Any, fps: int) -> dict[str, list[int]]:
    """Which frames around the present one make a sample, frames by key; from seconds by key.

    Relies on: `lerobot.datasets.feature_utils.get_delta_indices(delta_timestamps, fps)`.
    """
    from lerobot.datasets.feature_utils import get_delta_indices

    return dict(get_delta_indices(timestamps, fps))


def train_with(cfg: Any, accelerator: Any) -> None:
    """`lerobot-train` with an accelerator of the caller's.

    Relies on: `lerobot.scripts.lerobot_train.train(cfg, accelerator)`, which hands its data loader to
    `accelerator.prepare`.
    """
    from lerobot.scripts.lerobot_train import train

    train(cfg, accelerator=accelerator)


@contextmanager
def hears_training(hear: Callable[[dict[str, float]], None]) -> Iterator[None]:
    """While it lasts, hears how far a training of `train_with` is.

    Relies on: `train` logs its `MetricsTracker` itself to the root logger every `cfg.log_freq` steps, whose
    `to_dict()` has `steps`, `loss` and whatever else the policy returns, as means since the last time. It is
    heard through a filter, because LeRobot's set-up of logging removes all handlers.

    Args:
        hear: receives these numbers.
    """
    from lerobot.utils.logging_utils import MetricsTracker

    def listen(record: logging.LogRecord) -> bool:
        if isinstance(record.msg, MetricsTracker):
            hear(record.msg.to_dict())
        return True

    root = logging.getLogger()
    root.addFilter(listen)
    try:
        yield
    finally:
        root.removeFilter(listen)


@contextmanager
def goes_on_from(checkpoint: Path) -> Iterator[None]:
    """While it lasts, a training with `cfg.resume` goes on from a checkpoint.

    Relies on: `TrainPipelineConfig.validate` takes the checkpoint from the command line, `--config_path`
    being its `pretrained_model/train_config.json`.
    """
    typed = sys.argv
    sys.argv = [typed[0], f"--config_path={checkpoint / 'pretrained_model' / 'train_config.json'}"]
    try:
        yield
    finally:
        sys.argv = typed


def rows_so_far(dataset: Any) -> int:
    """Rows of the episode that is being recorded.

    Relies on: `DatasetWriter.episode_buffer`, a dictionary whose `size` counts them.
    """
    return int(dataset.writer.episode_buffer["size"])


def file_sizes(dataset: Any) -> dict[str, float]:
    """Settings of a dataset that is being recorded: how large its files grow before the next is begun.

    Relies on: `LeRobotDatasetMetadata.get_chunk_settings()`.
    """
    return dict(dataset.meta.get_chunk_settings())


def set_file_sizes(dataset: Any, **sizes: float) -> None:
    """Change some of `file_sizes`.

    Relies on: `LeRobotDatasetMetadata.update_chunk_settings(chunks_size=, data_files_size_in_mb=,
    video_files_size_in_mb=)`.
    """
    dataset.meta.update_chunk_settings(**sizes)


def end_table_of_frames(dataset: Any) -> None:
    """End the file of frames that a recording is writing; the next episode begins another.

    Relies on: `DatasetWriter.close_writer()`, reached as `dataset.writer`.
    """
    dataset.writer.close_writer()


def newest_episode(dataset: Any) -> dict[str, Sequence[Any]]:
    """The newest row of a recording's table of episodes, which LeRobot may not have written yet.

    Relies on: `LeRobotDatasetMetadata.latest_episode`, a dictionary of lists of one value each.
    """
    return dict(dataset.meta.latest_episode)
