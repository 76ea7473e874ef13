"""A policy and what it is about to drive: columns by name, rate, pictures."""

import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.factory import get_policy_class
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS
from softgrasp_plugin.policies import fit, training_data
from softgrasp_plugin.policies.example import example_features
from softgrasp_plugin.policies.fit import Driven, check_policy_fits, check_running_policy
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.running_command import RunningCommand

from .small import POLICIES, small_config, small_policy

RIG = Driven("the rig", STATE_KEYS, STATE_KEYS, {IMAGE_FEATURE: (24, 32)}, 30.0, "--fps")
SWAPPED = ["thumb_swing.pos", *STATE_KEYS[1:5], "little_bend.pos", *STATE_KEYS[6:]]


def trained_on(policy_type: str, feature: str, names: list[str], **overrides: Any) -> Any:
    """A configuration that learned its columns from a dataset with these names."""
    features = example_features(24, 32)
    features[feature] |= {"names": names, "shape": (len(names),)}
    config = small_config(policy_type, **overrides)
    config.set_dataset_feature_metadata(features)
    return config


def announce(monkeypatch: pytest.MonkeyPatch, **config: Any) -> None:
    """Have the checks see a running command with this configuration."""
    command = RunningCommand("rollout", SimpleNamespace(**config), None)
    for module in (fit, training_data):
        monkeypatch.setattr(module, "running_command", lambda: command)


@pytest.mark.parametrize("policy_type", POLICIES)
def test_a_policy_trained_on_this_rig_fits_it(policy_type: str) -> None:
    check_policy_fits(small_config(policy_type), RIG)


@pytest.mark.parametrize("knows_names", [True, False])
@pytest.mark.parametrize("feature", [OBS_STATE, ACTION])
@pytest.mark.parametrize("policy_type", POLICIES)
def test_exchanged_columns_are_refused_by_name(policy_type: str, feature: str, knows_names: bool) -> None:
    config = trained_on(policy_type, feature, SWAPPED)
    if not knows_names:  # checkpoints from before the names were stored
        config.state_feature_names = config.action_feature_names = None
    with pytest.raises(
        ValueError,
        match=rf"{feature}.*column 0 is thumb_swing\.pos in training and little_bend\.pos here; column 5 is "
        r"little_bend\.pos in training and thumb_swing\.pos here",
    ):
        check_policy_fits(config, RIG)


def test_angles_and_torques_in_each_others_columns_are_refused() -> None:
    config = trained_on("softgrasp", OBS_STATE, [*STATE_KEYS[6:], *STATE_KEYS[:6]])
    with pytest.raises(ValueError, match=r"column 0 is little_bend_torque\.pos in training"):
        check_policy_fits(config, RIG)


