"""Policies of a hand without torque sensing: six columns in state and action, closures alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.joints import CLOSURE_KEYS, TORQUE_KEYS
from softgrasp_plugin.observed_columns import ObservedColumns
from softgrasp_plugin.policies.example import example_features, make_example_batch
from softgrasp_plugin.policies.fit import Driven, check_policy_fits

from .small import POLICIES, small_config, small_policy

SIX = {"measures_torque": False, "modalities": ["image", "angle"]}


@pytest.mark.parametrize("policy_type", POLICIES)
def test_it_trains_acts_and_is_loaded_again(policy_type: str, tmp_path: Path) -> None:
    policy = small_policy(policy_type, **SIX)
    batch = make_example_batch(policy.config, 3)
    assert batch[OBS_STATE].shape[-1] == batch[ACTION].shape[-1] == 6
    policy.train()
    loss, logs = policy.forward(batch)
    loss.backward()
    assert [name for name, parameter in policy.named_parameters() if parameter.grad is None] == []
    assert "loss_torque" not in logs
    assert not any("torque" in name for name, _ in policy.named_parameters())

    frame = make_example_batch(policy.config, 3, stacked=False)
    policy.eval()
    policy.reset()
    action = policy.select_action(frame)
    assert action.shape == (3, 6)
    policy.save_pretrained(tmp_path)
    reloaded = get_policy_class(policy_type).from_pretrained(tmp_path)
    assert reloaded.config.action_torque_columns == []
    reloaded.reset()
    torch.testing.assert_close(reloaded.select_action(frame), action)


@pytest.mark.parametrize("policy_type", ["softgrasp", "softgrasp_timesformer"])
def test_the_loss_is_that_of_the_angles_whatever_the_loss_factor(policy_type: str) -> None:
    losses = []
    for factor in (0.1, 0.9):
        policy = small_policy(policy_type, loss_factor=factor, **SIX)
        loss, logs = policy.forward(make_example_batch(policy.config, 3))
        assert loss.item() == pytest.approx(logs["loss_angle"])
        losses.append(loss.item())
    assert losses[0] == losses[1]


@pytest.mark.parametrize("policy_type", POLICIES)
def test_a_policy_that_sees_torques_is_refused_with_the_option_to_give(policy_type: str) -> None:
    with pytest.raises(ValueError, match=r"--policy\.modalities='\[\"image\", \"angle\"\]'"):
        small_config(policy_type, measures_torque=False, modalities=["image", "angle", "torque"])


def test_some_torques_are_not_none() -> None:
    features = example_features()
    features[ACTION]["names"] = [*CLOSURE_KEYS, *TORQUE_KEYS[:3]]
    config = small_config("softgrasp")
    with pytest.raises(ValueError, match=r"lacks the columns \['index_bend_torque\.pos'"):
        config.set_dataset_feature_metadata(features)


def test_normalisation_has_six_columns() -> None:
    config = small_config("softgrasp", **SIX)
    stats = {
        key: {
            name: np.full(6, value) for name, value in (("min", 0), ("max", 1), ("mean", 0.5), ("std", 0.3))
        }
        for key in (OBS_STATE, ACTION)
    }
    _, postprocess = make_pre_post_processors(config, dataset_stats=stats)
    torch.testing.assert_close(postprocess(torch.zeros(1, 6)), torch.full((1, 6), 0.5))


@pytest.mark.parametrize("senses", [True, False])
def test_it_drives_only_what_has_its_columns(senses: bool) -> None:
    def fits(config: PreTrainedConfig, observed: ObservedColumns) -> None:
        names = observed.state_names, observed.action_names
        driven = Driven("the robot", *names, {"observation.images.side": (24, 32)}, None, "--fps", observed)
        check_policy_fits(config, driven)

    trained = small_config("softgrasp", measures_torque=senses, modalities=["image", "angle"])
    fits(trained, ObservedColumns(senses, "--robot.hand.measures_torque"))
    with pytest.raises(ValueError, match=rf"Use --robot\.hand\.measures_torque={str(senses).lower()}"):
        fits(trained, ObservedColumns(not senses, "--robot.hand.measures_torque"))


@pytest.mark.parametrize("arm", [True, False])
@pytest.mark.parametrize("senses", [True, False])
def test_twelve_columns_are_not_mistaken_for_closures_and_the_arm(senses: bool, arm: bool) -> None:
    """A state of twelve is either; the action tells."""
    policy = small_config("softgrasp", measures_torque=senses, modalities=["image", "angle"])
    policy.input_features[OBS_STATE].shape = ((2 if senses else 1) * 6 + 6 * arm,)
    observed = ObservedColumns(senses, "--env.measures_torque", arm, "--env.arm_joints")
    assert observed.fault(policy) is None
    other_arm = ObservedColumns(senses, "--env.measures_torque", not arm, "--env.arm_joints")
    assert f"Use --env.arm_joints={str(arm).lower()}" in str(other_arm.fault(policy))
