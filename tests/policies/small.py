"""Every policy of the plugin, small enough that every test of it is quick."""

from typing import Any

import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class
from lerobot.policies.pretrained import PreTrainedPolicy

from softgrasp_plugin.policies.example import make_example_config_of

_SHARED: dict[str, Any] = {"height": 24, "width": 32, "image_size": (24, 32)}
_HEADS: dict[str, Any] = {"head_hidden_dims": [32, 32]}
_FIELDS: dict[str, dict[str, Any]] = {
    "softgrasp": _HEADS | {"backbone_stages": 1, "feature_dim": 16, "num_heads": 4},
    "softgrasp_act": {
        "backbone_stages": 1,
        "chunk_size": 4,
        "n_action_steps": 1,
        "dim_model": 16,
        "n_heads": 2,
        "dim_feedforward": 32,
        "n_encoder_layers": 1,
        "n_vae_encoder_layers": 1,
        "latent_dim": 4,
    },
    "softgrasp_timesformer": _HEADS | {"patch_size": 8, "dim": 16, "depth": 2, "num_heads": 2},
}
POLICIES = tuple(_FIELDS)


def small_config(policy_type: str, **overrides: Any) -> Any:
    config_class = PreTrainedConfig.get_choice_class(policy_type)
    return make_example_config_of(config_class, **{**_SHARED, **_FIELDS[policy_type], **overrides})


def small_policy(policy_type: str, **overrides: Any) -> PreTrainedPolicy:
    torch.manual_seed(0)
    return get_policy_class(policy_type)(small_config(policy_type, **overrides)).eval()