@pytest.mark.parametrize(
    ("trained", "given", "message"),
    [
        ([*STATE_KEYS, "elbow.pos"], STATE_KEYS, "column 12 is elbow.pos in training and absent here"),
        (list(STATE_KEYS), [*STATE_KEYS, "elbow.pos"], "column 12 is absent in training and elbow.pos here"),
    ],
)
def test_missing_and_additional_columns_are_refused(
    trained: list[str], given: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_policy_fits(trained_on("softgrasp", OBS_STATE, trained), replace(RIG, state_names=given))


def test_a_policy_that_reads_no_joints_does_not_mind_their_columns() -> None:
    config = trained_on("softgrasp", OBS_STATE, SWAPPED, modalities=["image"])
    check_policy_fits(config, RIG)


@pytest.mark.parametrize("fps", [15.0, 60.0])
def test_another_rate_is_refused_with_the_right_one(fps: float) -> None:
    config = small_config("softgrasp", dataset_fps=30.0)
    check_policy_fits(config, RIG)
    check_policy_fits(config, replace(RIG, fps=None))
    with pytest.raises(ValueError, match=rf"trained at 30 Hz .* asked at {fps:g} Hz.*set --fps=30"):
        check_policy_fits(config, replace(RIG, fps=fps))


def test_larger_pictures_are_warned_about_and_stretched_ones_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = small_config("softgrasp")
    with caplog.at_level(logging.WARNING):
        check_policy_fits(config, replace(RIG, image_sizes={IMAGE_FEATURE: (240, 320)}))
    assert "32×24 pixels in training and is 320×240 here" in caplog.text
    with pytest.raises(ValueError, match="1280×720 here, another shape"):
        check_policy_fits(config, replace(RIG, image_sizes={IMAGE_FEATURE: (720, 1280)}))


def test_a_missing_camera_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sees 'observation\.images\.side', and the cameras here are none"):
        check_policy_fits(small_config("softgrasp"), replace(RIG, image_sizes={}))


def test_a_stock_policy_is_held_to_the_number_of_its_columns() -> None:
    config = ACTConfig(
        input_features={OBS_STATE: PolicyFeature(FeatureType.STATE, (6,))},
        output_features={ACTION: PolicyFeature(FeatureType.ACTION, (12,))},
        device="cpu",
    )
    with pytest.raises(ValueError, match=r"column 6 is absent in training and little_bend_torque\.pos here"):
        check_policy_fits(config, RIG)
    config.input_features[OBS_STATE] = PolicyFeature(FeatureType.STATE, (14,))
    with pytest.raises(ValueError, match="14 columns in training and 12 here"):
        check_policy_fits(config, RIG)


@pytest.mark.parametrize("policy_type", POLICIES)
def test_a_checkpoint_whose_columns_contradict_its_names_is_refused(policy_type: str) -> None:
    config = trained_on(policy_type, ACTION, list(STATE_KEYS))
    columns = config.action_angle_columns
    columns[0], columns[5] = columns[5], columns[0]
    with pytest.raises(ValueError, match=r"contradicts itself: 'little_bend\.pos' is said to be column 5"):
        get_policy_class(policy_type)(config)


def test_the_robot_is_checked_before_it_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    robot = UR3DexHandSim(UR3DexHandSimConfig(id="check"))
    config = trained_on("softgrasp", OBS_STATE, SWAPPED, modalities=["angle", "torque"])
    announce(monkeypatch, policy=config, fps=30.0)
    with pytest.raises(ValueError, match="cannot drive the robot ur3_dexhand_sim"):
        robot.connect()
    assert not robot.is_connected
    arm = UR3DexHandSim(UR3DexHandSimConfig(id="check", arm_joints=True))
    announce(monkeypatch, policy=small_config("softgrasp", modalities=["torque"]), fps=30.0)
    check_running_policy(robot)
    with pytest.raises(ValueError, match=r"column 12 is absent in training and shoulder_pan\.pos here"):
        arm.connect()
    with pytest.raises(
        ValueError, match=r"on 12 state values; 18 are observed\. Use --robot\.arm_joints=false"
    ):
        arm.connect()


def test_cameras_are_renamed_as_the_user_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    robot = UR3DexHandSim(UR3DexHandSimConfig(id="check"))
    config = small_config("softgrasp", height=240, width=320)
    announce(monkeypatch, policy=config, fps=30.0, rename_map={IMAGE_FEATURE: "observation.images.top"})
    with pytest.raises(ValueError, match=r"the cameras here are \['observation\.images\.top'\]"):
        check_running_policy(robot)


@pytest.mark.parametrize("policy_type", POLICIES)
def test_the_environment_of_the_running_command_is_checked(
    policy_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = SoftGraspSimEnvConfig(observation_height=24, observation_width=32)
    announce(monkeypatch, env=env, policy=None)
    small_policy(policy_type)
    config = trained_on(policy_type, OBS_STATE, SWAPPED)
    with pytest.raises(ValueError, match=r"the environment softgrasp_sim.*thumb_swing\.pos in training"):
        get_policy_class(policy_type)(config)
    announce(monkeypatch, env=env, policy=None, env_eval_freq=0)
    get_policy_class(policy_type)(config)
    announce(monkeypatch, env=SoftGraspSimEnvConfig(fps=15), policy=None)
    with pytest.raises(ValueError, match=r"set --env\.fps=30"):
        small_policy(policy_type, dataset_fps=30.0)


@pytest.mark.parametrize("feature", [OBS_STATE, ACTION])
@pytest.mark.parametrize("policy_type", POLICIES)
def test_a_training_is_not_resumed_on_other_columns(
    policy_type: str, feature: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(policy_type)
    features = example_features(24, 32)
    features[feature]["names"] = SWAPPED
    announce(monkeypatch, resume=True)
    with pytest.raises(ValueError, match=rf"{feature} little_bend\.pos was column 0 and is column 5"):
        config.set_dataset_feature_metadata(features)
    announce(monkeypatch, resume=False)  # a new training from a checkpoint takes the new statistics
    config.set_dataset_feature_metadata(features)


@pytest.mark.parametrize("policy_type", POLICIES)
def test_a_deadband_is_not_trained_further_on_other_columns(policy_type: str) -> None:
    config = small_config(policy_type, closure_deadband=0.003)
    features = example_features(24, 32)
    features[OBS_STATE]["names"] = SWAPPED  # of which it knows nothing
    config.set_dataset_feature_metadata(features)
    features[ACTION]["names"] = SWAPPED
    with pytest.raises(ValueError, match=r"action little_bend\.pos was column 0 .*closure_deadband"):
        config.set_dataset_feature_metadata(features)


@pytest.mark.parametrize("policy_type", POLICIES)
def test_the_rate_of_the_dataset_is_kept(policy_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small_config(policy_type)
    policy_class = get_policy_class(policy_type)
    policy_class(config, dataset_meta=SimpleNamespace(fps=20, stats=None))
    assert config.dataset_fps == 20
    announce(monkeypatch, resume=True)
    with pytest.raises(ValueError, match="trained at 20 Hz, and this dataset has 30 Hz"):
        policy_class(config, dataset_meta=SimpleNamespace(fps=30, stats=None))


@pytest.mark.parametrize("policy_type", POLICIES)
def test_compiling_what_is_not_called_is_refused(policy_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, use_torch_compile=True)
    if policy_type == "softgrasp_act":  # LeRobot's ACT predicts through what is compiled
        small_policy(policy_type)
        return
    with pytest.raises(ValueError, match="use_torch_compile"):
        small_policy(policy_type)
