"""SoftGrasp: adaptive grasping by multimodal fusion imitation learning (Li et al., Biomimetic Intelligence
and Robotics 5, 2025).

The file reads as section 3.2 of the paper does; the loss of section 3.3 is in `stack_policy.py`. Shapes: B
samples, S = 3 frames in the stack, M = 3 modalities, D_f = 256 features per frame, D = S · D_f = 768 per
token, J = 6 joints, H moments predicted at once (1 in the paper).
"""

from typing import cast

import torch
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS

from ..backbone_config import BackboneNorm
from ..heads import make_head
from ..images import FramePreparation
from ..joint_encoders import make_joint_encoder
from ..modalities import IMAGE
from ..stack_policy import StackPolicy
from .configuration_softgrasp import SoftGraspConfig
from .encoders import ImageEncoder, sinusoidal_encoding
from .fusion import SelfAttentionFusion, attention_scores


class SoftGraspPolicy(StackPolicy):
    """The paper's policy; with `fusion=concat` its Direct Connection, which has no attention scores."""

    config_class = SoftGraspConfig
    name = "softgrasp"

    def _make_model(self, load_backbone_weights: bool) -> "SoftGrasp":
        return SoftGrasp(self.config, load_backbone_weights)


class SoftGrasp(nn.Module):
    """The network of Fig. 4."""

    time_encoding: Tensor  # (S, D_f)

    def __init__(self, config: SoftGraspConfig, load_backbone_weights: bool = True) -> None:
        super().__init__()
        self.config = config
        self.frames = FramePreparation(config)
        # Feature representation (section 3.2.1)
        self.encoders = nn.ModuleDict()
        for modality in config.modalities:
            self.encoders[modality] = (
                ImageEncoder(
                    config.feature_dim,
                    config.backbone_stages,
                    cast(BackboneNorm, config.backbone_norm),  # None was resolved in __post_init__
                    config.pretrained_backbone_weights if load_backbone_weights else None,
                    config.use_amp,
                )
                if modality == IMAGE
                else make_joint_encoder(config.joint_encoder, config.feature_dim)
            )
        time_encoding = sinusoidal_encoding(config.num_stack, config.feature_dim)
        self.register_buffer("time_encoding", time_encoding, persistent=False)
        # Multimodal feature fusion (section 3.2.2)
        num_modalities = len(config.modalities)
        self.fusion: SelfAttentionFusion | None = None
        if config.fusion == "attention":
            self.fusion = SelfAttentionFusion(
                num_modalities, config.token_dim, config.num_heads, config.residual
            )
        self.bottleneck = nn.Linear(num_modalities * config.token_dim, config.token_dim)
        self.angle_head = make_head(config.token_dim, config.head_hidden_dims, config.chunk_size)
        self.torque_head: nn.Module | None = None
        if config.predicts_torque:
            self.torque_head = make_head(config.token_dim, config.head_hidden_dims, config.chunk_size)

    def encode(self, images: Tensor | None, joints: dict[str, Tensor]) -> dict[str, Tensor]:
        """Encode frames one by one, whatever their place in the stack.

        Args:
            images: (B, S, 3, H, W) in [0, 1], or None without the image modality. S is any number of frames.
            joints: normalised joint values (B, S, J) by modality name.

        Returns:
            (B, S, D_f) per modality.
        """
        features = {}
        if images is not None:
            frames = self.frames(images).flatten(0, 1)  # (B·S, 3, h, w)
            features[IMAGE] = self.encoders[IMAGE](frames).unflatten(0, images.shape[:2])
        with torch.autocast(_device_type(self), enabled=False):
            for modality, values in joints.items():
                feature = self.encoders[modality](values.flatten(0, 1))  # (B·S, D_f)
                features[modality] = feature.unflatten(0, values.shape[:2])
        return features

    def predict(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """Fuse the modalities and predict the next moments.

        Args:
            features: (B, S, D_f) per modality, oldest frame first.

        Returns:
            Angles X̂_A (B, H, J), torques X̂_T (B, H, J) or None, and attention scores (B,) per modality.
        """
        # A few thousandths of the network's cost, and what decides the action's precision: always in float32.
        with torch.autocast(_device_type(self), enabled=False):
            tokens = []
            for modality in self.config.modalities:
                feature = features[modality].float()
                if modality != IMAGE:  # the paper encodes time for the joint states
                    feature = feature + self.time_encoding
                tokens.append(feature.flatten(1))  # (B, D)
            fused, scores = torch.stack(tokens, dim=1), {}  # F, (B, M, D)
            if self.fusion is not None:
                fused, weights = self.fusion(fused)  # M, (B, M, D)
                scores = dict(zip(self.config.modalities, attention_scores(weights).unbind(-1), strict=True))
            shared = self.bottleneck(fused.flatten(1))  # (B, D)
            shape = (self.config.chunk_size, NUM_JOINTS)
            return (
                self.angle_head(shared).unflatten(-1, shape),
                None if self.torque_head is None else self.torque_head(shared).unflatten(-1, shape),
                scores,
            )


def _device_type(module: nn.Module) -> str:
    return next(module.parameters()).device.type
