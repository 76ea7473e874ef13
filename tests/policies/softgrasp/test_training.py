"""Loss, gradients and invariances of `SoftGraspPolicy.forward`."""

from itertools import combinations

import pytest
import torch
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies.modalities import MODALITIES
from softgrasp_plugin.policies.softgrasp.example import make_example_batch

from .small import small_config, small_policy

ALL_SETS = [list(chosen) for size in (1, 2, 3) for chosen in combinations(MODALITIES, size)]
PAD = f"{ACTION}_is_pad"


@pytest.mark.parametrize("fusion", ["attention", "concat"])
@pytest.mark.parametrize("modalities", ALL_SETS, ids="+".join)
def test_every_parameter_learns_in_every_ablation(modalities: list[str], fusion: str) -> None:
    policy = small_policy(modalities=modalities, fusion=fusion).train()
    loss, _ = policy(make_example_batch(policy.config, 4))
    loss.backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert set(policy.model.encoders) == set(modalities)


@pytest.mark.parametrize("chunk_size", [1, 4])
def test_loss_equals_the_papers_by_hand(chunk_size: int) -> None:
    policy = small_policy(
        chunk_size=chunk_size, huber_delta_angle=0.3, huber_delta_torque=0.1, loss_factor=0.25
    )
    batch = make_example_batch(policy.config, 3)
    batch[PAD][0, -1] = True  # the last torque moment of sample 0 lies behind the end
    batch[PAD][1, 1:] = True  # sample 1 is the last frame: one angle moment at most, no torque
    prediction = policy.predict_action_chunk(batch)

    def huber(error: float, delta: float) -> float:  # Eqs. (5) and (6)
        return 0.5 * error**2 if abs(error) <= delta else delta * (abs(error) - 0.5 * delta)

    angle_terms, torque_terms = [], []
    for sample in range(3):
        for moment in range(chunk_size):
            for joint in range(6):
                guess = prediction[sample, moment]
                if not batch[PAD][sample, moment]:
                    error = (guess[joint] - batch[ACTION][sample, moment, joint]).item()
                    angle_terms.append(huber(error, 0.3))
                if not batch[PAD][sample, moment + 1]:
                    error = (guess[6 + joint] - batch[ACTION][sample, moment + 1, 6 + joint]).item()
                    torque_terms.append(huber(error, 0.1))
    loss_angle, loss_torque = (sum(terms) / len(terms) for terms in (angle_terms, torque_terms))

    loss, logs = policy(batch)
    assert logs["loss_angle"] == pytest.approx(loss_angle, rel=1e-4)
    assert logs["loss_torque"] == pytest.approx(loss_torque, rel=1e-4)
    assert loss.item() == pytest.approx(0.75 * loss_angle + 0.25 * loss_torque, rel=1e-4)  # Eq. (7)


def test_padded_moments_do_not_change_the_loss() -> None:
    policy = small_policy(chunk_size=3)
    batch = make_example_batch(policy.config, 2)
    batch[PAD][:, 2:] = True
    before, _ = policy(batch)
    batch[ACTION][:, 2:] += 100
    assert policy(batch)[0] == before


def test_a_batch_without_any_torque_label_has_a_finite_loss() -> None:
    policy = small_policy()
    batch = make_example_batch(policy.config, 2)
    batch[PAD][:, 1] = True
    loss, logs = policy(batch)
    assert torch.isfinite(loss)
    assert logs["loss_torque"] == 0


def test_one_loss_per_sample_on_request() -> None:
    policy = small_policy()
    batch = make_example_batch(policy.config, 4)
    per_sample, _ = policy(batch, reduction="none")
    assert per_sample.shape == (4,)
    torch.testing.assert_close(per_sample.mean(), policy(batch)[0])


def test_attention_is_logged_by_name_and_sums_to_one() -> None:
    policy = small_policy()
    _, logs = policy(make_example_batch(policy.config, 4))
    assert sum(logs[f"attention_{name}"] for name in MODALITIES) == pytest.approx(1)
    _, logs = small_policy(fusion="concat")(make_example_batch(policy.config, 4))
    assert set(logs) == {"loss_angle", "loss_torque"}


def test_output_does_not_depend_on_the_place_in_the_batch() -> None:
    policy = small_policy()
    batch = make_example_batch(policy.config, 6)
    whole = policy.predict_action_chunk(batch)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    shuffled = policy.predict_action_chunk({key: value[order] for key, value in batch.items()})
    torch.testing.assert_close(shuffled, whole[order])
    alone = policy.predict_action_chunk({key: value[4:5] for key, value in batch.items()})
    torch.testing.assert_close(alone, whole[4:5])


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("fusion", ["attention", "concat"])
def test_output_depends_on_the_direction_of_time(modality: str, fusion: str) -> None:
    policy = small_policy(modalities=[modality], fusion=fusion)
    batch = make_example_batch(policy.config, 2)
    key = IMAGE_FEATURE if modality == "image" else OBS_STATE
    forwards = policy.predict_action_chunk(batch)
    backwards = policy.predict_action_chunk(batch | {key: batch[key].flip(1)})
    assert (forwards - backwards).abs().max() > 1e-4


def test_joint_columns_are_read_and_written_by_name() -> None:
    policy = small_policy()
    batch = make_example_batch(policy.config, 2)
    expected = policy.predict_action_chunk(batch)
    shuffle = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    place = torch.argsort(shuffle)  # where each old column went
    other = small_config()
    for name in ("state_angle", "state_torque", "action_angle", "action_torque"):
        setattr(other, f"{name}_columns", place[getattr(other, f"{name}_columns")].tolist())
    policy.config = other
    shuffled = policy.predict_action_chunk(batch | {OBS_STATE: batch[OBS_STATE][..., shuffle]})
    torch.testing.assert_close(shuffled, expected[..., shuffle])


def test_augmentation_happens_in_training_only() -> None:
    policy = small_policy()
    batch = make_example_batch(policy.config, 2)
    assert policy(batch)[0] == policy(batch)[0]
    policy.train()
    assert policy(batch)[0] != policy(batch)[0]


def test_wild_inputs_stay_bounded() -> None:
    policy = small_policy()
    batch = make_example_batch(policy.config, 2)
    wild = policy.predict_action_chunk(batch | {OBS_STATE: batch[OBS_STATE].sign() * 1e8})
    at_the_bound = policy.predict_action_chunk(batch | {OBS_STATE: batch[OBS_STATE].sign() * 10})
    torch.testing.assert_close(wild, at_the_bound)
