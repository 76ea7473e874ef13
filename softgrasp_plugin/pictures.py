"""Resizing pictures: the same in a policy, in a copy of a dataset, and in a cache of its frames."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize (N, 3, H, W) to (N, 3, *size), antialiased; images of that size pass untouched."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size=tuple(size), mode="bilinear", antialias=True, align_corners=False)


def resize_bytes(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The same of bytes (N, 3, H, W), 0…255; rounds to the nearest byte, a 510th of the range at most."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return resize(images.float(), size).add_(0.5).clamp_(0, 255).to(torch.uint8)
