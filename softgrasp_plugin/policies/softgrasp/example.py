"""Example configuration and inputs of the `softgrasp` policy."""

from typing import Any

from ..example import example_features, make_example_batch, make_example_config_of
from .configuration_softgrasp import SoftGraspConfig

__all__ = ["example_features", "make_example_batch", "make_example_config"]


def make_example_config(height: int = 120, width: int = 160, **overrides: Any) -> SoftGraspConfig:
    """A configuration ready to build a policy, see `make_example_config_of`."""
    return make_example_config_of(SoftGraspConfig, height, width, **overrides)
