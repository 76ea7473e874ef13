"""Makes touch decide where the fingers stop: an augmentation of the measured closures.

A policy that sees how far each joint is closed can learn at which closure the demonstrated objects were met,
and then stops there, object or not. Shift what the joints say by a random amount, and the same posture occurs
with and without contact: only the torques (and the image) can tell which. Labels that are relative to the
measured closure stay what they are.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lerobot.configs import NormalizationMode
from lerobot.utils.constants import OBS_STATE
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS, THUMB_SWING

from .modalities import ANGLE
from .observation_config import ObservationConfig
from .processors import floor_statistics


class ClosureShift(nn.Module):
    """Adds a random offset to the closures of a sample, the same for all of its frames, in training only.

    An offset uniform in ±`config.closure_shift` is common to the five bending joints; an own one as wide is
    added to each, so that the fingers do not tell the thumb either where it stops. The thumb's swing, which
    meets no object, stays.

    Args:
        config: the policy's configuration.
        dataset_stats: statistics of the training data, from which the normalised size of a closure follows;
            None where nothing is trained.
    """

    scale: Tensor  # (J,) normalised units per closure

    def __init__(
        self, config: ObservationConfig, dataset_stats: Mapping[str, Mapping[str, Any]] | None
    ) -> None:
        super().__init__()
        self.width = config.closure_shift
        scale = torch.full((NUM_JOINTS,), torch.nan)
        if self.width and dataset_stats is not None:
            scale = torch.as_tensor(_units_per_closure(config, dataset_stats), dtype=torch.float32)
        self.register_buffer("scale", scale, persistent=False)

    def forward(self, angles: Tensor) -> Tensor:
        """Shift normalised closures (B, …, J).

        Raises:
            ValueError: in training, if the statistics are not known.
        """
        if not (self.training and self.width):
            return angles
        if not torch.isfinite(self.scale).all():
            raise ValueError(
                "`closure_shift` is in units of closure and needs the dataset's statistics: build the policy "
                "with LeRobot's make_policy and a dataset, or pass `dataset_stats`."
            )
        batch = len(angles)
        common = torch.rand(batch, 1, device=angles.device) * 2 - 1
        own = torch.rand(batch, NUM_JOINTS, device=angles.device) * 2 - 1
        shift = self.width * (common + own)
        shift[:, THUMB_SWING] = 0.0
        shift = (shift * self.scale).to(angles.dtype)
        return angles + shift.view(batch, *[1] * (angles.ndim - 2), NUM_JOINTS)


def _units_per_closure(
    config: ObservationConfig, dataset_stats: Mapping[str, Mapping[str, Any]]
) -> np.ndarray[Any, Any]:
    stats = floor_statistics(config, dataset_stats)[OBS_STATE]
    columns = config.state_columns(ANGLE)
    mode = config.normalization_mapping.get("STATE", NormalizationMode.IDENTITY)
    match mode:
        case NormalizationMode.IDENTITY:
            return np.ones(len(columns))
        case NormalizationMode.MEAN_STD:
            return np.asarray(1.0 / np.asarray(stats["std"], dtype=np.float64)[columns])
        case NormalizationMode.MIN_MAX:
            low, high = (np.asarray(stats[name], dtype=np.float64)[columns] for name in ("min", "max"))
            return np.asarray(2.0 / (high - low))
        case _:
            raise ValueError(
                f"`closure_shift` knows MEAN_STD, MIN_MAX and IDENTITY for STATE in `normalization_mapping`; "
                f"got {mode}."
            )
