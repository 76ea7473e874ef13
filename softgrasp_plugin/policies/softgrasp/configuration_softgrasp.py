"""Configuration of the `softgrasp` policy; defaults are the paper's (SoftGrasp, section 3.2, Table 3)."""

from dataclasses import dataclass
from typing import Literal

from lerobot.configs import PreTrainedConfig

from ...bounds import require_within
from ..backbone_config import BackboneConfig
from ..stack_config import StackConfig


@PreTrainedConfig.register_subclass("softgrasp")
@dataclass
class SoftGraspConfig(BackboneConfig, StackConfig):
    """Configuration of `SoftGraspPolicy`; inputs, labels and loss are in `StackConfig`.

    Attributes:
        fusion: `attention` is the paper's; `concat` is its Direct Connection baseline (Table 6).
        feature_dim: width D_f of one frame's feature; a token stacks `num_stack` of them, so tokens are 768
            wide.
        num_heads: heads H of the self-attention.
        residual: add the input tokens to the attention's output (not in the paper's Eq. (4); the authors'
            code does).
    """

    fusion: Literal["attention", "concat"] = "attention"
    feature_dim: int = 256
    num_heads: int = 8
    residual: bool = False

    def __post_init__(self) -> None:
        require_within("feature_dim", self.feature_dim, 1, 8192)
        require_within("num_heads", self.num_heads, 1, 1024)
        super().__post_init__()
        require_within("num_stack × feature_dim", self.token_dim, 1, 16_384)
        if self.token_dim % self.num_heads:
            raise ValueError(
                f"The token width {self.token_dim} (`num_stack` × `feature_dim`) must be divisible by "
                f"`num_heads` ({self.num_heads})."
            )

    @property
    def token_dim(self) -> int:
        """Width D of a modality's token: the features of all frames of the stack, one after the other."""
        return self.num_stack * self.feature_dim
