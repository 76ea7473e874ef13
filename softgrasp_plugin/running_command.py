"""Which LeRobot command drives this process, as seen by the robot it connects, or the environment it makes.

LeRobot tells a robot neither the rate of the loop that drives it, nor the policy it obeys, nor the dataset
that is being recorded, and has no place for a remark about an episode. All of it stands in the variables of
the command that calls `robot.connect()`, so that is where it is looked up: read, never changed.

Relied on, and watched by tests/test_running_command.py: the commands keep their configuration in a local
variable `cfg`, with a field `robot`, or `env` where they train or evaluate in simulation; `lerobot-record`
and `lerobot-replay` keep their `LeRobotDataset` in `dataset`.
"""

import sys
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from .files import read_json, reading, write_json

NOTES_FILE = "meta/softgrasp_episodes.json"
"""Remarks about episodes, beside LeRobot's own metadata: a JSON object by episode index."""


@dataclass(frozen=True)
class RunningCommand:
    """A LeRobot command that is running further up the call stack.

    Attributes:
        name: name of its function: `record`, `teleoperate`, `replay`, `rollout` …
        config: its configuration, as the user gave it.
        dataset: the `LeRobotDataset` it records or replays; None if there is none (or not yet:
            `lerobot-rollout` connects the robot first).
    """

    name: str
    config: Any
    dataset: Any | None

    @property
    def fps(self) -> float | None:
        """Rate of its control loop in Hz: of the dataset replayed or recorded, else of the loop itself; None
        where the command has none.
        """
        if self.dataset is not None:
            return float(self.dataset.fps)
        rate = getattr(self.config, "fps", None)
        return None if rate is None else float(rate)

    @property
    def policy(self) -> Any | None:
        """Configuration of the policy that drives the robot; None without one."""
        return getattr(self.config, "policy", None)

    @property
    def is_recording(self) -> bool:
        """Whether frames are added to `dataset`; a replay only reads it."""
        return self.dataset is not None and getattr(self.dataset, "writer", None) is not None


def running_command() -> RunningCommand | None:
    """The LeRobot command that called whoever calls this, directly or not; None in a program of one's own."""
    frame: FrameType | None = sys._getframe(1)
    name, config, dataset = "", None, None
    while frame is not None:
        variables = frame.f_locals
        candidate = variables.get("cfg")
        if _is_command_config(candidate) and frame.f_globals.get("__name__") != "lerobot.configs.parser":
            # The outermost is the command itself, the ones below are its helpers.
            name, config = frame.f_code.co_name, candidate
            if dataset is None:
                dataset = _as_dataset(variables.get("dataset"))
        frame = frame.f_back
    return None if config is None else RunningCommand(name, config, dataset)


def _is_command_config(candidate: Any) -> bool:
    return (
        is_dataclass(candidate)
        and not isinstance(candidate, type)
        and type(candidate).__module__.startswith("lerobot.")
        and (hasattr(candidate, "robot") or hasattr(candidate, "env"))
    )


def _as_dataset(candidate: Any) -> Any | None:
    module = sys.modules.get("lerobot.datasets.lerobot_dataset")  # loaded by whoever made one
    is_dataset = module is not None and isinstance(candidate, module.LeRobotDataset)
    return candidate if is_dataset else None


class EpisodeNotes:
    """Remarks about the episodes of a dataset that is being recorded; they travel with it, to the Hub too.

    Args:
        dataset: the `LeRobotDataset`; its notes from earlier recordings are kept.

    Raises:
        ValueError: if the file of notes is damaged.
    """

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self._path = Path(dataset.root) / NOTES_FILE
        read_episode_notes(Path(dataset.root))

    def begin(self, **values: Any) -> None:
        """Start the notes of the episode that is recorded next, or of another attempt at it."""
        notes = read_episode_notes(Path(self._dataset.root))  # others write there too
        self._write(notes | {self._dataset.num_episodes: values})

    def discard(self) -> None:
        """Forget what was noted of an attempt that was thrown away."""
        notes = read_episode_notes(Path(self._dataset.root))
        if notes.pop(self._dataset.num_episodes, None) is not None:
            self._write(notes)

    def add(self, **values: Any) -> None:
        """Add plain values to the notes of the episode being recorded."""
        self.add_to(self._dataset.num_episodes, **values)

    def add_to(self, episode: int, **values: Any) -> None:
        """Add plain values to the notes of any episode."""
        notes = read_episode_notes(Path(self._dataset.root))
        self._write(notes | {episode: notes.get(episode, {}) | values})

    def _write(self, notes: dict[int, dict[str, Any]]) -> None:
        write_json(self._path, {str(episode): values for episode, values in sorted(notes.items())})


def read_episode_notes(root: Path) -> dict[int, dict[str, Any]]:
    """Notes by episode index of the dataset in folder `root`; empty where none were made.

    Raises:
        ValueError: if the file is damaged.
    """
    path = root / NOTES_FILE
    if not path.exists():
        return {}
    with reading(path, "notes by episode index", "Move it away; the recording itself does not need it."):
        return {int(episode): dict(notes) for episode, notes in read_json(path).items()}
