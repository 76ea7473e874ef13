"""From camera image to network input: resizing, augmentation, normalisation; in training as at inference."""

import torch
from torch import Tensor, nn

from ..pictures import resize
from .blur import BlurCurriculum
from .observation_config import ObservationConfig

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_LUMA = (0.299, 0.587, 0.114)


class StackColorJitter(nn.Module):
    """Brightness, contrast and saturation jitter, drawn once per stack so that it never looks like motion.

    Factors are uniform in [1 − strength, 1 + strength], as in torchvision's `ColorJitter`. Active in training
    mode only.
    """

    def __init__(self, brightness: float, contrast: float, saturation: float) -> None:
        super().__init__()
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation

    def forward(self, images: Tensor) -> Tensor:  # (B, S, 3, H, W) in [0, 1]
        if not self.training:
            return images
        luma = images.new_tensor(_LUMA).view(1, 1, 3, 1, 1)
        if self.brightness > 0:
            images = (images * self._draw(images, self.brightness)).clamp(0, 1)
        if self.contrast > 0:
            grey_level = (images * luma).sum(2, keepdim=True).mean((-2, -1), keepdim=True)  # (B, S, 1, 1, 1)
            images = torch.lerp(grey_level, images, self._draw(images, self.contrast)).clamp(0, 1)
        if self.saturation > 0:
            grey = (images * luma).sum(2, keepdim=True)  # (B, S, 1, H, W)
            images = torch.lerp(grey, images, self._draw(images, self.saturation)).clamp(0, 1)
        return images

    @staticmethod
    def _draw(images: Tensor, strength: float) -> Tensor:
        draw = torch.rand(images.shape[0], 1, 1, 1, 1, device=images.device, dtype=images.dtype)
        return 1 + strength * (2 * draw - 1)


class FramePreparation(nn.Module):
    """What happens to a camera image before a network sees it: resized, in training blurred and jittered.

    Args:
        config: says how large, how blurred for how long, how much jitter.
    """

    def __init__(self, config: ObservationConfig) -> None:
        super().__init__()
        self.image_size = config.image_size
        # Without the curriculum there is no step counter, so that checkpoints that never had one still load.
        self.blur: BlurCurriculum | None = None
        if config.image_blur_sigma > 0:
            self.blur = BlurCurriculum(config.image_blur_sigma, config.image_blur_steps)
        self.color_jitter = StackColorJitter(
            config.color_jitter_brightness, config.color_jitter_contrast, config.color_jitter_saturation
        )

    def forward(self, images: Tensor) -> Tensor:  # (B, S, 3, H, W) in [0, 1] -> (B, S, 3, h, w)
        frames = resize(images.flatten(0, 1), self.image_size)  # (B·S, 3, h, w)
        if self.blur is not None:
            frames = self.blur(frames)
        jittered: Tensor = self.color_jitter(frames.view(*images.shape[:2], *frames.shape[1:]))
        return jittered

    def advance(self) -> None:
        """Count one training step."""
        if self.blur is not None:
            self.blur.advance()


class ImageNetNormalize(nn.Module):
    """Subtract ImageNet's mean and divide by its standard deviation, per colour channel."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:  # (N, 3, H, W) in [0, 1]
        return (images - self.mean) / self.std
