"""`softgrasp-plot`: a demonstration over time, and what a policy makes of it.

```shell
softgrasp-plot --repo_id=${HF_USER}/apple --root=data/apple --episode=0
softgrasp-plot --repo_id=${HF_USER}/apple --root=data/apple \
    --policy_path=outputs/train/checkpoints/last/pretrained_model --eval_split=0.2
```

With a policy it also draws the attention paid to each modality, and prints and draws the prediction errors on
held-out episodes: those that ``lerobot-train --dataset.eval_split=0.2`` held out, or those named in
``--held_out_episodes``.
"""

import json
import logging
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from lerobot.configs import parser
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import OBS_STATE
from lerobot.utils.import_utils import register_third_party_plugins
from lerobot.utils.utils import init_logging

from ..bounds import require_within
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
from ..figures.prediction import draw_prediction
from ..figures.style import save
from ..grasping.lift import LiftConfig
from ..grasping.stages import segment_stages
from ..joints import IMAGE_FEATURE, FloatArray
from ..options import refuses_in_words
from ..policies.runner import PolicyRunner


@refuses_in_words
@dataclass
class PlotConfig:
    """Options of `softgrasp-plot`."""

    # Name of the dataset, "user/name".
    repo_id: str
    # Folder of the dataset; by default LeRobot's own place for this repo_id, or the Hub.
    root: Path | None = None
    # The episode to draw.
    episode: int = 0
    # Where the figures go.
    output_dir: Path = Path("outputs/softgrasp_plot")
    # Checkpoint (its folder `pretrained_model`) or repository of a policy.
    policy_path: str | None = None
    # Measure errors on the last episodes of each task, as lerobot-train holds them out with the same
    # --dataset.eval_split.
    eval_split: float = 0.0
    # Measure errors on these episodes. By default those of eval_split, else the drawn episode.
    held_out_episodes: list[int] | None = None
    # Camera whose images are drawn.
    image_key: str = IMAGE_FEATURE
    # Images in the strip.
    num_images: int = 7
    # The lift supervisor of the recording (its --robot.lift), which tells when the arm rose where the
    # dataset has no stages of its own.
    lift: LiftConfig = field(default_factory=LiftConfig)
    # "png", "pdf" or "svg".
    format: str = "png"

    def __post_init__(self) -> None:
        require_within("--episode", self.episode, 0, 10**9)
        require_within("--eval_split", self.eval_split, 0.0, 0.999)
        for episode in self.held_out_episodes or ():
            require_within("--held_out_episodes", episode, 0, 10**9)
        require_within("--num_images", self.num_images, 1, 100)
        if self.policy_path is None and (self.eval_split or self.held_out_episodes):
            raise ValueError("Errors are those of a policy: give --policy_path too.")
        if self.held_out_episodes is not None and not self.held_out_episodes:
            raise ValueError("--held_out_episodes=[] names no episode.")
        if self.format not in ("png", "pdf", "svg"):
            raise ValueError(f"--format={self.format}: expected png, pdf or svg.")


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


@parser.wrap()
def run(config: PlotConfig) -> None:
    """Entry point of the command; see the module's docstring."""
    plot(config)


def main() -> None:
    """Run `softgrasp-plot`; a mistake in the input ends with one line and exit status 1."""
    init_logging()
    logging.getLogger().setLevel(logging.WARNING)
    register_third_party_plugins()
    try:
        run()
    except (OSError, ValueError) as error:
        sys.exit(f"softgrasp-plot: {error}")


if __name__ == "__main__":
    main()
