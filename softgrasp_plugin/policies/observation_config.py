"""What the policies of this plugin see of an observation, and where its joints are; shared by all of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature, PreTrainedConfig
from lerobot.utils.constants import ACTION, OBS_STATE
from lerobot.utils.feature_utils import dataset_to_policy_features

from softgrasp_plugin.joints import CLOSURE_KEYS, IMAGE_FEATURE, TORQUE_KEYS

from ..bounds import require_within
from .fit import refuse_moved_columns
from .joint_columns import check_columns, feature_names, find_columns
from .modalities import ANGLE, IMAGE, MODALITIES, TORQUE
from .precision import is_worthwhile


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
        closure_shift: half the width, in closure, of the random offsets that training adds to the closures
            the encoder sees, one for all bending joints and one for each (`closure_shift.py`); 0 turns them
            off. Needs `relative_angles`.
        closure_deadband: closure by which a command of a joint that touches (predicted torque) has to differ
            from the one that is held before it is executed (`closure_deadband.py`), so that a resting grip
            does not tighten by itself; 0 turns it off. It has no effect where no torque is predicted. It is
            saved in the policy's `policy_postprocessor.json`: a trained policy keeps what is written there.
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
        action_torque_columns: columns of the six torques in `action`; empty for a hand without torque
            sensing, whose actions are closures alone.
        state_feature_names: names of all columns of `observation.state`, in order; what the policy drives
            must give the same.
        action_feature_names: the same of `action`, filled in by LeRobot.
        dataset_fps: frame rate of the dataset in Hz, at which the policy must be asked.
        use_amp: compute what images cost in bfloat16, where the processor or GPU has instructions for it; off
            elsewhere.
    """

    modalities: list[str] = field(default_factory=lambda: list(MODALITIES))
    relative_angles: bool = False
    closure_shift: float = 0.0
    closure_deadband: float = 0.0

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
    state_feature_names: list[str] | None = None
    action_feature_names: list[str] | None = None
    dataset_fps: float | None = None
    use_amp: bool = False

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: naming the field that is out of range, or that another one contradicts.
        """
        self._check_numbers()
        super().__post_init__()
        if self.use_amp and not is_worthwhile(self.device or "cpu"):
            self.use_amp = False
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
        require_within("`closure_deadband`", self.closure_deadband, 0.0, 0.05, "closure")
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
        if self.image_blur_sigma > 0 and self.image_blur_steps < 1:
            raise ValueError(
                f"`image_blur_steps` must be at least 1, got {self.image_blur_steps}: it is the number of "
                "steps in which the blur falls to zero. To train without blur set `image_blur_sigma=0`."
            )
        if self.image_blur_sigma > 0 and IMAGE not in self.modalities:
            raise ValueError(
                f"`image_blur_sigma` blurs images, which are not among the modalities {self.modalities}."
            )

    def _check_numbers(self) -> None:
        require_within("n_obs_steps", self.n_obs_steps, 1, 1)  # stacks of frames are `num_stack`'s
        for side in self.image_size:
            require_within("image_size", side, 8, 2048, "pixels")
        for name in ("color_jitter_brightness", "color_jitter_contrast", "color_jitter_saturation"):
            require_within(name, getattr(self, name), 0, 1)
        require_within("image_blur_sigma", self.image_blur_sigma, 0, 100, "pixels")
        require_within("image_blur_steps", self.image_blur_steps, 0, 10**8)
        require_within("min_closure_range", self.min_closure_range, 0, 1)
        require_within("min_torque_range_n", self.min_torque_range_n, 0, 60, "N")
        require_within("normalized_state_clip", self.normalized_state_clip, 1, 1000)
        require_within("drop_n_last_frames", self.drop_n_last_frames, 0, 10_000)
        if self.dataset_fps is not None:
            require_within("dataset_fps", self.dataset_fps, 0, 1000, "Hz", above_low=True)
        for name in (
            "state_angle_columns",
            "state_torque_columns",
            "action_angle_columns",
            "action_torque_columns",
        ):
            for column in getattr(self, name) or ():
                require_within(name, column, 0, 10_000)

    @property
    def predicts_torque(self) -> bool:
        """Whether actions hold torques; those of a hand without torque sensing do not."""
        return bool(self.action_torque_columns)

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
        before = self._named_columns()
        self.action_feature_names = action_names
        self.action_angle_columns = find_columns(action_names, CLOSURE_KEYS, ACTION)
        has_torque = any(key in action_names for key in TORQUE_KEYS)
        self.action_torque_columns = find_columns(action_names, TORQUE_KEYS, ACTION) if has_torque else []
        if self.uses_state:
            state_names = feature_names(features, OBS_STATE)
            self.state_feature_names = state_names
            if ANGLE in self.modalities:
                self.state_angle_columns = find_columns(state_names, CLOSURE_KEYS, OBS_STATE)
            if TORQUE in self.modalities:
                self._require_torques(state_names)
                self.state_torque_columns = find_columns(state_names, TORQUE_KEYS, OBS_STATE)
        self._adopt_shapes(features)
        self.validate_features()
        self.input_features = self.used_inputs
        refuse_moved_columns(before, self._named_columns(), bool(self.closure_deadband))

    def _require_torques(self, state_names: list[str]) -> None:
        if not any(key in state_names for key in TORQUE_KEYS):
            others = [name for name in self.modalities if name != TORQUE] or [IMAGE, ANGLE]
            raise ValueError(
                f"The policy sees torques ({TORQUE_KEYS[0]}, …), and {OBS_STATE!r} has none, only "
                f"{state_names}, as a hand without torque sensing records it. Train with "
                f"--policy.modalities='{json.dumps(others)}'."
            )

    def _named_columns(self) -> dict[str, int]:
        """Column of every joint channel by its feature and name, as far as they are known."""
        found = (
            (OBS_STATE, CLOSURE_KEYS, self.state_angle_columns),
            (OBS_STATE, TORQUE_KEYS, self.state_torque_columns),
            (ACTION, CLOSURE_KEYS, self.action_angle_columns),
            (ACTION, TORQUE_KEYS, self.action_torque_columns),
        )
        return {
            f"{feature} {key}": column
            for feature, keys, columns in found
            for key, column in zip(keys, columns or (), strict=False)
        }

    def _adopt_shapes(self, features: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over the sizes of the dataset's inputs, which for a policy trained further may be new."""
        inputs = self.input_features or {}
        known = {key: dict(features[key]) for key in inputs if key in features}
        self.input_features = inputs | dataset_to_policy_features(known)

    def validate_features(self) -> None:
        """Check that inputs and outputs are there and that the joint columns are known, inside them, and
        those of their names.

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
        torque_keys = () if self.action_torque_columns == [] else TORQUE_KEYS
        check_columns("action_torque_columns", self.action_torque_columns, torque_keys, width)
        if width != len(CLOSURE_KEYS) + len(torque_keys):
            raise ValueError(
                f"The action has {width} columns ({self.action_feature_names}), but this policy predicts "
                "only six closures, and six torques or none. Record without the other channels."
            )
        names = {OBS_STATE: self.state_feature_names, ACTION: self.action_feature_names}
        for channel, column in self._named_columns().items():
            feature, key = channel.split(" ")
            named = names[feature]
            if named is not None and (column >= len(named) or named[column] != key):
                raise ValueError(
                    f"The configuration contradicts itself: {key!r} is said to be column {column} of "
                    f"{feature!r}, whose columns are {named}. The checkpoint's config.json was changed by "
                    "hand, or belongs to another training."
                )
