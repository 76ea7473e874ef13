"""SoftGrasp: adaptive grasping by multimodal fusion imitation learning (Li et al., Biomimetic Intelligence
and Robotics 5, 2025).

The file reads as section 3.2 and 3.3 of the paper do. Shapes: B samples, S = 3 frames in the stack, M = 3
modalities, D_f = 256 features per frame, D = S · D_f = 768 per token, J = 6 joints, H moments predicted at
once (1 in the paper).
"""

from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self, cast

import torch
import torch.nn.functional as F  # noqa: N812
from lerobot.configs import PreTrainedConfig
from lerobot.policies.act.modeling_act import ACTTemporalEnsembler
from lerobot.policies.pretrained import PreTrainedPolicy
from lerobot.utils.constants import ACTION, OBS_STATE
from safetensors.torch import load_model
from torch import Tensor, nn

from softgrasp_plugin.joints import NUM_JOINTS

from .configuration_softgrasp import ANGLE, IMAGE, TORQUE, BackboneNorm, SoftGraspConfig
from .encoders import ImageEncoder, make_joint_encoder, sinusoidal_encoding
from .frame_buffer import FrameBuffer
from .fusion import SelfAttentionFusion, attention_scores
from .images import StackColorJitter, resize


class SoftGraspPolicy(PreTrainedPolicy):
    """The policy as LeRobot trains, evaluates and rolls it out.

    Attributes:
        attention_scores: S_I, S_A, S_T of the newest prediction by modality name, Eqs. (8)–(10): tensors (B,)
            that sum to 1 over the modalities. Empty before the first prediction of an episode and with
            `fusion=concat`.
    """

    config_class = SoftGraspConfig
    name = "softgrasp"

    def __init__(self, config: SoftGraspConfig, *, load_backbone_weights: bool = True, **kwargs: Any) -> None:
        """Build the policy.

        Args:
            config: its configuration, with features and joint columns filled in.
            load_backbone_weights: read `config.pretrained_backbone_weights`; off when a checkpoint brings all
                weights.
            **kwargs: what LeRobot's factory also passes (`dataset_stats`, `dataset_meta`); not needed here.
        """
        super().__init__(config)
        config.validate_features()
        self.config: SoftGraspConfig = config
        self.model = SoftGrasp(config, load_backbone_weights)
        self.attention_scores: dict[str, Tensor] = {}
        self._frames = FrameBuffer(config.num_stack, config.frameskip)
        self._actions: deque[Tensor] = deque(maxlen=config.n_action_steps)
        self._ensembler: ACTTemporalEnsembler | None = None
        if config.temporal_ensemble_coeff is not None:
            self._ensembler = ACTTemporalEnsembler(config.temporal_ensemble_coeff, config.chunk_size)

    def get_optim_params(self) -> list[nn.Parameter]:
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def reset(self) -> None:
        """Forget the episode: the frames seen, the actions predicted, the attention scores."""
        self._frames.reset()
        self._actions.clear()
        self.attention_scores = {}
        if self._ensembler is not None:
            self._ensembler.reset()

    # Training (section 3.3)

    def forward(
        self, batch: dict[str, Tensor], reduction: Literal["mean", "none"] = "mean"
    ) -> tuple[Tensor, dict[str, float]]:
        """The action-torque joint loss L = (1−λ)·L_A + λ·L_T, Eq. (7).

        Args:
            batch: a preprocessed batch of stacks: image (B, S, 3, H, W) in [0, 1], `observation.state` (B, S,
                ·), `action` (B, H+1, 12) and `action_is_pad` (B, H+1). Moments behind the end of the episode
                do not count.
            reduction: `none` gives one loss per sample, which LeRobot's sample weighting asks for.

        Returns:
            The loss, () or (B,), and numbers to log: both terms, and the mean attention score of each
            modality.
        """
        prediction, scores = self._predict(self._encode(batch))  # (B, H, 12)
        columns = self.config.action_angle_columns, self.config.action_torque_columns
        action, valid = batch[ACTION], ~batch["action_is_pad"]
        # Angles are commanded at t…t+H-1; the torques "at the next moment" are those measured at t+1…t+H.
        loss_angle = _masked_huber(
            prediction[..., columns[0]],
            action[:, :-1, columns[0]],
            self.config.huber_delta_angle,
            valid[:, :-1],
            reduction,
        )
        loss_torque = _masked_huber(
            prediction[..., columns[1]],
            action[:, 1:, columns[1]],
            self.config.huber_delta_torque,
            valid[:, 1:],
            reduction,
        )
        loss = (1 - self.config.loss_factor) * loss_angle + self.config.loss_factor * loss_torque
        logs = {"loss_angle": loss_angle.mean().item(), "loss_torque": loss_torque.mean().item()}
        logs |= {f"attention_{name}": score.mean().item() for name, score in scores.items()}
        return loss, logs

    # Inference

    @torch.no_grad()
    def select_action(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        """The action of this control tick; call it at every tick, at the frame rate of the dataset.

        Args:
            batch: one preprocessed frame: image (B, 3, H, W) in [0, 1] and `observation.state` (B, ·).
            **kwargs: ignored; LeRobot may pass sampling noise, of which this policy has no use.

        Returns:
            (B, 12): commanded closures Â_t and expected torques T̂_{t+1}, normalised, in the order of the
            dataset's action.
        """
        self.eval()
        frame = {key: batch[key].unsqueeze(1) for key in self.config.used_inputs}  # a stack of one
        # Every tick counts, also while a chunk is being executed: the stack reaches back in ticks.
        self._frames.append({name: feature.squeeze(1) for name, feature in self._encode(frame).items()})
        if self._actions:
            return self._actions.popleft()
        chunk, self.attention_scores = self._predict(self._frames.stack())  # (B, H, 12)
        if self._ensembler is not None:
            ensembled: Tensor = self._ensembler.update(chunk)
            return ensembled
        self._actions.extend(chunk[:, : self.config.n_action_steps].unbind(1))
        return self._actions.popleft()

    @torch.no_grad()
    def predict_action_chunk(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        """Predict a chunk from what is given alone, without the history that `select_action` keeps.

        Args:
            batch: a stack as in training, or a lone frame, which is then taken for the first of an episode.
            **kwargs: ignored.

        Returns:
            (B, H, 12), normalised.
        """
        self.eval()
        stack = {}
        for key, feature in self.config.used_inputs.items():
            is_lone_frame = batch[key].ndim == 1 + len(feature.shape)  # no axis for the stack
            stack[key] = torch.stack([batch[key]] * self.config.num_stack, 1) if is_lone_frame else batch[key]
        chunk, self.attention_scores = self._predict(self._encode(stack))
        return chunk

    def _encode(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        config = self.config
        images = batch[config.image_key] if IMAGE in config.modalities else None
        joints = {}
        for name, columns in ((ANGLE, config.state_angle_columns), (TORQUE, config.state_torque_columns)):
            if name in config.modalities:
                joints[name] = batch[OBS_STATE][..., columns].clamp(
                    -config.normalized_state_clip, config.normalized_state_clip
                )
        return self.model.encode(images, joints)

    def _predict(self, features: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Features (B, S, D_f) per modality to actions (B, H, 12) and attention scores (B,) per modality."""
        angles, torques, scores = self.model.predict(features)
        action = angles.new_empty(*angles.shape[:2], 2 * NUM_JOINTS)
        action[..., self.config.action_angle_columns] = angles
        action[..., self.config.action_torque_columns] = torques
        return action, {name: score.detach() for name, score in scores.items()}

    # Loading

    @classmethod
    def from_pretrained(
        cls,
        pretrained_name_or_path: str | Path,
        *,
        config: PreTrainedConfig | None = None,
        strict: bool = True,
        **kwargs: Any,
    ) -> Self:
        """Load a policy; unlike LeRobot's default, weights that are missing or unexpected are an error.

        Raises:
            RuntimeError: if the checkpoint's weights do not fit the configuration.
        """
        kwargs["load_backbone_weights"] = False
        policy: Self = super().from_pretrained(
            pretrained_name_or_path, config=config, strict=strict, **kwargs
        )
        return policy

    @classmethod
    def _load_as_safetensor(cls, model: Self, model_file: str, map_location: str, strict: bool) -> Self:
        missing, unexpected = load_model(model, model_file, strict=False, device="cpu")
        if strict and (missing or unexpected):
            raise RuntimeError(
                f"{model_file} does not fit the configuration: missing {sorted(missing)}, unexpected "
                f"{sorted(unexpected)}. Load it with the configuration it was trained with (modalities, "
                "fusion, encoders, widths)."
            )
        return model


class SoftGrasp(nn.Module):
    """The network of Fig. 4."""

    time_encoding: Tensor  # (S, D_f)

    def __init__(self, config: SoftGraspConfig, load_backbone_weights: bool = True) -> None:
        super().__init__()
        self.config = config
        self.color_jitter = StackColorJitter(
            config.color_jitter_brightness, config.color_jitter_contrast, config.color_jitter_saturation
        )
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
        self.angle_head = _make_head(config)
        self.torque_head = _make_head(config)

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
            batch_and_stack = images.shape[:2]
            frames = resize(images.flatten(0, 1), self.config.image_size)  # (B·S, 3, h, w)
            frames = self.color_jitter(frames.view(*batch_and_stack, *frames.shape[1:])).flatten(0, 1)
            features[IMAGE] = self.encoders[IMAGE](frames).unflatten(0, batch_and_stack)
        with torch.autocast(_device_type(self), enabled=False):
            for modality, values in joints.items():
                feature = self.encoders[modality](values.flatten(0, 1))  # (B·S, D_f)
                features[modality] = feature.unflatten(0, values.shape[:2])
        return features

    def predict(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Fuse the modalities and predict the next moments.

        Args:
            features: (B, S, D_f) per modality, oldest frame first.

        Returns:
            Angles X̂_A (B, H, J), torques X̂_T (B, H, J), and attention scores (B,) per modality.
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
                self.torque_head(shared).unflatten(-1, shape),
                scores,
            )


def _make_head(config: SoftGraspConfig) -> nn.Sequential:
    """MLP from the fused vector to six joints at H moments: 768 → 1024 → 1024 → 6·H."""
    widths = [config.token_dim, *config.head_hidden_dims]
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(widths):
        layers += [nn.Linear(width_in, width_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], config.chunk_size * NUM_JOINTS))


def _masked_huber(prediction: Tensor, target: Tensor, delta: float, valid: Tensor, reduction: str) -> Tensor:
    """Huber loss, Eqs. (5) and (6), averaged over the valid moments and the joints.

    Args:
        prediction: (B, H, J).
        target: (B, H, J).
        delta: threshold δ between the quadratic and the linear part.
        valid: (B, H), False where the moment lies outside the episode.
        reduction: `mean` over all valid moments of the batch, or `none` for one mean per sample.

    Returns:
        () or (B,).
    """
    error = F.huber_loss(prediction, target, delta=delta, reduction="none").mean(-1) * valid  # (B, H)
    if reduction == "none":
        return error.sum(1) / valid.sum(1).clamp_min(1)
    return error.sum() / valid.sum().clamp_min(1)


def _device_type(module: nn.Module) -> str:
    return next(module.parameters()).device.type
