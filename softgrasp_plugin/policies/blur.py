"""A curriculum over image sharpness (FACTR, Liu et al., arXiv 2502.17432): blurred first, sharp in the end.

A policy that sees images and forces learns from the images first, which are richer, and may never come back
to the forces. Blurring the images early in training makes it look at the forces while it learns to grasp.
"""

import torch
from torch import Tensor, nn


def blur_matrix(size: int, sigma: float, like: Tensor) -> Tensor:
    """Gaussian blur of one axis as a matrix.

    Args:
        size: number of pixels L.
        sigma: standard deviation in pixels, above zero.
        like: a tensor of the wanted type and device.

    Returns:
        (L, L): row i holds the weights of all pixels in the blurred pixel i, which sum to 1. At the border
        the weights of the pixels that exist are scaled up.
    """
    position = torch.arange(size, device=like.device, dtype=torch.float32)
    distance = position - position.unsqueeze(1)  # (L, L)
    return torch.softmax(-0.5 * (distance / sigma) ** 2, dim=-1).to(like.dtype)


class BlurCurriculum(nn.Module):
    """Gaussian blur in training mode that falls linearly from `sigma` pixels to zero over `steps` steps.

    The step is a buffer that is saved with the weights, so that a resumed training goes on where it stopped.
    """

    step: Tensor  # (), int64

    def __init__(self, sigma: float, steps: int) -> None:
        super().__init__()
        self.initial_sigma = sigma
        self.steps = steps
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    @property
    def sigma(self) -> float:
        """Standard deviation of the blur now, in pixels."""
        return self.initial_sigma * max(0.0, 1 - self.step.item() / self.steps)

    def advance(self) -> None:
        """Count one training step."""
        self.step += 1

    def forward(self, images: Tensor) -> Tensor:  # (N, 3, H, W) -> (N, 3, H, W)
        if not self.training:
            return images
        sigma = self.sigma
        if sigma == 0:
            return images
        # Two products with small matrices: at these sizes several times faster than depthwise convolutions.
        rows = blur_matrix(images.shape[-2], sigma, images)  # (H, H)
        columns = blur_matrix(images.shape[-1], sigma, images)  # (W, W)
        return rows @ (images @ columns.T)
