"""That ACT is LeRobot's, what it is given, and what it learns."""

from pathlib import Path

import pytest
import torch
import torchvision
from lerobot.policies.act.modeling_act import ACT, ACTPolicy
from lerobot.utils.constants import ACTION
from torch import nn
from torchvision.ops.misc import FrozenBatchNorm2d

from softgrasp_plugin.policies.example import make_example_batch
from tests.policies.small import small_policy

TYPE = "softgrasp_act"


def test_the_network_is_lerobots_but_for_the_backbone() -> None:
    policy = small_policy(TYPE)
    assert type(policy.model) is ACT
    reference = ACTPolicy(policy.config.inner_config())
    ours = {name: value.shape for name, value in policy.model.state_dict().items()}
    theirs = {name: value.shape for name, value in reference.model.state_dict().items()}
    replaced = ("backbone.", "encoder_img_feat_input_proj.weight")
    assert {name for name in ours.items() ^ theirs.items() if not name[0].startswith(replaced)} == set()


def test_the_backbone_trains_from_random_weights() -> None:
    policy = small_policy(TYPE).train()
    assert not any(isinstance(module, FrozenBatchNorm2d) for module in policy.modules())
    assert any(isinstance(module, nn.GroupNorm) for module in policy.model.backbone.modules())
    policy.forward(make_example_batch(policy.config, 4))[0].backward()
    weights = [p for p in policy.model.backbone.parameters() if p.grad is not None and p.grad.abs().max() > 0]
    assert len(weights) == len(list(policy.model.backbone.parameters()))


def test_pretrained_weights_are_read_from_a_file_and_saved_with_the_policy(tmp_path: Path) -> None:
    torch.manual_seed(0)
    file = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), file)
    policy = small_policy(TYPE, pretrained_backbone_weights=str(file))
    assert not any(isinstance(module, nn.GroupNorm) for module in policy.modules())
    policy.save_pretrained(tmp_path / "policy")
    file.unlink()
    loaded = type(policy).from_pretrained(tmp_path / "policy")
    batch = make_example_batch(policy.config, 2, stacked=False)
    assert torch.equal(loaded.predict_action_chunk(batch), policy.predict_action_chunk(batch))


def test_torques_are_learned_one_moment_later_than_angles() -> None:
    policy = small_policy(TYPE)  # at inference the loss has no latent term
    batch = make_example_batch(policy.config, 2)
    batch[f"{ACTION}_is_pad"][1, 3:] = True  # sample 1 ends: three moments of angles, two of torques
    prediction = policy.predict_action_chunk(
        {key: value for key, value in batch.items() if ACTION not in key}
    )
    errors = []
    for sample, moments in ((0, 4), (1, 2)):
        for moment in range(moments):
            label = torch.cat([batch[ACTION][sample, moment, :6], batch[ACTION][sample, moment + 1, 6:]])
            errors.append((prediction[sample, moment] - label).abs().mean())
    loss, logs = policy.forward(batch)
    assert loss.item() == pytest.approx(torch.stack(errors).mean().item(), rel=1e-5)
    assert logs == {"l1_loss": pytest.approx(loss.item())}


def test_the_latent_term_is_lerobots() -> None:
    policy = small_policy(TYPE).train()
    loss, logs = policy.forward(make_example_batch(policy.config, 4))
    assert loss.item() == pytest.approx(
        logs["l1_loss"] + policy.config.kl_weight * logs["kld_loss"], rel=1e-5
    )


def test_all_twelve_columns_are_predicted_and_ensembled() -> None:
    policy = small_policy(TYPE, temporal_ensemble_coeff=0.1)
    policy.reset()
    frames = [make_example_batch(policy.config, 2, stacked=False, seed=tick) for tick in range(2)]
    chunks = [policy.predict_action_chunk(frame) for frame in frames]
    first, second = (policy.select_action(frame) for frame in frames)
    assert first.shape == (2, 12)
    torch.testing.assert_close(first, chunks[0][:, 0])
    weights = torch.exp(-0.1 * torch.arange(2.0))
    expected = (weights[0] * chunks[0][:, 1] + weights[1] * chunks[1][:, 0]) / weights.sum()
    torch.testing.assert_close(second, expected)
    assert policy.attention_scores == {}


def test_one_jitter_draw_per_sample() -> None:
    policy = small_policy(TYPE).train()
    torch.manual_seed(0)
    image = torch.full((3, 1, 3, 24, 32), 0.5)
    jittered = policy.frames(image)
    assert jittered.flatten(1).std(dim=1).max() < 1e-6, "one factor for a whole image"
    assert jittered.flatten(1).mean(1).std() > 1e-3, "another for each sample"
