"""Pre- and postprocessing of `softgrasp`."""

from typing import Any

from ..processors import Pipelines, make_floored_processors
from .configuration_softgrasp import SoftGraspConfig


def make_softgrasp_pre_post_processors(
    config: SoftGraspConfig,
    dataset_stats: dict[str, dict[str, Any]] | None = None,
) -> Pipelines:
    """Build the pipelines around the policy, see `make_floored_processors`; LeRobot finds it by its name."""
    return make_floored_processors(config, dataset_stats)
