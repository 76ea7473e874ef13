"""Pre- and postprocessing of every policy here: LeRobot's default pipelines over statistics with a floor."""

from typing import Any

from lerobot.processor import PolicyAction, PolicyProcessorPipeline, make_default_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE

from .observation_config import ObservationConfig
from .range_floor import floor_ranges
from .training_data import check_statistics

type Pipelines = tuple[
    PolicyProcessorPipeline[dict[str, Any], dict[str, Any]],
    PolicyProcessorPipeline[PolicyAction, PolicyAction],
]


def make_floored_processors(
    config: ObservationConfig,
    dataset_stats: dict[str, dict[str, Any]] | None = None,
) -> Pipelines:
    """Build the pipelines around a policy: batch, device, normalise; unnormalise, to CPU.

    Joint channels are normalised with ranges of at least `config.min_closure_range` and
    `config.min_torque_range_n`. The floored ranges are what is saved with the policy. Images pass untouched:
    the policy resizes and normalises them itself.

    Args:
        config: a configuration whose joint columns are known (`make_policy` has run).
        dataset_stats: the dataset's statistics; None leaves everything unnormalised, as LeRobot's own
            factories do.

    Returns:
        Preprocessor and postprocessor.

    Raises:
        ValueError: if the statistics are not finite, reversed, or not those of closures and newtons.
    """
    check_statistics(config, dataset_stats)
    if dataset_stats is not None:
        columns = {
            OBS_STATE: (config.state_angle_columns, config.state_torque_columns),
            ACTION: (config.action_angle_columns, config.action_torque_columns),
        }
        dataset_stats = {
            key: floor_ranges(stats, _floors(config, *columns[key], width=len(stats["min"])))
            if key in columns
            else stats
            for key, stats in dataset_stats.items()
        }
    pipelines: Pipelines = make_default_pre_post_processors(
        config, dataset_stats, normalizer_device=config.device
    )
    return pipelines


def _floors(
    config: ObservationConfig, angle_columns: list[int] | None, torque_columns: list[int] | None, width: int
) -> list[float]:
    floors = [0.0] * width
    for column in angle_columns or []:
        floors[column] = config.min_closure_range
    for column in torque_columns or []:
        floors[column] = config.min_torque_range_n
    return floors
