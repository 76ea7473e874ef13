"""Configuration of the `softgrasp_timesformer` policy."""

from dataclasses import dataclass

from lerobot.configs import PreTrainedConfig

from ...bounds import require_within
from ..modalities import IMAGE
from ..stack_config import StackConfig


@PreTrainedConfig.register_subclass("softgrasp_timesformer")
@dataclass
class SoftGraspTimeSformerConfig(StackConfig):
    """Configuration of `SoftGraspTimeSformerPolicy`; inputs, labels and loss are in `StackConfig`.

    The paper does not say how large its TimeSformer is. With these defaults a training step takes about as
    long as one of `softgrasp` with its own.

    Attributes:
        image_size: (height, width) that images are resized to; whole patches must fit.
        patch_size: side of the square image patches, in pixels of the resized image.
        dim: width D of the tokens.
        depth: number of blocks.
        num_heads: heads of every attention.
        mlp_ratio: hidden width of a block's MLP, in multiples of `dim`.
    """

    image_size: tuple[int, int] = (96, 128)
    patch_size: int = 16
    dim: int = 256
    depth: int = 4
    num_heads: int = 8
    mlp_ratio: float = 4.0

    def __post_init__(self) -> None:
        require_within("patch_size", self.patch_size, 1, 2048, "pixels")
        require_within("dim", self.dim, 1, 8192)
        require_within("depth", self.depth, 1, 128)
        require_within("num_heads", self.num_heads, 1, 1024)
        require_within("mlp_ratio", self.mlp_ratio, 1, 16)
        super().__post_init__()
        if self.dim % self.num_heads:
            raise ValueError(f"`dim` ({self.dim}) must be divisible by `num_heads` ({self.num_heads}).")
        if IMAGE in self.modalities and any(side % self.patch_size for side in self.image_size):
            raise ValueError(
                f"`image_size` {tuple(self.image_size)} must be a multiple of `patch_size` "
                f"({self.patch_size}) on both sides, so that whole patches cover the image."
            )

    @property
    def num_patches(self) -> int:
        """Number P of patches of an image."""
        height, width = self.image_size
        return (height // self.patch_size) * (width // self.patch_size)

    @property
    def num_tokens(self) -> int:
        """Number N of tokens of a frame: one per patch, one per joint modality."""
        return sum(self.num_patches if name == IMAGE else 1 for name in self.modalities)
