"""Which column of the action is predicted and learned as what, and when."""

import pytest
import torch
from lerobot.utils.constants import ACTION

from softgrasp_plugin.policies.example import make_example_batch

from .small import small_policy

ANGLES, TORQUES = slice(0, 6), slice(6, 12)


@pytest.mark.parametrize("policy_type", ["softgrasp", "softgrasp_timesformer"])
def test_each_head_has_its_own_columns_and_moment(policy_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = small_policy(policy_type, chunk_size=2, loss_factor=0.25)
    batch = make_example_batch(policy.config, 2)
    angles, torques = batch[ACTION][:, :-1, ANGLES], batch[ACTION][:, 1:, TORQUES]  # torques one moment later
    wrong = torch.full_like(angles, 0.1)
    monkeypatch.setattr(policy.model, "predict", lambda features: (angles, torques, {}))
    chunk = policy.predict_action_chunk({key: value for key, value in batch.items() if ACTION not in key})
    assert torch.equal(chunk[..., ANGLES], angles)
    assert torch.equal(chunk[..., TORQUES], torques)
    assert policy.forward(batch)[0] == 0
    monkeypatch.setattr(policy.model, "predict", lambda features: (angles + wrong, torques, {}))
    loss, logs = policy.forward(batch)
    assert logs["loss_torque"] == 0
    assert loss.item() == pytest.approx(0.75 * 0.5 * 0.1**2, rel=1e-4)
    monkeypatch.setattr(policy.model, "predict", lambda features: (angles, torques + wrong, {}))
    loss, logs = policy.forward(batch)
    assert logs["loss_angle"] == 0
    assert loss.item() == pytest.approx(0.25 * 0.5 * 0.1**2, rel=1e-4)


def test_act_learns_its_columns_at_their_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = small_policy("softgrasp_act", chunk_size=2)
    batch = make_example_batch(policy.config, 2)
    angles, torques = batch[ACTION][:, :-1, ANGLES], batch[ACTION][:, 1:, TORQUES]  # torques one moment later
    exact, latent = torch.cat([angles, torques], dim=-1), torch.zeros(2, policy.config.latent_dim)

    def learn(predicted: torch.Tensor) -> float:
        monkeypatch.setattr(policy.model, "forward", lambda inputs: (predicted, (latent, latent)))
        return float(policy.forward(batch)[0])

    assert learn(exact) == 0
    chunk = policy.predict_action_chunk({key: value for key, value in batch.items() if ACTION not in key})
    assert torch.equal(chunk, exact)
    swapped = torch.cat([exact[..., TORQUES], exact[..., ANGLES]], dim=-1)
    assert learn(swapped) == pytest.approx(float((swapped - exact).abs().mean()), rel=1e-5)
    for columns in (ANGLES, TORQUES):
        wrong = exact.clone()
        wrong[..., columns] += 0.1
        assert learn(wrong) == pytest.approx(0.05, rel=1e-4)
