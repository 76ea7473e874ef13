"""The network's sense of time and place, and its cache at inference."""

import pytest
import torch
from lerobot.utils.constants import OBS_STATE
from torch import Tensor

from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies import precision
from softgrasp_plugin.policies.example import make_example_batch
from softgrasp_plugin.policies.modalities import MODALITIES
from tests.policies.small import small_policy

TYPE = "softgrasp_timesformer"
NUM_TICKS = 14


@pytest.mark.parametrize("modality", MODALITIES)
def test_output_depends_on_the_direction_of_time(modality: str) -> None:
    policy = small_policy(TYPE, modalities=[modality])
    batch = make_example_batch(policy.config, 2)
    key = IMAGE_FEATURE if modality == "image" else OBS_STATE
    forwards = policy.predict_action_chunk(batch)
    backwards = policy.predict_action_chunk(batch | {key: batch[key].flip(1)})
    assert (forwards - backwards).abs().max() > 1e-5


def test_output_depends_on_where_a_patch_is() -> None:
    policy = small_policy(TYPE, modalities=["image"])
    batch = make_example_batch(policy.config, 2)
    mirrored = torch.cat(batch[IMAGE_FEATURE].split(8, dim=-1)[::-1], dim=-1)  # the same patches elsewhere
    before = policy.predict_action_chunk(batch)
    assert (policy.predict_action_chunk(batch | {IMAGE_FEATURE: mirrored}) - before).abs().max() > 1e-5


def test_every_parameter_learns() -> None:
    policy = small_policy(TYPE).train()
    policy.forward(make_example_batch(policy.config, 4))[0].backward()
    still = [name for name, parameter in policy.named_parameters() if not parameter.grad.abs().max() > 0]
    assert still == []


def test_the_loss_is_the_papers() -> None:
    policy = small_policy(TYPE, loss_factor=0.25)
    loss, logs = policy.forward(make_example_batch(policy.config, 3))
    assert set(logs) == {"loss_angle", "loss_torque"}
    assert loss.item() == pytest.approx(0.75 * logs["loss_angle"] + 0.25 * logs["loss_torque"])  # Eq. (7)


def _episode(policy: torch.nn.Module, seed: int) -> list[dict[str, Tensor]]:
    return [
        make_example_batch(policy.config, 2, stacked=False, seed=100 * seed + tick)
        for tick in range(NUM_TICKS)
    ]


def test_cached_equals_uncached_over_episodes_and_frames_are_embedded_once() -> None:
    policy = small_policy(TYPE)
    embedded: list[int] = []
    hook = policy.model.encoders["image"].register_forward_hook(
        lambda _module, inputs, _output: embedded.append(len(inputs[0]))
    )
    for seed in range(2):  # the second episode must not remember the first
        policy.reset()
        frames = _episode(policy, seed)
        cached = [policy.select_action(frame) for frame in frames]
        assert embedded == [2] * NUM_TICKS
        for tick, action in enumerate(cached):
            ticks = [max(0, tick + delta) for delta in policy.config.observation_delta_indices]
            stack = {key: torch.stack([frames[at][key] for at in ticks], dim=1) for key in frames[0]}
            torch.testing.assert_close(action, policy.predict_action_chunk(stack)[:, 0])
        embedded.clear()
    hook.remove()
    assert policy.attention_scores == {}


def test_bfloat16_blocks_stay_close_and_give_float32_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_cpu_has_bfloat16", lambda: True)  # elsewhere it is emulated
    policy = small_policy(TYPE)
    batch = make_example_batch(policy.config, 2)
    exact = policy.predict_action_chunk(batch)
    policy.config.use_amp = True
    coarse = policy.predict_action_chunk(batch)
    assert coarse.dtype == torch.float32
    assert not torch.equal(coarse, exact)
    torch.testing.assert_close(coarse, exact, atol=0.02, rtol=0.05)
