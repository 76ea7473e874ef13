"""Angles predicted as a change from those measured now."""

import pytest
import torch
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.policies.example import make_example_batch

from .small import POLICIES, small_config, small_policy

pytestmark = pytest.mark.parametrize("policy_type", POLICIES)


def pair(policy_type):
    """The same weights, once with each kind of prediction."""
    absolute, relative = (small_policy(policy_type, relative_angles=kind) for kind in (False, True))
    relative.load_state_dict(absolute.state_dict())
    return absolute, relative


def test_the_measured_angles_are_added_to_every_predicted_moment_and_to_nothing_else(policy_type):
    absolute, relative = pair(policy_type)
    batch = make_example_batch(absolute.config, 3)
    measured = batch[OBS_STATE].view(3, -1, 12)[:, -1:, :6]
    change = relative.predict_action_chunk(batch) - absolute.predict_action_chunk(batch)
    torch.testing.assert_close(change[..., :6], measured.expand_as(change[..., :6]))
    torch.testing.assert_close(change[..., 6:], torch.zeros_like(change[..., 6:]))


def test_every_tick_adds_what_is_measured_then(policy_type):
    absolute, relative = pair(policy_type)
    absolute.reset()
    relative.reset()
    for seed in range(3):
        frame = make_example_batch(absolute.config, 2, stacked=False, seed=seed)
        change = relative.select_action(dict(frame)) - absolute.select_action(dict(frame))
        torch.testing.assert_close(change[:, :6], frame[OBS_STATE][:, :6])


def test_the_loss_compares_with_the_change(policy_type):
    """Moving the measured angles and the labels together leaves the loss of a blind network as it was."""
    _, relative = pair(policy_type)
    batch = make_example_batch(relative.config, 4)
    relative.eval()
    for encoder in relative.modules():
        if isinstance(encoder, torch.nn.Linear) and encoder.in_features in (6, 7):
            torch.nn.init.zeros_(encoder.weight)  # nothing of the joints reaches the network
    if policy_type == "softgrasp_act":
        torch.nn.init.zeros_(relative.model.encoder_robot_state_input_proj.weight)
    before = relative.forward(dict(batch))[0]
    moved = {key: value.clone() for key, value in batch.items()}
    moved[OBS_STATE][..., :6] += 0.3
    moved[ACTION][..., :6] += 0.3
    torch.testing.assert_close(relative.forward(moved)[0], before)
    moved[ACTION][..., :6] += 0.3
    assert not torch.isclose(relative.forward(moved)[0], before)


def test_it_needs_the_angles(policy_type):
    with pytest.raises(ValueError, match="relative_angles"):
        small_config(policy_type, modalities=["image", "torque"], relative_angles=True)
