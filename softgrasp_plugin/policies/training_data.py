"""What a policy takes over from the dataset it is trained on, beside its columns, and what it refuses."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor

from ..running_command import running_command
from ..units import check_closure_statistics
from .observation_config import ObservationConfig

logger = logging.getLogger(__name__)


def check_statistics(config: ObservationConfig, stats: Mapping[str, Mapping[str, Any]] | None) -> None:
    """Refuse statistics with which a policy would learn nonsense: NaN, reversed, or in other units.

    Args:
        config: a configuration whose columns are named.
        stats: the dataset's statistics by feature; None if there are none.

    Raises:
        ValueError: naming the feature, its column and what the values look like.
    """
    for feature, names in (
        (OBS_STATE, config.state_feature_names),
        (ACTION, config.action_feature_names),
    ):
        if stats is None or names is None or feature not in stats:
            continue
        try:
            check_closure_statistics(names, stats[feature]["min"], stats[feature]["max"])
            for name in ("mean", "std"):
                if not np.isfinite(np.asarray(stats[feature][name], dtype=np.float64)).all():
                    raise ValueError(f"Statistic {name!r} is not finite.")
        except ValueError as error:
            raise ValueError(
                f"The dataset's statistics of {feature!r} cannot be trained on: {error}"
            ) from error


def adopt_dataset(config: ObservationConfig, dataset_meta: Any | None) -> None:
    """Keep the dataset's frame rate in a policy's configuration, so that it can be checked where it acts.

    The dataset's statistics are checked too: a resumed training sees them nowhere else.

    Args:
        config: the policy's configuration.
        dataset_meta: `LeRobotDatasetMetadata`, as LeRobot's factory passes it in training; None otherwise.

    Raises:
        ValueError: if a training is resumed at another frame rate, or the statistics are refused.
    """
    if dataset_meta is None:
        return
    check_statistics(config, dataset_meta.stats)
    before, now = config.dataset_fps, float(dataset_meta.fps)
    if before is not None and before != now:
        change = f"The policy was trained at {before:g} Hz, and this dataset has {now:g} Hz"
        command = running_command()
        if command is not None and getattr(command.config, "resume", False):
            raise ValueError(
                f"{change}: this training cannot be resumed on it. Resume with the dataset it began with, or "
                "start a new training from the checkpoint with --policy.path."
            )
        logger.warning("%s: from now on it has to be asked at %g Hz.", change, now)
    config.dataset_fps = now


def require_finite(loss: Tensor, batch: Mapping[str, Any]) -> None:
    """Stop a training before NaN reaches the weights, where it would stay.

    Args:
        loss: (), or one per sample.
        batch: what it was computed from.

    Raises:
        ValueError: naming the inputs that are not finite, or saying that all are.
    """
    if torch.isfinite(loss).all():
        return
    bad = [
        f"{key} in columns {sorted({int(index[-1]) for index in (~torch.isfinite(value)).nonzero()})[:12]}"
        for key, value in batch.items()
        if isinstance(value, Tensor) and value.is_floating_point() and not torch.isfinite(value).all()
    ]
    reason = (
        f"its batch is not finite: {'; '.join(bad)}. Repair the dataset or leave these episodes out."
        if bad
        else "its batch is finite, so the training diverged. Lower --policy.optimizer_lr."
    )
    raise ValueError(f"The loss is {loss.detach().flatten()[:4].tolist()}: {reason}")
