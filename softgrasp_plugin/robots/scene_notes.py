"""What a dataset remembers of the simulated scenes it was recorded in, and how a replay finds them again."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import draccus

from ..bounds import require_within
from ..files import reading
from ..running_command import NOTES_FILE, RunningCommand, read_episode_notes
from ..simulation.catalogue import SIM_OBJECT_BY_TASK
from ..simulation.clock import MAX_EPISODE, MAX_SEED
from ..simulation.session import TrialSetup
from .config_ur3_dexhand_sim import UR3DexHandSimConfig

logger = logging.getLogger(__name__)

_SCENE = "scene"
_CIRCUMSTANCES = "circumstances"
_MATTERING = (
    "action_noise",
    "torque",
    "lift",
    "variation",
    "surface",
    "torque_noise",
    "camera_shift_m",
    "camera_turn_rad",
    "dropped_frame_rate",
)
"""Options of the robot that decide, beside the scene, how a trial goes."""


@dataclass(frozen=True)
class Scene:
    """Which scene a session begins with: `--robot.objects`, `seed`, `episode` and `attempt`."""

    objects: tuple[str, ...]
    seed: int
    episode: int
    attempt: int


def chosen_scene(config: UR3DexHandSimConfig, command: RunningCommand | None) -> Scene:
    """The scene that the options say; under `lerobot-replay` that of the replayed episode, if its dataset
    remembers it.

    Raises:
        ValueError: if the dataset's notes are damaged.
    """
    chosen = Scene(tuple(config.objects), config.seed, config.episode, config.attempt)
    if command is None or command.dataset is None or command.is_recording:
        return chosen
    episode, root = command.config.dataset.episode, Path(command.dataset.root)
    notes = read_episode_notes(root).get(episode, {})
    if _SCENE not in notes:
        logger.warning(
            "The dataset does not remember the scene of episode %d; it is replayed in the one that "
            "--robot.objects, --robot.seed, --robot.episode and --robot.attempt say.",
            episode,
        )
        return chosen
    with reading(root / NOTES_FILE, "the scenes of its episodes", "Move it away to replay without it."):
        remembered = _read(notes[_SCENE])
        differing = _differing(config, dict(notes.get(_CIRCUMSTANCES, {})))
    logger.info("Episode %d is replayed in the scene it was recorded in: %s.", episode, remembered)
    if differing:
        logger.warning("Not as it was recorded, so that it may end otherwise: %s.", "; ".join(differing))
    return remembered


def scene_notes(config: UR3DexHandSimConfig, seed: int, trial: TrialSetup, task: str) -> dict[str, Any]:
    """What to remember of an episode, in plain values.

    Args:
        config: the robot's options.
        seed: of the session.
        trial: the scene.
        task: name of the object in it.
    """
    scene = {"object": task, "seed": seed, "episode": trial.episode, "attempt": trial.attempt}
    return {_SCENE: scene, _CIRCUMSTANCES: _circumstances(config), "verdict": "undecided"}


def _read(scene: dict[str, Any]) -> Scene:
    if scene["object"] not in SIM_OBJECT_BY_TASK:
        raise ValueError(f"{scene['object']!r} is no object.")
    for name, most in (("seed", MAX_SEED), ("episode", MAX_EPISODE), ("attempt", MAX_EPISODE)):
        require_within(name, scene[name], 0, most)
    return Scene((scene["object"],), int(scene["seed"]), int(scene["episode"]), int(scene["attempt"]))


def _circumstances(config: UR3DexHandSimConfig) -> dict[str, Any]:
    return {name: draccus.encode(getattr(config, name)) for name in _MATTERING}


def _differing(config: UR3DexHandSimConfig, recorded: dict[str, Any]) -> list[str]:
    now = _circumstances(config)
    return [
        f"--robot.{name} was {recorded[name]}, is {now[name]}"
        for name in _MATTERING
        if name in recorded and recorded[name] != now[name]
    ]
