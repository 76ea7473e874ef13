"""What the policies of this plugin see of an observation, and where its joints are; shared by all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature, PreTrainedConfig
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.bounds import require_within
from softgrasp_plugin.joints import CLOSURE_KEYS, IMAGE_FEATURE, TORQUE_KEYS

from .joint_columns import check_columns, feature_names, find_columns

IMAGE, ANGLE, TORQUE = "image", "angle", "torque"
MODALITIES: tuple[str, ...] = (IMAGE, ANGLE, TORQUE)


@dataclass
class ObservationConfig(PreTrainedConfig):
    """Inputs of a policy: modalities, image preparation, joint columns.

    Attributes:
        modalities: what the policy sees, any of `image`, `angle`, `torque` (ablation of Table 5). A modality
            that is left out creates no parameter and needs no input.
        relative_angles: predict angles as a change from those measured now instead of anew. A network that
            has to reproduce where a joint is, to a thousandth, spends its training on that; one that is told
            only has to learn what to do next, and does so too where no demonstration has been. Needs the
            angles.
        closure_shift: half the width, in closure, of a random offset that training adds to the closures the
            encoder sees (`closure_shift.py`); 0 turns it off. Needs `relative_angles`.
        image_key: the camera image the policy sees.
        image_size: (height, width) that images are resized to, antialiased, inside the policy. The authors'
            code uses 75×100.
        color_jitter_brightness: strength of the brightness jitter; augmentation happens in training only and
            is drawn once per stack.
        color_jitter_contrast: strength of the contrast jitter.
        color_jitter_saturation: strength of the saturation jitter.
        image_blur_sigma: standard deviation of the Gaussian blur that images are trained with at first, in
            pixels of the resized image. It falls linearly to zero, so that a policy first learns from the
            joints what images cannot yet tell (FACTR, arXiv 2502.17432). 0 turns the curriculum off.
        image_blur_steps: training steps until images are sharp.
        min_closure_range: smallest range a closure channel is normalised with, so that a joint that stood
            still in training cannot explode at run time.
        min_torque_range_n: the same for a torque channel, in newtons.
        normalized_state_clip: bound on normalised joint values, for statistics that did not pass through that
            floor (`--policy.path=` fine-tuning replaces them with the new dataset's own).
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
    relative_angles: bool = False
    closure_shift: float = 0.0

    image_key: str = IMAGE_FEATURE
    image_size: tuple[int, int] = (75, 100)
    color_jitter_brightness: float = 0.2
    color_jitter_contrast: float = 0.02
    color_jitter_saturation: float = 0.02
    image_blur_sigma: float = 0.0
    image_blur_steps: int = 5000

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
        if self.relative_angles and ANGLE not in self.modalities:
            raise ValueError(
                f"`relative_angles` adds to the measured angles, which are not among the modalities "
                f"{self.modalities}: set `relative_angles=false`, or let the policy see angles."
            )
        require_within("`closure_shift`", self.closure_shift, 0.0, 1.0, "closure")
        if self.closure_shift and not self.relative_angles:
            raise ValueError(
                "`closure_shift` hides where a joint is, so its absolute angle cannot be predicted: set "
                "`relative_angles=true` too."
            )
        if self.normalization_mapping.get("VISUAL", NormalizationMode.IDENTITY) != NormalizationMode.IDENTITY:
            raise ValueError(
                "Images are normalised inside the policy, after resizing; leave VISUAL at IDENTITY in "
                "`normalization_mapping`."
            )
        if self.image_blur_sigma < 0:
            raise ValueError(f"`image_blur_sigma` cannot be negative, got {self.image_blur_sigma}.")
        if self.image_blur_sigma > 0 and self.image_blur_steps < 1:
            raise ValueError(
                f"`image_blur_steps` must be at least 1, got {self.image_blur_steps}: it is the number of "
                "steps in which the blur falls to zero. To train without blur set `image_blur_sigma=0`."
            )
        if self.image_blur_sigma > 0 and IMAGE not in self.modalities:
            raise ValueError(
                f"`image_blur_sigma` blurs images, which are not among the modalities {self.modalities}."
            )

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

    def state_columns(self, modality: str) -> list[int]:
        """Columns of `observation.state` that a modality reads; none for the image, or when left out."""
        columns = {ANGLE: self.state_angle_columns, TORQUE: self.state_torque_columns}.get(modality)
        return columns if columns is not None and modality in self.modalities else []

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
                check_columns("state_angle_columns", self.state_angle_columns, CLOSURE_KEYS, width)
            if TORQUE in self.modalities:
                check_columns("state_torque_columns", self.state_torque_columns, TORQUE_KEYS, width)
        if self.action_feature is None or self.action_feature.type is not FeatureType.ACTION:
            raise ValueError(
                f"The policy predicts {ACTION!r}, which is not among its outputs "
                f"{sorted(self.output_features or {})}."
            )
        width = self.action_feature.shape[0]
        check_columns("action_angle_columns", self.action_angle_columns, CLOSURE_KEYS, width)
        check_columns("action_torque_columns", self.action_torque_columns, TORQUE_KEYS, width)
        if width != len(CLOSURE_KEYS) + len(TORQUE_KEYS):
            raise ValueError(
                f"The action has {width} columns ({self.action_feature_names}), but this policy predicts "
                "only six closures and six torques. Record without the other channels."
            )
