"""`select_action` over episodes: the feature cache, chunks, temporal ensembling, attention scores."""

import pytest
import torch
from lerobot.utils.constants import ACTION
from torch import Tensor

from softgrasp_plugin.policies.softgrasp.example import make_example_batch
from softgrasp_plugin.policies.softgrasp.modeling_softgrasp import SoftGraspPolicy

from .small import small_policy

NUM_TICKS = 25


def _episode(policy: SoftGraspPolicy, batch_size: int, seed: int) -> list[dict[str, Tensor]]:
    return [
        make_example_batch(policy.config, batch_size, stacked=False, seed=100 * seed + tick)
        for tick in range(NUM_TICKS)
    ]


def _uncached_chunk(policy: SoftGraspPolicy, frames: list[dict[str, Tensor]], tick: int) -> Tensor:
    """The chunk predicted from whole images, with the stack as LeRobot's dataset clamps it to the episode."""
    ticks = [max(0, tick + delta) for delta in policy.config.observation_delta_indices]
    stack = {key: torch.stack([frames[at][key] for at in ticks], dim=1) for key in frames[0]}
    return policy.predict_action_chunk(stack)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("modalities", [["image", "angle", "torque"], ["image"], ["angle", "torque"]])
def test_cached_equals_uncached_over_episodes(batch_size: int, modalities: list[str]) -> None:
    policy = small_policy(modalities=modalities)
    for seed in range(2):  # the second episode must not remember the first
        policy.reset()
        frames = _episode(policy, batch_size, seed)
        cached = [policy.select_action(frame) for frame in frames]
        for tick, action in enumerate(cached):
            torch.testing.assert_close(action, _uncached_chunk(policy, frames, tick)[:, 0])


def test_each_frame_is_encoded_once() -> None:
    policy = small_policy()
    encoded = []
    policy.model.encoders["image"].register_forward_hook(
        lambda _m, inputs, _o: encoded.append(len(inputs[0]))
    )
    for frame in _episode(policy, 2, 0):
        policy.select_action(frame)
    assert encoded == [2] * NUM_TICKS


def test_frames_are_remembered_while_a_chunk_is_executed() -> None:
    policy = small_policy(chunk_size=6, n_action_steps=4)
    policy.reset()
    frames = _episode(policy, 2, 0)
    for tick, frame in enumerate(frames):
        action = policy.select_action(frame)
        if tick % 4 == 0:
            state = torch.get_rng_state()
            chunk = _uncached_chunk(policy, frames, tick)
            assert torch.equal(state, torch.get_rng_state())
        torch.testing.assert_close(action, chunk[:, tick % 4])


def test_temporal_ensembling_averages_what_was_predicted_for_this_tick() -> None:
    coefficient = 0.1
    policy = small_policy(chunk_size=4, temporal_ensemble_coeff=coefficient)
    for seed in range(2):
        policy.reset()
        frames = _episode(policy, 2, seed)
        actions = [policy.select_action(frame) for frame in frames]
        for tick, action in enumerate(actions):
            starts = range(max(0, tick - 3), tick + 1)  # oldest prediction first, the heaviest
            guesses = torch.stack(
                [_uncached_chunk(policy, frames, start)[:, tick - start] for start in starts]
            )
            weights = torch.exp(-coefficient * torch.arange(len(starts)))
            expected = (guesses * weights.view(-1, 1, 1)).sum(0) / weights.sum()
            torch.testing.assert_close(action, expected)


def test_a_lone_frame_is_the_first_of_an_episode() -> None:
    policy = small_policy()
    frame = make_example_batch(policy.config, 2, stacked=False)
    policy.reset()
    torch.testing.assert_close(policy.predict_action_chunk(frame)[:, 0], policy.select_action(frame))


def test_attention_scores_have_names_and_sum_to_one() -> None:
    policy = small_policy(modalities=["torque", "image"])
    assert policy.attention_scores == {}
    policy.select_action(make_example_batch(policy.config, 3, stacked=False))
    assert list(policy.attention_scores) == ["image", "torque"]
    torch.testing.assert_close(sum(policy.attention_scores.values()), torch.ones(3))
    policy.reset()
    assert policy.attention_scores == {}


@pytest.mark.parametrize("looked_at", ["image", "angle", "torque"])
def test_attention_goes_to_the_modality_that_is_looked_at(looked_at: str) -> None:
    policy = small_policy(num_heads=1)
    names = policy.config.modalities
    tokens = torch.zeros(1, 3, policy.config.token_dim)
    tokens[0, :, -1] = 1  # every token asks the same …
    tokens[0, names.index(looked_at), 0] = 1  # … and one of them answers
    with torch.no_grad():
        for layer in (policy.model.fusion.query, policy.model.fusion.key):
            layer.weight.zero_()
        policy.model.fusion.query.weight[0, -1] = 100
        policy.model.fusion.key.weight[0, 0] = 100
        policy.model.time_encoding.zero_()
    features = {name: token.view(1, 3, -1) for name, token in zip(names, tokens.squeeze(0), strict=True)}
    _, _, scores = policy.model.predict(features)
    assert scores[looked_at].item() == pytest.approx(1, abs=1e-3)


def test_direct_connection_has_no_attention() -> None:
    policy = small_policy(fusion="concat")
    action = policy.select_action(make_example_batch(policy.config, 2, stacked=False))
    assert action.shape == (2, policy.config.output_features[ACTION].shape[0])
    assert policy.attention_scores == {}
