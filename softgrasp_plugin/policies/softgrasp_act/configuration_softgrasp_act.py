"""Configuration of the `softgrasp_act` policy: LeRobot's ACT, plus what this plugin's policies see."""

from dataclasses import dataclass, field, fields, replace

from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature, PreTrainedConfig
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.utils.constants import OBS_ENV_STATE, OBS_STATE

from ...bounds import require_within
from ..backbone_config import BackboneConfig
from ..chunk import check_chunk
from ..modalities import ANGLE, IMAGE
from ..observation_config import ObservationConfig


@PreTrainedConfig.register_subclass("softgrasp_act")
@dataclass
class SoftGraspACTConfig(BackboneConfig, ObservationConfig, ACTConfig):
    """Configuration of `SoftGraspACTPolicy`. Fields of `ACTConfig` mean what they mean there.

    Defaults are LeRobot's, apart from these:

    Attributes:
        modalities: what the policy sees; images and angles, as in the paper's comparison (Table 6).
        pretrained_backbone_weights: None starts from random weights and needs no network.
        normalization_mapping: images are normalised inside the policy.
        optimizer_lr: the paper's (Table 3); LeRobot's 1e-5 is meant for a pretrained backbone.
        optimizer_lr_backbone: learning rate of the ResNet, which is trained from random weights.
    """

    modalities: list[str] = field(default_factory=lambda: [IMAGE, ANGLE])
    normalization_mapping: dict[str, NormalizationMode] = field(
        default_factory=lambda: {
            "VISUAL": NormalizationMode.IDENTITY,
            "STATE": NormalizationMode.MEAN_STD,
            "ACTION": NormalizationMode.MEAN_STD,
        }
    )
    optimizer_lr: float = 1e-4
    optimizer_lr_backbone: float = 1e-4

    def __post_init__(self) -> None:
        check_chunk(self.chunk_size, self.n_action_steps, self.temporal_ensemble_coeff)
        for name in ("dim_model", "latent_dim"):
            require_within(name, getattr(self, name), 1, 8192)
        require_within("n_heads", self.n_heads, 1, 1024)
        require_within("dim_feedforward", self.dim_feedforward, 1, 65_536)
        for name in ("n_encoder_layers", "n_decoder_layers", "n_vae_encoder_layers"):
            require_within(name, getattr(self, name), 1, 128)
        require_within("dropout", self.dropout, 0, 0.99)
        require_within("kl_weight", self.kl_weight, 0, 1e6)
        for name in ("optimizer_lr", "optimizer_lr_backbone"):
            require_within(name, getattr(self, name), 0, 1, above_low=True)
        require_within("optimizer_weight_decay", self.optimizer_weight_decay, 0, 1)
        super().__post_init__()
        if self.vision_backbone != "resnet18" or self.replace_final_stride_with_dilation:
            raise ValueError(
                "The backbone of this policy is a ResNet-18 without dilation: leave `vision_backbone` and "
                "`replace_final_stride_with_dilation` alone. LeRobot's own `act` has other backbones."
            )

    @property
    def action_delta_indices(self) -> list[int]:
        """Action rows with the labels: angles from t…t+H-1, torques ("at the next moment") from t+1…t+H."""
        return list(range(self.chunk_size + 1))

    def inner_config(self) -> ACTConfig:
        """The configuration of the ACT inside: it is given the chosen joints and a resized image.

        Without images the joints are its environment state, because ACT asks for an image or for that.
        """
        width = sum(len(self.state_columns(modality)) for modality in self.modalities)
        sees_image = IMAGE in self.modalities
        inputs: dict[str, PolicyFeature] = {}
        if sees_image:
            inputs[self.image_key] = replace(self.used_inputs[self.image_key], shape=(3, *self.image_size))
        if width and sees_image:
            inputs[OBS_STATE] = PolicyFeature(FeatureType.STATE, (width,))
        elif width:
            inputs[OBS_ENV_STATE] = PolicyFeature(FeatureType.ENV, (width,))
        settings = {entry.name: getattr(self, entry.name) for entry in fields(ACTConfig)}
        # The backbone is replaced after ACT is built, see `SoftGraspACTPolicy`.
        return ACTConfig(**settings | {"input_features": inputs, "pretrained_backbone_weights": None})
