"""TimeSformer over images, joint angles and joint torques: the comparison strategy of SoftGrasp, Table 6.

The network is that of Bertasius et al. 2021 (arXiv 2102.05095): a frame becomes one token per image patch and
here one per joint modality; blocks of divided space–time attention; a class token that collects what the
prediction needs. Labels, loss and inference are those of `softgrasp` (`stack_policy.py`).

Shapes: B samples, S = 3 frames in the stack, P patches, N = P + 2 tokens per frame, D token width, J = 6
joints, H moments predicted at once.
"""

import torch
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS

from ..heads import make_head
from ..images import FramePreparation, ImageNetNormalize
from ..joint_encoders import make_joint_encoder
from ..modalities import IMAGE
from ..precision import autocast
from ..stack_policy import StackPolicy
from .attention import DividedBlock
from .configuration_softgrasp_timesformer import SoftGraspTimeSformerConfig

_EMBEDDING_STD = 0.02


class SoftGraspTimeSformerPolicy(StackPolicy):
    """TimeSformer with the paper's two heads and joint loss; its `attention_scores` stay empty."""

    config_class = SoftGraspTimeSformerConfig
    name = "softgrasp_timesformer"

    def _make_model(self, load_backbone_weights: bool) -> "TimeSformer":
        return TimeSformer(self.config)


class PatchEmbedding(nn.Module):
    """An image to one vector per square patch: a linear map of its pixels."""

    def __init__(self, patch_size: int, dim: int) -> None:
        super().__init__()
        self.normalize = ImageNetNormalize()
        self.projection = nn.Conv2d(3, dim, kernel_size=patch_size, stride=patch_size)

    def forward(self, images: Tensor) -> Tensor:  # (N, 3, H, W) in [0, 1] -> (N, P, D)
        patches: Tensor = self.projection(self.normalize(images))  # (N, D, H/p, W/p)
        return patches.flatten(2).transpose(1, 2)


class TimeSformer(nn.Module):
    """The network."""

    def __init__(self, config: SoftGraspTimeSformerConfig) -> None:
        super().__init__()
        self.config = config
        self.frames = FramePreparation(config)
        self.encoders = nn.ModuleDict(
            {
                modality: PatchEmbedding(config.patch_size, config.dim)
                if modality == IMAGE
                else make_joint_encoder(config.joint_encoder, config.dim)
                for modality in config.modalities
            }
        )
        self.class_token = _embedding(1, config.dim)
        self.space_embedding = _embedding(config.num_tokens, config.dim)  # (N, D)
        self.time_embedding = _embedding(config.num_stack, 1, config.dim)  # (S, 1, D)
        self.blocks = nn.ModuleList(
            DividedBlock(config.dim, config.num_heads, config.mlp_ratio) for _ in range(config.depth)
        )
        self.norm = nn.LayerNorm(config.dim)
        self.angle_head = make_head(config.dim, config.head_hidden_dims, config.chunk_size)
        self.torque_head: nn.Module | None = None
        if config.predicts_torque:
            self.torque_head = make_head(config.dim, config.head_hidden_dims, config.chunk_size)

    def encode(self, images: Tensor | None, joints: dict[str, Tensor]) -> dict[str, Tensor]:
        """Embed frames one by one, whatever their place in the stack.

        Args:
            images: (B, S, 3, H, W) in [0, 1], or None without the image modality. S is any number of frames.
            joints: normalised joint values (B, S, J) by modality name.

        Returns:
            Tokens per modality: (B, S, P, D) of the image, (B, S, 1, D) of the others.
        """
        tokens = {}
        if images is not None:
            frames = self.frames(images).flatten(0, 1)  # (B·S, 3, h, w)
            tokens[IMAGE] = self.encoders[IMAGE](frames).unflatten(0, images.shape[:2])
        for modality, values in joints.items():
            token = self.encoders[modality](values.flatten(0, 1))  # (B·S, D)
            tokens[modality] = token.unflatten(0, values.shape[:2]).unsqueeze(2)
        return tokens

    def predict(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """Let the tokens attend and predict the next moments.

        Args:
            features: (B, S, ·, D) per modality as from `encode`, oldest frame first.

        Returns:
            Angles X̂_A (B, H, J), torques X̂_T (B, H, J) or None, and no attention scores.
        """
        tokens = torch.cat([features[modality] for modality in self.config.modalities], dim=2)  # (B, S, N, D)
        tokens = tokens + self.space_embedding + self.time_embedding
        class_token = self.class_token.expand(tokens.shape[0], 1, -1)  # (B, 1, D)
        with autocast(tokens.device.type, self.config.use_amp):
            for index, block in enumerate(self.blocks, start=1):
                class_token, tokens = block(class_token, tokens, is_last=index == len(self.blocks))
        with torch.autocast(tokens.device.type, enabled=False):  # what decides the action's precision
            shared = self.norm(class_token.squeeze(1).float())  # (B, D)
            shape = (self.config.chunk_size, NUM_JOINTS)
            return (
                self.angle_head(shared).unflatten(-1, shape),
                None if self.torque_head is None else self.torque_head(shared).unflatten(-1, shape),
                {},
            )


def _embedding(*shape: int) -> nn.Parameter:
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(*shape), std=_EMBEDDING_STD))
