from dataclasses import replace
from pathlib import Path

import pytest
from lerobot.configs import FeatureType, NormalizationMode, PolicyFeature, PreTrainedConfig
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.joints import CLOSURE_KEYS, IMAGE_FEATURE, STATE_KEYS, TORQUE_KEYS
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig
from softgrasp_plugin.policies.softgrasp.example import example_features, make_example_config


def test_defaults_are_the_papers() -> None:
    config = SoftGraspConfig(device="cpu")
    assert config.type == "softgrasp"
    assert config.observation_delta_indices == [-10, -5, 0]
    assert config.action_delta_indices == [0, 1]
    assert config.token_dim == 768
    assert (config.loss_factor, config.huber_delta_angle, config.huber_delta_torque) == (0.1, 0.2, 0.2)
    assert config.get_optimizer_preset().lr == 1e-4
    assert config.get_scheduler_preset() is None


def test_a_chunk_needs_one_action_row_more() -> None:
    assert SoftGraspConfig(device="cpu", chunk_size=10).action_delta_indices == list(range(11))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"modalities": ["image", "sound"]}, "modalities"),
        ({"modalities": []}, "modalities"),
        ({"modalities": ["angle", "angle"]}, "modalities"),
        ({"num_stack": 0}, "num_stack"),
        ({"n_action_steps": 2}, "chunk_size"),
        ({"chunk_size": 4, "n_action_steps": 2, "temporal_ensemble_coeff": 0.01}, "ensembling"),
        ({"feature_dim": 7}, "divisible"),
        ({"backbone_stages": 5}, "backbone_stages"),
        ({"backbone_norm": "frozen"}, "pretrained_backbone_weights"),
        ({"backbone_norm": "group", "pretrained_backbone_weights": "x.pth"}, "batch normalisation"),
        ({"loss_factor": 1.5}, "loss_factor"),
        ({"normalization_mapping": {"VISUAL": NormalizationMode.MEAN_STD}}, "VISUAL"),
    ],
)
def test_bad_fields_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftGraspConfig(device="cpu", **fields)


def test_normalisation_follows_the_weights() -> None:
    assert SoftGraspConfig(device="cpu").backbone_norm == "group"
    assert SoftGraspConfig(device="cpu", pretrained_backbone_weights="x.pth").backbone_norm == "frozen"


def test_columns_are_found_by_name_in_any_order() -> None:
    features = example_features()
    features[OBS_STATE]["names"] = list(reversed(STATE_KEYS))
    config = make_example_config()
    config.set_dataset_feature_metadata(features)
    assert config.state_angle_columns == [11, 10, 9, 8, 7, 6]
    assert config.state_torque_columns == [5, 4, 3, 2, 1, 0]
    assert config.action_angle_columns == [0, 1, 2, 3, 4, 5]
    assert config.action_torque_columns == [6, 7, 8, 9, 10, 11]


def test_columns_and_inputs_survive_save_and_load(tmp_path: Path) -> None:
    config = make_example_config(modalities=["angle"], image_size=(30, 40), chunk_size=3)
    config.save_pretrained(tmp_path)
    loaded = PreTrainedConfig.from_pretrained(tmp_path)
    assert loaded == config


def test_only_the_sides_of_the_chosen_modalities_are_required() -> None:
    angles_only = example_features()
    angles_only[OBS_STATE] |= {"names": list(CLOSURE_KEYS), "shape": (6,)}
    config = make_example_config(modalities=["image", "angle"])
    config.set_dataset_feature_metadata(angles_only)
    with pytest.raises(ValueError, match=r"torque\.pos"):
        make_example_config().set_dataset_feature_metadata(angles_only)

    torques_only = example_features()
    torques_only[OBS_STATE] |= {"names": list(TORQUE_KEYS), "shape": (6,)}
    torque_config = make_example_config(modalities=["torque"])
    torque_config.input_features = {OBS_STATE: PolicyFeature(FeatureType.STATE, (6,))}
    torque_config.set_dataset_feature_metadata(torques_only)
    assert torque_config.state_torque_columns == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("modalities", "inputs"),
    [
        (["image"], {IMAGE_FEATURE}),
        (["torque"], {OBS_STATE}),
        (["image", "angle", "torque"], {IMAGE_FEATURE, OBS_STATE}),
    ],
)
def test_unread_inputs_are_dropped(modalities: list[str], inputs: set[str]) -> None:
    assert set(make_example_config(modalities=modalities).input_features) == inputs


def test_a_missing_camera_is_explained() -> None:
    with pytest.raises(ValueError, match=r"observation.images.wrist.*image_key"):
        make_example_config(image_key="observation.images.wrist")


def test_unknown_columns_are_explained() -> None:
    config = replace(make_example_config(), action_angle_columns=None)
    with pytest.raises(ValueError, match="make_policy"):
        config.validate_features()


def test_columns_outside_the_vector_are_refused() -> None:
    config = replace(make_example_config(), state_torque_columns=[6, 7, 8, 9, 10, 12])
    with pytest.raises(ValueError, match="state_torque_columns"):
        config.validate_features()


def test_action_columns_that_are_not_predicted_are_refused() -> None:
    features = example_features()
    features[ACTION]["names"] = [*STATE_KEYS, "wrist.pos"]
    config = make_example_config()
    config.output_features = {ACTION: PolicyFeature(FeatureType.ACTION, (13,))}
    with pytest.raises(ValueError, match="13 columns"):
        config.set_dataset_feature_metadata(features)
