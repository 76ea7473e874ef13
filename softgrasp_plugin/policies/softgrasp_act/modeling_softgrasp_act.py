"""LeRobot's ACT (Zhao et al. 2023, arXiv 2304.13705) as the paper compares it: SoftGrasp, Table 6.

Nothing of ACT is written again. This module decides what ACT sees (image and joint angles, no torques), puts
a backbone below it that trains from random weights, and lines up its labels with those of `softgrasp`.

Shapes: B samples, H = `chunk_size` moments.
"""

from typing import Any, cast

import torch
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.utils.constants import ACTION, OBS_ENV_STATE, OBS_STATE
from torch import Tensor, nn

from ..backbone import make_resnet18, trunk_channels
from ..backbone_config import BackboneNorm
from ..closure_shift import ClosureShift
from ..fit import check_running_environment
from ..images import FramePreparation, ImageNetNormalize
from ..loading import StrictLoading
from ..modalities import ANGLE, IMAGE, TORQUE
from ..training_data import adopt_dataset, require_finite
from .configuration_softgrasp_act import SoftGraspACTConfig


class SoftGraspACTPolicy(StrictLoading, ACTPolicy):
    """ACT over image and closures; with `modalities` it can be given torques too.

    It predicts the whole action, six closures and (with torque sensing) six torques, whatever it sees: the
    predicted torques can be executed (`--robot.torque.mode=limit`, `track`), as those of `softgrasp`. They
    are the torques "at the next moment" there and here.

    Attributes:
        attention_scores: empty; ACT has no score per modality.
    """

    config_class = SoftGraspACTConfig
    name = "softgrasp_act"

    def __init__(
        self,
        config: SoftGraspACTConfig,
        *,
        load_backbone_weights: bool = True,
        dataset_meta: Any | None = None,
        **kwargs: Any,
    ) -> None:
        """Build the policy.

        Args:
            config: its configuration, with features and joint columns filled in.
            load_backbone_weights: read `config.pretrained_backbone_weights`; off when a checkpoint brings all
                weights.
            dataset_meta: metadata of the dataset it is trained on, which LeRobot's factory passes.
            **kwargs: what LeRobot's factory also passes: `dataset_stats`, which `closure_shift` needs in
                training.

        Raises:
            ValueError: if it does not fit the dataset, or the environment of the running command.
        """
        config.validate_features()
        adopt_dataset(config, dataset_meta)
        check_running_environment(config)
        super().__init__(config.inner_config())
        self.config = config
        self.frames = FramePreparation(config)
        self._closure_shift = ClosureShift(config, kwargs.get("dataset_stats"))
        self.attention_scores: dict[str, Tensor] = {}
        if IMAGE in config.modalities:
            # ACT's own backbone has frozen batch normalisation, which does not train from random weights.
            self.model.backbone = Backbone(config, load_backbone_weights)
            self.model.encoder_img_feat_input_proj = nn.Conv2d(
                trunk_channels(config.backbone_stages), config.dim_model, kernel_size=1
            )

    def update(self) -> None:
        """Count one training step; LeRobot calls this after each."""
        self.frames.advance()

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """ACT's loss: L1 of the actions, plus the divergence of its latent variable.

        Args:
            batch: a preprocessed batch: image (B, 3, H, W) in [0, 1], `observation.state` (B, ·), `action`
                (B, H+1, 12) and `action_is_pad` (B, H+1). Moments behind the end of the episode do not count.

        Returns:
            The loss, (), and its terms to log.

        Raises:
            ValueError: if the loss is not finite.
        """
        # Angles are commanded at t…t+H-1; the torques "at the next moment" are those measured at t+1…t+H.
        labels = batch[ACTION][:, :-1].clone()
        torques = self.config.action_torque_columns
        labels[..., torques] = batch[ACTION][:, 1:, torques]
        if self.config.relative_angles:
            labels[..., self.config.action_angle_columns] -= self._measured(batch)
        # A moment counts if both are inside the episode.
        is_pad = batch["action_is_pad"][:, 1:]
        loss, logs = super().forward(self._inputs(batch) | {ACTION: labels, "action_is_pad": is_pad})
        require_finite(loss, batch)
        return loss, logs

    @torch.no_grad()
    def predict_action_chunk(self, batch: dict[str, Tensor], **kwargs: Any) -> Tensor:
        """Predict the next moments from one frame.

        Args:
            batch: a preprocessed frame: image (B, 3, H, W) in [0, 1] and `observation.state` (B, ·).
            **kwargs: ignored.

        Returns:
            (B, H, 12): closures and torques, normalised, in the order of the dataset's action.
        """
        self.eval()
        # With `use_amp`, ACT ends in the autocast type, which is too coarse for actions and unknown to NumPy.
        chunk: Tensor = super().predict_action_chunk(self._inputs(batch)).float()
        if self.config.relative_angles:
            chunk[..., self.config.action_angle_columns] += self._measured(batch)
        return chunk

    def _measured(self, batch: dict[str, Tensor]) -> Tensor:
        """Normalised angles measured now, (B, 1, J), to predict changes from."""
        bound = self.config.normalized_state_clip
        return batch[OBS_STATE][:, None, self.config.state_angle_columns].clamp(-bound, bound)

    def _inputs(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """What ACT is given: the prepared image, and the columns of the chosen joints."""
        config = self.config
        inputs = {}
        bound = config.normalized_state_clip
        joints = {
            modality: batch[OBS_STATE][..., columns].clamp(-bound, bound)
            for modality in (ANGLE, TORQUE)
            if (columns := config.state_columns(modality))
        }
        if ANGLE in joints:
            joints[ANGLE] = self._closure_shift(joints[ANGLE])
        if IMAGE in config.modalities:
            image = batch[config.image_key]
            inputs[config.image_key] = self.frames(image.unsqueeze(1)).squeeze(1)  # (B, 3, h, w)
            inputs[OBS_STATE] = image.new_empty(len(image), 0)  # ACT reads its device, even without joints
        if joints:
            state = torch.cat(list(joints.values()), dim=-1)  # (B, 6 or 12)
            inputs[OBS_STATE] = state
            if IMAGE not in config.modalities:
                inputs[OBS_ENV_STATE] = state
        return inputs


class Backbone(nn.Module):
    """ResNet-18 in the place of ACT's own."""

    def __init__(self, config: SoftGraspACTConfig, load_weights: bool) -> None:
        super().__init__()
        self.normalize = ImageNetNormalize()
        self.trunk = make_resnet18(
            config.backbone_stages,
            cast(BackboneNorm, config.backbone_norm),  # None was resolved in __post_init__
            config.pretrained_backbone_weights if load_weights else None,
        )

    def forward(self, images: Tensor) -> dict[str, Tensor]:  # (B, 3, H, W) in [0, 1] -> (B, C, h, w)
        return {"feature_map": self.trunk(self.normalize(images))}
