"""Adam that updates all weights in one pass over memory: `--optimizer.type=fused_adam`.

The same steps as `adam`, up to rounding. What it saves is what `adam` saves, so that a training begun with
either goes on with the other.
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from lerobot.optim import AdamConfig, OptimizerConfig


class FusedAdam(torch.optim.Adam):
    """PyTorch's fused Adam, whose state is that of the other.

    Args:
        params: weights, or groups of them.
        **options: those of `torch.optim.Adam`.
    """

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, fused=True, **options)

    def state_dict(self) -> dict[str, Any]:
        state = super().state_dict()
        for group in state["param_groups"]:
            group["fused"] = None  # LeRobot refuses a state whose options are of another type
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        groups = [{**group, "fused": True} for group in state_dict["param_groups"]]
        super().load_state_dict({**state_dict, "param_groups": groups})


@OptimizerConfig.register_subclass("fused_adam")
@dataclass
class FusedAdamConfig(AdamConfig):
    """Options of `adam`."""

    def build(self, params: Any) -> torch.optim.Optimizer:
        options = asdict(self)
        del options["grad_clip_norm"]
        return FusedAdam(params, **options)
