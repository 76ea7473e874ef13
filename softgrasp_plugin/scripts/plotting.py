"""What `softgrasp-plot` does once its options are read."""

import json
import math
from pathlib import Path

import numpy as np
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import OBS_STATE

from ..datasets.importing import STAGE_FEATURE
from ..datasets.prediction_errors import (
    QUANTITIES,
    EpisodePrediction,
    Errors,
    episode_bounds,
    format_errors,
    joint_columns,
    measure_errors,
    predict_episode,
)
from ..figures.demonstration import Demonstration, draw_demonstration, strip_frames
from ..figures.film import Film, write_film
from ..figures.prediction import draw_prediction
from ..figures.style import save
from ..grasping.stages import segment_stages
from ..joints import FloatArray
from ..policies.runner import PolicyRunner
from .plot import PlotConfig


def plot(config: PlotConfig) -> list[Path]:
    """Draw as `config` says.

    Returns:
        The files written.

    Raises:
        ValueError: if the dataset has no such episode, or is not one of this hand.
        OSError: if the dataset or the checkpoint is missing.
    """
    dataset = LeRobotDataset(config.repo_id, root=config.root, video_backend="pyav")
    episode_bounds(dataset, config.episode)  # before loading a policy
    written: list[Path] = []
    predictions: dict[int, EpisodePrediction] = {}
    if config.policy_path is not None:
        runner = PolicyRunner(config.policy_path)
        held_out = _held_out_episodes(config, dataset)
        for episode in sorted({config.episode, *held_out}):
            predictions[episode] = predict_episode(runner, dataset, episode)
        errors = measure_errors([predictions[episode] for episode in held_out])
        print(f"{config.policy_path} on episodes {', '.join(map(str, held_out))} of {config.repo_id}\n")
        print(format_errors(errors), end="\n\n")
        written.append(_write_errors(errors, held_out, config.output_dir / "errors.json"))
        evaluated = [predictions[episode] for episode in held_out]
        figure = draw_prediction(
            _series(evaluated, "predicted"),
            _series(evaluated, "truth"),
            dataset.fps,
            f"Prediction of the next moment: {config.repo_id}, episodes {', '.join(map(str, held_out))}",
        )
        written.append(save(figure, config.output_dir / f"prediction.{config.format}"))
    demonstration = _read_demonstration(config, dataset, predictions.get(config.episode))
    path = config.output_dir / f"demonstration_episode_{config.episode}.{config.format}"
    written.append(save(draw_demonstration(demonstration), path))
    if config.video is not None:
        path = config.output_dir / f"film_episode_{config.episode}.{config.video}"
        written.append(write_film(_read_film(config, dataset, demonstration), path))
    for path in written:
        print(f"Wrote {path}")
    return written


def _held_out_episodes(config: PlotConfig, dataset: LeRobotDataset) -> list[int]:
    if config.held_out_episodes is not None:
        return config.held_out_episodes
    if not config.eval_split:
        return [config.episode]
    by_task: dict[str, list[int]] = {}
    for episode, tasks in enumerate(dataset.meta.episodes["tasks"]):
        by_task.setdefault(tasks[0], []).append(episode)
    return [
        episode
        for episodes in by_task.values()
        for episode in episodes[len(episodes) - math.ceil(len(episodes) * config.eval_split) :]
    ]


def _read_demonstration(
    config: PlotConfig, dataset: LeRobotDataset, prediction: EpisodePrediction | None
) -> Demonstration:
    if config.image_key not in dataset.meta.camera_keys:
        raise ValueError(
            f"The dataset has no camera {config.image_key!r}: pass --image_key, one of "
            f"{dataset.meta.camera_keys}."
        )
    start, stop = episode_bounds(dataset, config.episode)
    rows = dataset.hf_dataset.select(range(start, stop)).with_format("numpy")
    state = np.stack(list(rows[OBS_STATE])).astype(np.float64)
    closure, torque = (state[:, joint_columns(dataset, OBS_STATE, keys)] for keys in QUANTITIES.values())
    if STAGE_FEATURE in dataset.features:
        stages = np.asarray(rows[STAGE_FEATURE], dtype=np.int64)
    else:
        stages = segment_stages(closure, torque, dataset.fps, config=config.lift)
    items = [dataset[start + frame] for frame in strip_frames(stop - start, config.num_images)]
    return Demonstration(
        images=[(item[config.image_key].permute(1, 2, 0) * 255).byte().numpy() for item in items],
        closure=closure,
        torque=torque,
        stages=stages,
        fps=dataset.fps,
        attention={} if prediction is None else prediction.attention,
        title=f"{config.repo_id}, episode {config.episode}: {items[0]['task']}",
    )


def _read_film(config: PlotConfig, dataset: LeRobotDataset, demonstration: Demonstration) -> Film:
    start, stop = episode_bounds(dataset, config.episode)
    pictures = (dataset[row][config.image_key] for row in range(start, stop))
    return Film(
        [(picture.permute(1, 2, 0) * 255).byte().numpy() for picture in pictures],
        demonstration.torque,
        demonstration.stages,
        demonstration.fps,
        demonstration.attention,
    )


def _series(predictions: list[EpisodePrediction], side: str) -> dict[str, list[FloatArray]]:
    return {
        quantity: [getattr(prediction, side)[quantity] for prediction in predictions]
        for quantity in QUANTITIES
    }


def _write_errors(errors: Errors, episodes: list[int], path: Path) -> Path:
    content = {
        "episodes": episodes,
        "frames": errors.frames,
        "mean_absolute_error": {name: values.tolist() for name, values in errors.policy.items()},
        "copy_last": {name: values.tolist() for name, values in errors.copy_last.items()},
        "skill": {
            name: None if math.isnan(errors.skill(name)) else errors.skill(name) for name in QUANTITIES
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
    return path
