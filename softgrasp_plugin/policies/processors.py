"""Pre- and postprocessing of every policy here: LeRobot's default pipelines over statistics with a floor."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from lerobot.processor import PolicyAction, PolicyProcessorPipeline, make_default_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE

from .closure_deadband import ClosureDeadband
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
    """Build the pipelines around a policy: batch, device, normalise; unnormalise, to CPU, hold what rests
    (`closure_deadband`).

    What normalises the joints is `floor_statistics`, which is also what is saved with the policy. Images pass
    untouched: the policy resizes and normalises them itself.

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
        dataset_stats = floor_statistics(config, dataset_stats)
    pipelines: Pipelines = make_default_pre_post_processors(
        config, dataset_stats, normalizer_device=config.device
    )
    if config.closure_deadband and config.action_angle_columns and config.action_torque_columns:
        deadband = ClosureDeadband(
            config.closure_deadband, config.action_angle_columns, config.action_torque_columns
        )
        postprocessor = pipelines[1]
        postprocessor.steps = [*postprocessor.steps, deadband]
    return pipelines


def floor_statistics(
    config: ObservationConfig, dataset_stats: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The statistics that joint channels are normalised with.

    Ranges are at least `config.min_closure_range` and `config.min_torque_range_n`. With `relative_angles` the
    measured closures are normalised with the statistics of the commanded ones: a change that is added to a
    measured closure is then the same at every closure.

    Args:
        config: a configuration whose joint columns are known.
        dataset_stats: the dataset's statistics by feature.

    Returns:
        A copy; features without joints are kept.
    """
    columns = {
        OBS_STATE: (config.state_angle_columns, config.state_torque_columns),
        ACTION: (config.action_angle_columns, config.action_torque_columns),
    }
    floored = {
        key: floor_ranges(stats, _floors(config, *columns[key], width=len(stats["min"])))
        if key in columns
        else dict(stats)
        for key, stats in dataset_stats.items()
    }
    if config.relative_angles and OBS_STATE in floored and ACTION in floored:
        for name, values in floored[OBS_STATE].items():
            if np.shape(values) == np.shape(floored[OBS_STATE]["min"]):
                values = np.array(values, dtype=np.float64)
                values[config.state_angle_columns] = np.asarray(floored[ACTION][name])[
                    config.action_angle_columns
                ]
                floored[OBS_STATE][name] = values
    return floored


def _floors(
    config: ObservationConfig, angle_columns: list[int] | None, torque_columns: list[int] | None, width: int
) -> list[float]:
    floors = [0.0] * width
    for column in angle_columns or []:
        floors[column] = config.min_closure_range
    for column in torque_columns or []:
        floors[column] = config.min_torque_range_n
    return floors
