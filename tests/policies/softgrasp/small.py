"""A policy small enough that every test of it is quick."""

from typing import Any

import torch

from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig
from softgrasp_plugin.policies.softgrasp.example import make_example_config
from softgrasp_plugin.policies.softgrasp.modeling_softgrasp import SoftGraspPolicy


def small_config(**overrides: Any) -> SoftGraspConfig:
    defaults = {
        "height": 24,
        "width": 32,
        "image_size": (24, 32),
        "backbone_stages": 1,
        "feature_dim": 16,
        "num_heads": 4,
        "head_hidden_dims": [32, 32],
    }
    return make_example_config(**{**defaults, **overrides})


def small_policy(**overrides: Any) -> SoftGraspPolicy:
    torch.manual_seed(0)
    return SoftGraspPolicy(small_config(**overrides)).eval()
