"""Checkpoints that must fit: missing or unexpected weights are an error, where LeRobot only warns."""

from pathlib import Path
from typing import Any, Self

from lerobot.configs import PreTrainedConfig
from safetensors.torch import load_model
from torch import nn


class StrictLoading:
    """Stands before LeRobot's `PreTrainedPolicy` (or a policy of its own) in the bases of a policy.

    The policy's constructor takes `load_backbone_weights`.
    """

    @classmethod
    def from_pretrained(
        cls,
        pretrained_name_or_path: str | Path,
        *,
        config: PreTrainedConfig | None = None,
        strict: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Load a policy; unlike LeRobot's default, weights that are missing or unexpected are an error.

        Raises:
            RuntimeError: if the checkpoint's weights do not fit the configuration.
        """
        kwargs["load_backbone_weights"] = False  # the checkpoint brings all weights
        policy: Self = super().from_pretrained(  # type: ignore[misc]  # the policy's next base has it
            pretrained_name_or_path, config=config, strict=strict, **kwargs
        )
        return policy

    @classmethod
    def _load_as_safetensor(
        cls, model: nn.Module, model_file: str, map_location: str, strict: bool
    ) -> nn.Module:
        missing, unexpected = load_model(model, model_file, strict=False, device="cpu")
        if strict and (missing or unexpected):
            raise RuntimeError(
                f"{model_file} does not fit the configuration: missing {sorted(missing)}, unexpected "
                f"{sorted(unexpected)}. Load it with the configuration it was trained with (modalities, "
                "fusion, encoders, widths, blur)."
            )
        return model
