"""Fields of a configuration that choose the visual backbone; apart from `backbone.py`, so that registering a
policy loads no torchvision.
"""

from dataclasses import dataclass
from typing import Literal

from lerobot.configs import PreTrainedConfig

from ..bounds import require_within

BackboneNorm = Literal["frozen", "group", "batch"]


@dataclass
class BackboneConfig(PreTrainedConfig):
    """The ResNet-18 of a policy that has one.

    Attributes:
        backbone_stages: stages of ResNet-18 that are used, 1…4; 4 is the whole network.
        backbone_norm: `group` normalisation, `batch` normalisation, or `frozen`: batch normalisation with its
            pretrained statistics, folded into the convolutions. None becomes `frozen` with pretrained weights
            and `group` without.
        pretrained_backbone_weights: a torchvision name (`ResNet18_Weights.IMAGENET1K_V1`, downloaded) or a
            local file holding a ResNet-18 state dict. None starts from random weights and needs no network.
    """

    backbone_stages: int = 4
    backbone_norm: BackboneNorm | None = None
    pretrained_backbone_weights: str | None = None

    def __post_init__(self) -> None:
        require_within("backbone_stages", self.backbone_stages, 1, 4)
        super().__post_init__()
        if self.backbone_norm is None:
            self.backbone_norm = "group" if self.pretrained_backbone_weights is None else "frozen"
        if self.backbone_norm == "frozen" and self.pretrained_backbone_weights is None:
            raise ValueError(
                "`backbone_norm=frozen` keeps the statistics of pretrained weights, and there are none. "
                "Set `pretrained_backbone_weights`, or use `group` or `batch`."
            )
        if self.backbone_norm == "group" and self.pretrained_backbone_weights is not None:
            raise ValueError(
                "Pretrained ResNet-18 weights come with batch normalisation: use `backbone_norm=frozen` or "
                "`backbone_norm=batch`."
            )
