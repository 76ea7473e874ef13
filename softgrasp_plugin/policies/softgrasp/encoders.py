"""Feature representation (SoftGrasp, section 3.2.1): one frame of one modality to one feature vector.

Shapes: N frames, J = 6 joints, D_f features.
"""

import math
from typing import Literal, Self

import torch
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS

from .backbone import make_resnet18
from .configuration_softgrasp import BackboneNorm
from .images import ImageNetNormalize


class ImageEncoder(nn.Module):
    """ResNet-18 and a linear layer: an image to a feature vector.

    Args:
        feature_dim: width D_f of the feature.
        stages: stages of the ResNet-18 to use.
        norm: its normalisation.
        weights: pretrained weights, see `make_resnet18`.
        use_amp: compute the convolutions in the device's autocast type (bfloat16 on CPU).
    """

    def __init__(
        self, feature_dim: int, stages: int, norm: BackboneNorm, weights: str | None, use_amp: bool
    ) -> None:
        super().__init__()
        self.use_amp = use_amp
        self.normalize = ImageNetNormalize()
        self.backbone = make_resnet18(stages, norm, weights)
        self.projection = nn.Linear(64 * 2 ** (stages - 1), feature_dim)

    def train(self, mode: bool = True) -> Self:
        """Switch modes; at inference the weights lie channels-last, as the images always do.

        Not in training: Adam's moments would take over the layout, and LeRobot saves contiguous ones only.
        """
        if mode != self.training:
            layout = torch.contiguous_format if mode else torch.channels_last
            self.backbone.to(memory_format=layout)  # type: ignore[call-overload]  # missing in torch's stub
        return super().train(mode)

    def forward(self, images: Tensor) -> Tensor:  # (N, 3, H, W) in [0, 1] -> (N, D_f)
        images = self.normalize(images).contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, enabled=self.use_amp):
            maps = self.backbone(images)  # (N, C, h, w)
        feature: Tensor = self.projection(maps.float().mean((-2, -1)))
        return feature


class PerJointEncoder(nn.Module):
    """Two-layer MLP over (value, one-hot of the joint), shared by the joints; their features are averaged.

    Each of the six values becomes a (1+6)-dimensional element as in the paper. How the paper goes from six
    elements to one feature vector is not said; averaging keeps the weights shared, so that the one-hot is
    what tells the joints apart.
    """

    one_hot: Tensor

    def __init__(self, feature_dim: int) -> None:
        super().__init__()
        self.register_buffer("one_hot", torch.eye(NUM_JOINTS), persistent=False)
        self.hidden = nn.Linear(1 + NUM_JOINTS, feature_dim)
        self.output = nn.Linear(feature_dim, feature_dim)

    def forward(self, values: Tensor) -> Tensor:  # (N, J) -> (N, D_f)
        one_hot = self.one_hot.expand(values.shape[0], -1, -1)
        elements = torch.cat([values.unsqueeze(-1), one_hot], dim=-1)  # (N, J, 1+J)
        hidden = torch.relu(self.hidden(elements))  # (N, J, D_f)
        # The second layer is linear: averaging before it gives the same function at a sixth of the cost.
        feature: Tensor = self.output(hidden.mean(1))
        return feature


class FlatEncoder(nn.Module):
    """Two-layer MLP over the six values as one vector, whose positions already tell the joints apart."""

    def __init__(self, feature_dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(NUM_JOINTS, feature_dim)
        self.output = nn.Linear(feature_dim, feature_dim)

    def forward(self, values: Tensor) -> Tensor:  # (N, J) -> (N, D_f)
        feature: Tensor = self.output(torch.relu(self.hidden(values)))
        return feature


def make_joint_encoder(kind: Literal["per_joint", "flat"], feature_dim: int) -> nn.Module:
    """Build the encoder of joint angles, or of joint torques."""
    return PerJointEncoder(feature_dim) if kind == "per_joint" else FlatEncoder(feature_dim)


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
