"""An image to a feature vector, and the encoding of time (SoftGrasp, section 3.2.1).

Shapes: N frames, D_f features.
"""

import math

import torch
from torch import Tensor, nn

from ..backbone import make_resnet18, trunk_channels
from ..backbone_config import BackboneNorm
from ..images import ImageNetNormalize
from ..precision import autocast


class ImageEncoder(nn.Module):
    """ResNet-18 and a linear layer: an image to a feature vector.

    Args:
        feature_dim: width D_f of the feature.
        stages: stages of the ResNet-18 to use.
        norm: its normalisation.
        weights: pretrained weights, see `make_resnet18`.
        use_amp: compute the convolutions in the device's lower precision, if it has one.
    """

    def __init__(
        self, feature_dim: int, stages: int, norm: BackboneNorm, weights: str | None, use_amp: bool
    ) -> None:
        super().__init__()
        self.use_amp = use_amp
        self.normalize = ImageNetNormalize()
        self.backbone = make_resnet18(stages, norm, weights)
        self.projection = nn.Linear(trunk_channels(stages), feature_dim)

    def forward(self, images: Tensor) -> Tensor:  # (N, 3, H, W) in [0, 1] -> (N, D_f)
        with autocast(images.device.type, self.use_amp):
            maps = self.backbone(self.normalize(images))  # (N, C, h, w)
        feature: Tensor = self.projection(maps.float().mean((-2, -1)))
        return feature


def sinusoidal_encoding(num_steps: int, width: int) -> Tensor:
    """Sinusoidal position encoding of time steps.

    Args:
        num_steps: length S of the stack.
        width: width D_f of the encoded features.

    Returns:
        (S, D_f): sines in the even columns, cosines in the odd ones, with wavelengths from 2π to 10⁴ · 2π.
    """
    position = torch.arange(num_steps, dtype=torch.float32).unsqueeze(1)  # (S, 1)
    frequency = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10_000.0) / width))
    encoding = torch.zeros(num_steps, width)
    encoding[:, 0::2] = torch.sin(position * frequency)
    encoding[:, 1::2] = torch.cos(position * frequency[: width // 2])
    return encoding
