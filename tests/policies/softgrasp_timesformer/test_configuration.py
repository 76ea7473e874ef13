import pytest

from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig
from softgrasp_plugin.policies.softgrasp_timesformer.configuration_softgrasp_timesformer import (
    SoftGraspTimeSformerConfig,
)


def test_a_frame_is_its_patches_and_one_token_per_joint_modality() -> None:
    config = SoftGraspTimeSformerConfig(device="cpu", image_size=(36, 48), patch_size=12)
    assert (config.num_patches, config.num_tokens) == (12, 14)
    config = SoftGraspTimeSformerConfig(device="cpu", modalities=["torque"])
    assert config.num_tokens == 1


def test_labels_and_loss_are_those_of_softgrasp() -> None:
    ours, softgrasp = (
        SoftGraspTimeSformerConfig(device="cpu", chunk_size=3),
        SoftGraspConfig(device="cpu", chunk_size=3),
    )
    for name in ("observation_delta_indices", "action_delta_indices", "loss_factor", "huber_delta_torque"):
        assert getattr(ours, name) == getattr(softgrasp, name), name
    assert ours.get_optimizer_preset() == softgrasp.get_optimizer_preset()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"patch_size": 10}, "multiple of `patch_size`"),
        ({"dim": 20, "num_heads": 3}, "divisible"),
        ({"depth": 0}, "depth"),
        ({"loss_factor": -0.1}, "loss_factor"),
    ],
)
def test_bad_fields_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftGraspTimeSformerConfig(device="cpu", **fields)


def test_patches_need_not_fit_when_there_is_no_image() -> None:
    assert SoftGraspTimeSformerConfig(device="cpu", modalities=["angle"], patch_size=10).num_tokens == 1
