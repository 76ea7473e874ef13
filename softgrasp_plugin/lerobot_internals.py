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
from collections.abc import Callable, Sequence
from inspect import signature
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


def delta_timestamps(policy: Any, meta: Any) -> Any:
    """Which frames around the present one make a sample of a policy, seconds by key; None for this one alone.

    Relies on: `lerobot.datasets.factory.resolve_delta_timestamps(cfg, ds_meta)`.
    """
    from lerobot.datasets.factory import resolve_delta_timestamps

    return resolve_delta_timestamps(policy, meta)


def delta_indices(timestamps: Any, fps: int) -> dict[str, list[int]]:
    """The same in frames.

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


def make_optimizer_and_scheduler(cfg: Any, policy: Any) -> tuple[Any, Any]:
    """Optimiser and schedule (or None) as `lerobot-train` makes them.

    Relies on: `lerobot.optim.factory.make_optimizer_and_scheduler(cfg, policy)`.
    """
    from lerobot.optim import factory

    optimizer, scheduler = factory.make_optimizer_and_scheduler(cfg, policy)
    return optimizer, scheduler


def checkpoint_dir(output_dir: Path, total_steps: int, step: int) -> Path:
    """Folder of a checkpoint, as `lerobot-train` names it.

    Relies on: `lerobot.common.train_utils.get_step_checkpoint_dir(output_dir, total_steps, step)`.
    """
    from lerobot.common.train_utils import get_step_checkpoint_dir

    return Path(get_step_checkpoint_dir(output_dir, total_steps, step))


def save_checkpoint(
    folder: Path,
    step: int,
    cfg: Any,
    policy: Any,
    optimizer: Any,
    scheduler: Any,
    preprocessor: Any,
    postprocessor: Any,
) -> None:
    """Save a checkpoint of `lerobot-train`, and make it the last one.

    Relies on: `lerobot.common.train_utils.save_checkpoint(folder, step, cfg, policy, optimizer, scheduler,
    preprocessor, postprocessor)`, with or without `num_processes=` and `batch_size=`, and
    `update_last_checkpoint(folder)`.
    """
    from lerobot.common import train_utils

    parts = (folder, step, cfg, policy, optimizer, scheduler, preprocessor, postprocessor)
    train_utils.save_checkpoint(
        *parts, **_accepted(train_utils.save_checkpoint, num_processes=1, batch_size=cfg.batch_size)
    )
    train_utils.update_last_checkpoint(folder)


def load_training_state(folder: Path, optimizer: Any, scheduler: Any) -> tuple[int, Any, Any]:
    """Steps done, optimiser and scheduler of a checkpoint; the random generators go on from there, too.

    Relies on: `lerobot.common.train_utils.load_training_state(folder, optimizer, scheduler)`, or where that
    is gone on what it was made of: `load_optimizer_state` and `load_scheduler_state` of `lerobot.optim`,
    `load_rng_state`, and `training_state/training_step.json` with the entry `step`.
    """
    from lerobot.common import train_utils

    load = getattr(train_utils, "load_training_state", None)
    if load is not None:
        step, optimizer, scheduler = load(folder, optimizer, scheduler)
        return int(step), optimizer, scheduler
    from lerobot.optim import load_optimizer_state, load_scheduler_state
    from lerobot.utils.constants import TRAINING_STATE_DIR, TRAINING_STEP
    from lerobot.utils.random_utils import load_rng_state

    from .files import read_json, reading

    state = folder / TRAINING_STATE_DIR
    with reading(
        state / TRAINING_STEP, "the step of a checkpoint", "Remove the run's folder to begin it anew."
    ):
        step = int(read_json(state / TRAINING_STEP)["step"])
    load_rng_state(state)
    optimizer = load_optimizer_state(optimizer, state)
    if scheduler is not None:
        scheduler = load_scheduler_state(scheduler, state)
    return step, optimizer, scheduler


def make_sampler(meta: Any, cfg: Any, step: int) -> Any:
    """Draws frames in the order of `lerobot-train`, from where a training of `step` steps stands.

    Relies on: `EpisodeAwareSampler(starts, ends, drop_n_last_frames=, shuffle=, seed=)` and
    `compute_sampler_state(step, length, batch_size, num_processes)` of `lerobot.datasets.sampler`.

    Args:
        meta: the dataset's metadata.
        cfg: configuration of the training.
        step: how many steps are done.
    """
    from lerobot.datasets.sampler import EpisodeAwareSampler, compute_sampler_state

    sampler = EpisodeAwareSampler(
        meta.episodes["dataset_from_index"],
        meta.episodes["dataset_to_index"],
        drop_n_last_frames=getattr(cfg.policy, "drop_n_last_frames", 0),
        shuffle=True,
        seed=cfg.seed or 0,
    )
    if step:
        sampler.load_state_dict(compute_sampler_state(step, len(sampler), cfg.batch_size, 1))
    return sampler


def _accepted(function: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
    """Those of the named arguments that a function takes."""
    known = signature(function).parameters
    return {name: value for name, value in arguments.items() if name in known}
