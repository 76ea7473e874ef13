import pytest
from lerobot.configs import FeatureType, NormalizationMode
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.utils.constants import OBS_ENV_STATE, OBS_STATE

from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies.softgrasp_act.configuration_softgrasp_act import SoftGraspACTConfig
from tests.policies.small import small_config


def test_defaults_are_lerobots_apart_from_what_the_docstring_names() -> None:
    ours, lerobots = SoftGraspACTConfig(device="cpu"), ACTConfig(device="cpu")
    different = {name for name in vars(lerobots) if getattr(ours, name) != getattr(lerobots, name)}
    assert different == {
        "pretrained_backbone_weights",
        "normalization_mapping",
        "optimizer_lr",
        "optimizer_lr_backbone",
    }
    assert ours.normalization_mapping["STATE"] is NormalizationMode.MEAN_STD
    assert ours.observation_delta_indices is None


@pytest.mark.parametrize(
    ("modalities", "width"), [(["image", "angle"], 6), (["image", "angle", "torque"], 12)]
)
def test_the_act_inside_is_as_wide_as_the_chosen_joints(modalities: list[str], width: int) -> None:
    config = small_config("softgrasp_act", modalities=modalities, height=48, width=64)
    inner = config.inner_config()
    assert inner.robot_state_feature.shape == (width,)
    assert inner.image_features[IMAGE_FEATURE].shape == (3, 24, 32)
    assert inner.action_feature.shape == (12,)
    assert config.robot_state_feature.shape == (12,), "the dataset's vector, which is normalised, stays whole"


def test_joints_alone_are_an_environment_state() -> None:
    inner = small_config("softgrasp_act", modalities=["torque"]).inner_config()
    assert set(inner.input_features) == {OBS_ENV_STATE}
    assert inner.env_state_feature.type is FeatureType.ENV
    assert OBS_STATE not in small_config("softgrasp_act", modalities=["image"]).inner_config().input_features


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vision_backbone": "resnet34"}, "ResNet-18"),
        ({"replace_final_stride_with_dilation": True}, "dilation"),
        ({"backbone_stages": 0}, "backbone_stages"),
        ({"modalities": ["sound"]}, "modalities"),
        ({"chunk_size": 4}, "chunk size"),
    ],
)
def test_bad_fields_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftGraspACTConfig(device="cpu", **fields)
