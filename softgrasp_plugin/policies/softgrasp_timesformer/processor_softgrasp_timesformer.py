"""Pre- and postprocessing of `softgrasp_timesformer`."""

from typing import Any

from ..processors import Pipelines, make_floored_processors
from .configuration_softgrasp_timesformer import SoftGraspTimeSformerConfig


def make_softgrasp_timesformer_pre_post_processors(
    config: SoftGraspTimeSformerConfig,
    dataset_stats: dict[str, dict[str, Any]] | None = None,
) -> Pipelines:
    """Build the pipelines around the policy, see `make_floored_processors`; LeRobot finds it by its name."""
    return make_floored_processors(config, dataset_stats)
