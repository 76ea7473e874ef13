"""The card of a dataset: its front page on the Hugging Face Hub, filled in with the dataset's own numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from huggingface_hub import DatasetCard, DatasetCardData
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import ACTION, OBS_STATE

from ..grasping.objects import GraspObject
from ..grasping.stages import Stage, segment_stages
from ..joints import CLOSURE_KEYS, STATE_KEYS, TORQUE_KEYS, FloatArray
from ..simulation.catalogue import SIM_OBJECT_BY_TASK
from .options import CardOptions

_SIZE_CATEGORIES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_STAGES: dict[Stage, tuple[str, str]] = {
    Stage.PREPARATION: ("Preparation", "initial pose, no contact"),
    Stage.CLOSING: ("Closing", "fingers bend, forces rise on contact"),
    Stage.CLUTCHING: ("Clutching", "closures and forces settle"),
    Stage.RECLUTCHING: ("Re-clutching", "lifted, slight adjustment"),
    Stage.STABLE: ("Stable", "held off the ground, nothing changes"),
}


@dataclass(frozen=True, kw_only=True)
class DatasetCardOptions(CardOptions):
    """What the dataset itself does not say.

    Attributes:
        objects: names of the grasped objects, `object_01` … `object_12` of Table 2 or `random_01` …
            `random_06` of the simulation; empty where it was something else.
    """

    objects: Sequence[str] = ()


@dataclass(frozen=True)
class ChannelRow:
    """One column of `observation.state`: its key, its quantity and unit, and its range in this dataset."""

    index: int
    key: str
    quantity: str
    unit: str
    minimum: float
    mean: float
    maximum: float


@dataclass(frozen=True)
class StageRow:
    """One stage of the grasp: in how many episodes it occurs, and for how long there."""

    number: int
    name: str
    meaning: str
    episodes: int
    seconds: float


def render_dataset_card(dataset: LeRobotDataset, template: str, options: DatasetCardOptions) -> DatasetCard:
    """Fill in the card of a dataset.

    Args:
        dataset: the dataset; its videos are not read.
        template: Jinja template of the card, front matter included.
        options: what the dataset does not say.

    Returns:
        The card; its front matter has been parsed by huggingface_hub.

    Raises:
        ValueError: if an object is unknown, or the dataset lacks a column of the hand.
    """
    info = dataset.meta.info
    card_data = DatasetCardData(
        license=options.license,
        pretty_name=dataset.repo_id.rpartition("/")[2].replace("_", " "),
        task_categories=["robotics"],
        tags=["LeRobot", "softgrasp", "dexterous-hand", "force-feedback", "grasping", "tactile"],
        size_categories=[_size_category(info.total_frames)],
        configs=[{"config_name": "default", "data_files": "data/*/*.parquet"}],
    )
    card: DatasetCard = DatasetCard.from_template(
        card_data,
        template_str=template,
        repo_id=dataset.repo_id,
        info=info,
        minutes=info.total_frames / info.fps / 60,
        instructions=list(dataset.meta.tasks.index),
        cameras={key: dataset.meta.features[key] for key in dataset.meta.camera_keys},
        objects=[_find_object(name) for name in options.objects],
        channels=channel_rows(dataset.meta.features, dataset.meta.stats),
        action_is_state=_names(dataset.meta.features, ACTION) == _names(dataset.meta.features, OBS_STATE),
        stages=stage_rows(dataset),
        has_stage_labels="stage" in dataset.meta.features,
        description=options.description,
        figures=options.figures,
    )
    return card


def channel_rows(
    features: Mapping[str, Mapping[str, Any]], stats: Mapping[str, Mapping[str, FloatArray]]
) -> list[ChannelRow]:
    """Describe the columns of `observation.state`, in order.

    Args:
        features: the dataset's features.
        stats: the dataset's statistics, per feature `min`, `mean` and `max` of shape (D,).
    """
    state = stats[OBS_STATE]
    return [
        ChannelRow(
            index, key, *_meaning(key), *(float(state[name][index]) for name in ("min", "mean", "max"))
        )
        for index, key in enumerate(_names(features, OBS_STATE))
    ]


def stage_rows(dataset: LeRobotDataset) -> list[StageRow]:
    """Find the stages of every episode in its closures and torques; none without torque sensing.

    Raises:
        ValueError: if a column of the hand is missing.
    """
    names = _names(dataset.meta.features, OBS_STATE)
    if not set(TORQUE_KEYS) & set(names):
        return []
    missing = [key for key in STATE_KEYS if key not in names]
    if missing:
        raise ValueError(
            f"{dataset.repo_id}: observation.state lacks {missing}; it has {names}. "
            "A card can be made of what a SoftGrasp robot recorded or softgrasp-import wrote."
        )
    columns = dataset.hf_dataset.select_columns([OBS_STATE, "episode_index"]).with_format("numpy")[:]
    state, episode = np.asarray(columns[OBS_STATE]), np.asarray(columns["episode_index"])
    closure = state[:, [names.index(key) for key in CLOSURE_KEYS]]
    torque = state[:, [names.index(key) for key in TORQUE_KEYS]]
    fps = dataset.meta.fps
    counts = np.array(
        [
            np.bincount(segment_stages(closure[rows], torque[rows], fps), minlength=len(Stage) + 1)
            for rows in (episode == index for index in np.unique(episode))
        ]
    )
    rows = []
    for stage, (name, meaning) in _STAGES.items():
        frames = counts[:, stage]
        occurs = int(np.count_nonzero(frames))
        seconds = float(frames.sum()) / fps / max(occurs, 1)
        rows.append(StageRow(int(stage), name, meaning, occurs, seconds))
    return rows


def _meaning(key: str) -> tuple[str, str]:
    """Quantity and unit of a key."""
    if key in TORQUE_KEYS:
        return "fingertip force", "N, 0 when nothing is touched"
    if key in CLOSURE_KEYS:
        return "closure", "0 open … 1 closed"
    return "arm joint angle", "rad"


def _names(features: Mapping[str, Mapping[str, Any]], feature: str) -> list[str]:
    return [str(name) for name in features[feature]["names"]]


def _find_object(name: str) -> GraspObject:
    if name not in SIM_OBJECT_BY_TASK:
        raise ValueError(f"Unknown object {name!r}. Expected any of: {', '.join(SIM_OBJECT_BY_TASK)}.")
    return SIM_OBJECT_BY_TASK[name].table_row


def _size_category(frames: int) -> str:
    return next((name for limit, name in _SIZE_CATEGORIES if frames < limit), "1M<n<10M")
