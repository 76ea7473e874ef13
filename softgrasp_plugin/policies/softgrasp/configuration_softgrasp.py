"""Configuration of the `softgrasp` policy; defaults are the paper's (SoftGrasp, section 3.2, Table 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature, PreTrainedConfig
from lerobot.optim import AdamConfig
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.joints import CLOSURE_KEYS, IMAGE_FEATURE, TORQUE_KEYS

from ..joint_columns import feature_names, find_columns

BackboneNorm = Literal["frozen", "group", "batch"]

IMAGE, ANGLE, TORQUE = "image", "angle", "torque"
MODALITIES: tuple[str, ...] = (IMAGE, ANGLE, TORQUE)


@PreTrainedConfig.register_subclass("softgrasp")
@dataclass
class SoftGraspConfig(PreTrainedConfig):
    """Configuration of `SoftGraspPolicy`.

    Attributes:
        modalities: what the policy sees, any of `image`, `angle`, `torque` (ablation of Table 5). A modality
            that is left out creates no parameter and needs no input.
        fusion: `attention` is the paper's; `concat` is its Direct Connection baseline (Table 6).
        num_stack: frames in the stack (Table 3).
        frameskip: dataset frames between two frames of the stack (Table 3).
        chunk_size: moments predicted at once; 1 is the paper's "next moment".
        n_action_steps: predicted moments that are executed before the policy is asked again.
        temporal_ensemble_coeff: weight m in ACT's temporal ensembling exp(-m·i); None turns it off. Needs
            `n_action_steps=1`.
        image_key: the camera image the policy sees.
        image_size: (height, width) that images are resized to, antialiased, inside the policy. The authors'
            code uses 75×100.
        backbone_stages: stages of ResNet-18 that are used, 1…4; 4 is the whole network.
        backbone_norm: `group` normalisation, `batch` normalisation, or `frozen`: batch normalisation with its
            pretrained statistics, folded into the convolutions. None becomes `frozen` with pretrained weights
            and `group` without.
        pretrained_backbone_weights: a torchvision name (`ResNet18_Weights.IMAGENET1K_V1`, downloaded) or a
            local file holding a ResNet-18 state dict. None starts from random weights and needs no network.
        joint_encoder: `per_joint` gives every joint value its one-hot, encodes the joints with shared weights
            and averages them; `flat` encodes the six values as one vector.
        feature_dim: width D_f of one frame's feature; a token stacks `num_stack` of them, so tokens are 768
            wide.
        num_heads: heads H of the self-attention.
        residual: add the input tokens to the attention's output (not in the paper's Eq. (4); the authors'
            code does).
        head_hidden_dims: hidden layers of each prediction head.
        loss_factor: λ of Eq. (7), the weight of the torque loss; 0.1 is best in Table 4.
        huber_delta_angle: δ_A of Eq. (5), in normalised units.
        huber_delta_torque: δ_T of Eq. (6), in normalised units.
        min_closure_range: smallest range a closure channel is normalised with, so that a joint that stood
            still in training cannot explode at run time.
        min_torque_range_n: the same for a torque channel, in newtons.
        normalized_state_clip: bound on normalised joint values, for statistics that did not pass through that
            floor (`--policy.path=` fine-tuning replaces them with the new dataset's own).
        color_jitter_brightness: strength of the brightness jitter; augmentation happens in training only and
            is drawn once per stack.
        color_jitter_contrast: strength of the contrast jitter.
        color_jitter_saturation: strength of the saturation jitter.
        optimizer_lr: learning rate of Adam, constant (Table 3).
        optimizer_grad_clip_norm: gradient clipping of the authors' code; the paper names none.
        drop_n_last_frames: the last frame of an episode has no torque label, which is the torque at the next
            moment.
        state_angle_columns: columns of the six closures in `observation.state`, in the order of `JOINTS`.
            This and the three below are found by name when a dataset is known, and saved with the policy.
        state_torque_columns: columns of the six torques in `observation.state`.
        action_angle_columns: columns of the six closures in `action`.
        action_torque_columns: columns of the six torques in `action`.
        action_feature_names: names of the action's columns, filled in by LeRobot.
    """

    modalities: list[str] = field(default_factory=lambda: list(MODALITIES))
    fusion: Literal["attention", "concat"] = "attention"

    num_stack: int = 3
    frameskip: int = 5
    chunk_size: int = 1
    n_action_steps: int = 1
    temporal_ensemble_coeff: float | None = None

    image_key: str = IMAGE_FEATURE
    image_size: tuple[int, int] = (75, 100)
    backbone_stages: int = 4
    backbone_norm: BackboneNorm | None = None
    pretrained_backbone_weights: str | None = None
    joint_encoder: Literal["per_joint", "flat"] = "per_joint"
    feature_dim: int = 256
    num_heads: int = 8
    residual: bool = False
    head_hidden_dims: list[int] = field(default_factory=lambda: [1024, 1024])

    loss_factor: float = 0.1
    huber_delta_angle: float = 0.2
    huber_delta_torque: float = 0.2

    normalization_mapping: dict[str, NormalizationMode] = field(
        default_factory=lambda: {
            "VISUAL": NormalizationMode.IDENTITY,
            "STATE": NormalizationMode.MIN_MAX,
            "ACTION": NormalizationMode.MIN_MAX,
        }
    )
    min_closure_range: float = 0.1
    min_torque_range_n: float = 0.5
    normalized_state_clip: float = 10.0

    color_jitter_brightness: float = 0.2
    color_jitter_contrast: float = 0.02
    color_jitter_saturation: float = 0.02

    optimizer_lr: float = 1e-4
    optimizer_grad_clip_norm: float = 0.5
    drop_n_last_frames: int = 1

    state_angle_columns: list[int] | None = None
    state_torque_columns: list[int] | None = None
    action_angle_columns: list[int] | None = None
    action_torque_columns: list[int] | None = None
    action_feature_names: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [name for name in self.modalities if name not in MODALITIES]
        if unknown or not self.modalities or len(set(self.modalities)) != len(self.modalities):
            raise ValueError(
                f"`modalities` must name some of {MODALITIES}, each once; got {self.modalities}."
            )
        self.modalities = [name for name in MODALITIES if name in self.modalities]
        for name in ("num_stack", "frameskip", "chunk_size", "n_action_steps", "feature_dim", "num_heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1, got {getattr(self, name)}.")
        if self.n_action_steps > self.chunk_size:
            raise ValueError(
                f"`n_action_steps` ({self.n_action_steps}) cannot exceed `chunk_size` ({self.chunk_size}): "
                "no more moments can be executed than are predicted."
            )
        if self.temporal_ensemble_coeff is not None and self.n_action_steps != 1:
            raise ValueError("Temporal ensembling asks the policy at every step: set `n_action_steps=1`.")
        if self.token_dim % self.num_heads:
            raise ValueError(
                f"The token width {self.token_dim} (`num_stack` × `feature_dim`) must be divisible by "
                f"`num_heads` ({self.num_heads})."
            )
        if not 1 <= self.backbone_stages <= 4:
            raise ValueError(
                f"`backbone_stages` must be 1…4, got {self.backbone_stages}: ResNet-18 has four stages."
            )
        if self.backbone_norm is None:
            self.backbone_norm = "group" if self.pretrained_backbone_weights is None else "frozen"
        if self.backbone_norm == "frozen" and self.pretrained_backbone_weights is None:
            raise ValueError(
                "`backbone_norm=frozen` keeps the statistics of pretrained weights, and there are none. "
                "Set `pretrained_backbone_weights`, or use `group` or `batch`."
            )
        if self.backbone_norm == "group" and self.pretrained_backbone_weights is not None:
            raise ValueError(
                "Pretrained ResNet-18 weights come with batch normalisation: use `backbone_norm=frozen` or "
                "`backbone_norm=batch`."
            )
        if not 0.0 <= self.loss_factor <= 1.0:
            raise ValueError(f"`loss_factor` is the λ of Eq. (7), between 0 and 1; got {self.loss_factor}.")
        if self.normalization_mapping.get("VISUAL", NormalizationMode.IDENTITY) != NormalizationMode.IDENTITY:
            raise ValueError(
                "Images are normalised inside the policy, after resizing; leave VISUAL at IDENTITY in "
                "`normalization_mapping`."
            )

    @property
    def token_dim(self) -> int:
        """Width D of a modality's token: the features of all frames of the stack, one after the other."""
        return self.num_stack * self.feature_dim

    @property
    def uses_state(self) -> bool:
        """Whether the policy reads `observation.state`."""
        return ANGLE in self.modalities or TORQUE in self.modalities

    @property
    def used_inputs(self) -> dict[str, PolicyFeature]:
        """The input features that the chosen modalities read."""
        needed = [self.image_key] * (IMAGE in self.modalities) + [OBS_STATE] * self.uses_state
        inputs: dict[str, PolicyFeature] = self.input_features or {}
        return {key: feature for key, feature in inputs.items() if key in needed}

    @property
    def observation_delta_indices(self) -> list[int]:
        """Frames of the stack relative to now, oldest first: [-10, -5, 0] with the paper's values."""
        return [-self.frameskip * age for age in reversed(range(self.num_stack))]

    @property
    def action_delta_indices(self) -> list[int]:
        """Action rows with the labels: angles from t…t+H-1, torques ("at the next moment") from t+1…t+H."""
        return list(range(self.chunk_size + 1))

    @property
    def reward_delta_indices(self) -> None:
        return None

    def get_optimizer_preset(self) -> AdamConfig:
        return AdamConfig(
            lr=self.optimizer_lr, weight_decay=0.0, grad_clip_norm=self.optimizer_grad_clip_norm
        )

    def get_scheduler_preset(self) -> None:
        return None

    def set_dataset_feature_metadata(self, features: Mapping[str, Mapping[str, Any]]) -> None:
        """Learn from a dataset which columns are which joints; LeRobot's `make_policy` calls this.

        Also drops from `input_features` what the chosen modalities do not read, so that neither a camera nor
        a torque sensor is asked for at inference when the policy ignores it.

        Raises:
            ValueError: if a needed feature or column is missing, or the action has columns that this policy
                does not predict.
        """
        action_names = feature_names(features, ACTION)
        self.action_angle_columns = find_columns(action_names, CLOSURE_KEYS, ACTION)
        self.action_torque_columns = find_columns(action_names, TORQUE_KEYS, ACTION)
        if self.uses_state:
            state_names = feature_names(features, OBS_STATE)
            if ANGLE in self.modalities:
                self.state_angle_columns = find_columns(state_names, CLOSURE_KEYS, OBS_STATE)
            if TORQUE in self.modalities:
                self.state_torque_columns = find_columns(state_names, TORQUE_KEYS, OBS_STATE)
        self.validate_features()
        self.input_features = self.used_inputs

    def validate_features(self) -> None:
        """Check that inputs and outputs are there and that the joint columns are known and inside them.

        Raises:
            ValueError: saying what is missing and how to provide it.
        """
        inputs: Mapping[str, Any] = self.input_features or {}
        if IMAGE in self.modalities and self.image_key not in self.image_features:
            raise ValueError(
                f"The policy sees the camera image {self.image_key!r}, which is not among its inputs "
                f"{sorted(inputs)}. Name the dataset's camera with --policy.image_key=…, or leave `image` "
                "out of --policy.modalities."
            )
        if self.uses_state:
            if self.robot_state_feature is None:
                raise ValueError(
                    f"The modalities {self.modalities} need {OBS_STATE!r}, which is not among the inputs."
                )
            width = self.robot_state_feature.shape[0]
            if ANGLE in self.modalities:
                _check_columns("state_angle_columns", self.state_angle_columns, CLOSURE_KEYS, width)
            if TORQUE in self.modalities:
                _check_columns("state_torque_columns", self.state_torque_columns, TORQUE_KEYS, width)
        if self.action_feature is None or self.action_feature.type is not FeatureType.ACTION:
            raise ValueError(
                f"The policy predicts {ACTION!r}, which is not among its outputs "
                f"{sorted(self.output_features or {})}."
            )
        width = self.action_feature.shape[0]
        _check_columns("action_angle_columns", self.action_angle_columns, CLOSURE_KEYS, width)
        _check_columns("action_torque_columns", self.action_torque_columns, TORQUE_KEYS, width)
        if width != len(CLOSURE_KEYS) + len(TORQUE_KEYS):
            raise ValueError(
                f"The action has {width} columns ({self.action_feature_names}), but this policy predicts "
                "only six closures and six torques. Record without the other channels."
            )


def _check_columns(field_name: str, columns: list[int] | None, keys: tuple[str, ...], width: int) -> None:
    if columns is None:
        raise ValueError(
            f"`{field_name}` is unknown. Build the policy with LeRobot's make_policy and a dataset, which "
            "finds the columns by name, or call `config.set_dataset_feature_metadata(dataset.meta.features)`."
        )
    if len(set(columns)) != len(keys) or not all(0 <= column < width for column in columns):
        raise ValueError(
            f"`{field_name}` must hold {len(keys)} different columns of a vector of {width}, got {columns}."
        )
