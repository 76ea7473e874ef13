"""ResNet-18 as the visual backbone, with three kinds of normalisation and optional pretrained weights."""

from pathlib import Path
from typing import Self

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .backbone_config import BackboneNorm
from .packed_conv import pack_convolutions

_CHANNELS_PER_GROUP = 16


class ResNetTrunk(nn.Sequential):
    """The convolutional part of a ResNet; images pass channels-last, which is the faster layout."""

    def train(self, mode: bool = True) -> Self:
        """Switch modes; at inference the weights lie channels-last, as the images always do.

        Not in training: Adam's moments would take over the layout, and LeRobot saves contiguous ones only.
        """
        if mode != self.training:
            layout = torch.contiguous_format if mode else torch.channels_last
            self.to(memory_format=layout)  # type: ignore[call-overload]  # missing in torch's stub
        return super().train(mode)

    def forward(self, images: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, C, h, w)
        images = images.contiguous(memory_format=torch.channels_last)
        for layer in self:
            images = layer(images)
        return images


def trunk_channels(stages: int) -> int:
    """Channels of the maps after that many stages of a ResNet-18."""
    return 64 << (stages - 1)


def make_resnet18(stages: int, norm: BackboneNorm, weights: str | None) -> ResNetTrunk:
    """Build the convolutional part of a ResNet-18.

    Args:
        stages: how many of its four stages to keep; the output has 64 · 2^(stages − 1) channels.
        norm: normalisation layers. `frozen` folds batch normalisation into the convolutions: the statistics
            stay those of the weights, the convolutions train on, and nothing is left to compute.
        weights: a torchvision weights name or a file holding a ResNet-18 state dict; None leaves the weights
            random.

    Returns:
        A module from (N, 3, H, W) to (N, C, H / 2^(stages + 1), W / 2^(stages + 1)).

    Raises:
        ValueError: if the weights are neither a file nor a name that torchvision knows, or do not fit a
            ResNet-18.
    """
    resnet = torchvision.models.resnet18(norm_layer=_group_norm if norm == "group" else nn.BatchNorm2d)
    if weights is not None:
        _load_weights(resnet, weights)
    if norm == "frozen":
        _fold_batch_norm(resnet)
    trunk = [resnet.conv1, resnet.bn1, resnet.relu, resnet.maxpool]
    backbone = ResNetTrunk(*trunk, *[getattr(resnet, f"layer{stage}") for stage in range(1, stages + 1)])
    pack_convolutions(backbone)
    return backbone


def _group_norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(channels // _CHANNELS_PER_GROUP, channels)


def _load_weights(resnet: nn.Module, weights: str) -> None:
    state = _read_weights(weights)
    # The trunk is all that is used: a backbone file may come without the classifier.
    state = {name: value for name, value in state.items() if not name.startswith("fc.")}
    missing, unexpected = resnet.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.startswith("fc.")]
    if missing or unexpected:
        raise ValueError(
            f"{weights!r} does not hold a torchvision ResNet-18: {len(missing)} of its weights are missing "
            f"({missing[:3]}, …), {len(unexpected)} do not belong to it ({list(unexpected)[:3]}, …)."
        )


def _read_weights(weights: str) -> dict[str, Tensor]:
    if Path(weights).is_file():
        if weights.endswith(".safetensors"):
            from safetensors.torch import load_file

            return dict(load_file(weights))
        return dict(torch.load(weights, map_location="cpu", weights_only=True))
    try:
        known = torchvision.models.get_weight(weights)
    except ValueError as error:
        raise ValueError(
            f"`pretrained_backbone_weights` {weights!r} is neither a file nor a torchvision weights name "
            "such as 'ResNet18_Weights.IMAGENET1K_V1'."
        ) from error
    return dict(known.get_state_dict(progress=True, check_hash=True))


def _fold_batch_norm(resnet: nn.Module) -> None:
    """Replace every convolution followed by batch normalisation with one convolution that computes both."""
    resnet.eval()
    for module in resnet.modules():
        for conv_name, norm_name in (
            ("conv1", "bn1"),
            ("conv2", "bn2"),
            ("0", "1"),
        ):  # "0", "1": downsampling branches
            conv, norm = getattr(module, conv_name, None), getattr(module, norm_name, None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    resnet.train()
