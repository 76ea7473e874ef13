"""Example configurations and inputs of the policies, for tests, benchmarks and first steps."""

from typing import Any

import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.utils.constants import ACTION, OBS_STATE
from torch import Tensor

from softgrasp_plugin.joints import IMAGE_FEATURE, keys_of

from .observation_config import ObservationConfig


def example_features(
    height: int = 120, width: int = 160, measures_torque: bool = True
) -> dict[str, dict[str, Any]]:
    """Features of a dataset that `lerobot-record` makes with a SoftGrasp robot (its `meta/info.json`)."""
    names = keys_of(measures_torque)
    vector = {"dtype": "float32", "shape": (len(names),), "names": list(names)}
    image = {"dtype": "image", "shape": (height, width, 3), "names": ["height", "width", "channels"]}
    return {OBS_STATE: dict(vector), ACTION: dict(vector), IMAGE_FEATURE: image}


def make_example_config_of[ConfigT: ObservationConfig](
    config_class: type[ConfigT],
    height: int = 120,
    width: int = 160,
    measures_torque: bool = True,
    **overrides: Any,
) -> ConfigT:
    """A configuration ready to build a policy: features as in `example_features`, joint columns found.

    Args:
        config_class: configuration of the policy.
        height: height of the camera image.
        width: width of the camera image.
        measures_torque: False for the closures alone, of a hand without torque sensing.
        **overrides: fields of the configuration.
    """
    columns = len(keys_of(measures_torque))
    config = config_class(
        input_features={
            OBS_STATE: PolicyFeature(FeatureType.STATE, (columns,)),
            IMAGE_FEATURE: PolicyFeature(FeatureType.VISUAL, (3, height, width)),
        },
        output_features={ACTION: PolicyFeature(FeatureType.ACTION, (columns,))},
        **{"device": "cpu", **overrides},
    )
    config.set_dataset_feature_metadata(example_features(height, width, measures_torque))
    return config


def make_example_batch(
    config: ObservationConfig, batch_size: int = 2, *, stacked: bool = True, seed: int = 0
) -> dict[str, Tensor]:
    """Random inputs as they come from the preprocessor.

    Args:
        config: a configuration from `make_example_config_of`.
        batch_size: B.
        stacked: True for training, image (B, S, 3, H, W), state (B, S, 12), action (B, H+1, 12) and its
            padding (B, H+1), without the axis S for a policy that reads no stack; False for one frame at
            inference, image (B, 3, H, W) and state (B, 12).
        seed: of the random numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    frames = config.observation_delta_indices
    lead = (batch_size, len(frames)) if stacked and frames is not None else (batch_size,)
    batch = {}
    for key, feature in config.used_inputs.items():
        values = torch.rand(*lead, *feature.shape, generator=generator)
        batch[key] = values if feature.type is FeatureType.VISUAL else 2 * values - 1
    if stacked:
        moments = len(config.action_delta_indices)
        width = len(keys_of(config.predicts_torque))
        batch[ACTION] = 2 * torch.rand(batch_size, moments, width, generator=generator) - 1
        batch[f"{ACTION}_is_pad"] = torch.zeros(batch_size, moments, dtype=torch.bool)
    return batch
