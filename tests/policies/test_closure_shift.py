"""Measured closures are shifted in training, for the encoder only, in units of closure."""

import numpy as np
import pytest
import torch
from lerobot.configs import NormalizationMode
from lerobot.policies.factory import make_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.joints import THUMB_SWING
from softgrasp_plugin.policies.closure_shift import ClosureShift
from softgrasp_plugin.policies.example import make_example_batch
from softgrasp_plugin.policies.processors import floor_statistics

from .small import POLICIES, small_config, small_policy

WIDTH = 0.2
MEAN_STD = {
    "VISUAL": NormalizationMode.IDENTITY,
    "STATE": NormalizationMode.MEAN_STD,
    "ACTION": NormalizationMode.MEAN_STD,
}


def stats(offset=0.0, spread=1.0):
    low = np.r_[np.linspace(0.0, 0.2, 6), np.zeros(6)] + offset
    high = np.r_[np.linspace(0.8, 1.0, 6) * spread, np.full(6, 8.0)] + offset
    return {
        "min": low,
        "max": high,
        "mean": (low + high) / 2,
        "std": (high - low) / 4,
        "count": np.array([9]),
    }


def dataset_stats():
    return {OBS_STATE: stats(), ACTION: stats(0.05, 0.9)}


def make_shift(mode=MEAN_STD, width=WIDTH):
    config = small_config("softgrasp", relative_angles=True, closure_shift=width, normalization_mapping=mode)
    return config, ClosureShift(config, dataset_stats())


@pytest.mark.parametrize("mode", [MEAN_STD, None])
def test_the_shift_is_in_units_of_closure_and_common_to_the_fingers(mode):
    torch.manual_seed(0)
    chosen = mode or dict.fromkeys(("STATE", "ACTION"), NormalizationMode.MIN_MAX)
    config, shift = make_shift(chosen)
    shared = floor_statistics(config, dataset_stats())[OBS_STATE]
    per_closure = 1 / shared["std"] if mode else 2 / (shared["max"] - shared["min"])
    angles = torch.randn(4000, 3, 6)
    moved = ((shift(angles) - angles) / torch.as_tensor(per_closure[:6]).float()).numpy()
    np.testing.assert_allclose(moved[:, 0], moved[:, 2], atol=1e-5)  # one draw for all frames of a sample
    assert (moved[..., THUMB_SWING] == 0).all()
    bends = moved[:, 0, :5]
    assert np.abs(bends).max() <= 2 * WIDTH + 1e-6
    np.testing.assert_allclose(bends.std(axis=0), WIDTH * np.sqrt(2 / 3), rtol=0.05)
    correlation = np.corrcoef(bends.T)
    np.testing.assert_allclose(correlation[~np.eye(5, dtype=bool)], 1 / 2, atol=0.03)


def test_nothing_is_shifted_outside_training_or_when_it_is_off():
    angles = torch.randn(8, 3, 6)
    _, shift = make_shift()
    assert torch.equal(shift.eval()(angles), angles)
    _, off = make_shift(width=0.0)
    assert torch.equal(off.train()(angles), angles)


def test_training_without_statistics_is_refused():
    config, _ = make_shift()
    with pytest.raises(ValueError, match="closure_shift"):
        ClosureShift(config, None).train()(torch.zeros(1, 3, 6))


@pytest.mark.parametrize("policy_type", POLICIES)
def test_labels_and_what_the_change_is_added_to_are_not_shifted(policy_type):
    """A network that does not look at the joints has the same loss, however far they are shifted."""
    losses = []
    for width in (0.0, 0.5):
        torch.manual_seed(0)
        policy = small_policy(policy_type, relative_angles=True, closure_shift=width)
        policy._closure_shift.scale = torch.full((6,), 5.0)
        policy._closure_shift.train()  # the shift alone: no dropout, no other augmentation
        for encoder in policy.modules():
            if isinstance(encoder, torch.nn.Linear) and encoder.in_features in (6, 7):
                torch.nn.init.zeros_(encoder.weight)
        if policy_type == "softgrasp_act":
            torch.nn.init.zeros_(policy.model.encoder_robot_state_input_proj.weight)
        losses.append(policy.forward(make_example_batch(policy.config, 4))[0])
    torch.testing.assert_close(losses[0], losses[1])


@pytest.mark.parametrize("policy_type", POLICIES)
def test_the_encoder_sees_the_shift(policy_type):
    policy = small_policy(policy_type, relative_angles=True, closure_shift=0.5)
    batch = make_example_batch(policy.config, 4)
    policy._closure_shift.scale = torch.full((6,), 5.0)
    before = policy.forward(dict(batch))[0]
    policy._closure_shift.train()
    assert not torch.isclose(policy.forward(dict(batch))[0], before)


@pytest.mark.parametrize("policy_type", POLICIES)
def test_relative_angles_share_one_scale(policy_type):
    """The same change of closure is the same normalised change, wherever the joint is."""
    config = small_config(policy_type, relative_angles=True, normalization_mapping=dict(MEAN_STD))
    preprocess, postprocess = make_pre_post_processors(config, dataset_stats=dataset_stats())
    closure, change = torch.full((12,), 0.4), torch.zeros(12)
    change[:6] = 0.03
    for offset in (0.0, 0.3):
        image = torch.zeros(3, 24, 32)
        batch = preprocess({OBS_STATE: closure + offset, config.image_key: image, ACTION: closure})
        predicted = batch[OBS_STATE].clone()
        predicted[:, :6] += change[:6] / torch.as_tensor(dataset_stats()[ACTION]["std"][:6]).float()
        commanded = postprocess(predicted)
        torch.testing.assert_close(commanded[0, :6], closure[:6] + offset + change[:6], atol=1e-5, rtol=0)


def test_absolute_angles_keep_statistics_of_their_own():
    config = small_config("softgrasp")
    floored = floor_statistics(config, dataset_stats())
    np.testing.assert_allclose(floored[OBS_STATE]["min"], dataset_stats()[OBS_STATE]["min"])


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_impossible_widths_are_refused(value):
    with pytest.raises(ValueError, match="closure_shift"):
        small_config("softgrasp", relative_angles=True, closure_shift=value)


def test_it_needs_relative_angles():
    with pytest.raises(ValueError, match="relative_angles"):
        small_config("softgrasp", closure_shift=0.1)
