"""What holds for every policy of the plugin, whatever its network."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE
from safetensors.torch import load_file, save_file
from torch import Tensor

from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS
from softgrasp_plugin.policies.example import example_features, make_example_batch
from softgrasp_plugin.policies.modalities import MODALITIES

from .small import POLICIES, small_config, small_policy

ALL_SETS = [list(chosen) for size in (1, 2, 3) for chosen in combinations(MODALITIES, size)]
WEIGHTS = "model.safetensors"
STUCK = STATE_KEYS.index("thumb_swing.pos")

pytestmark = pytest.mark.parametrize("policy_type", POLICIES)


def _chunk(policy: torch.nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return policy.predict_action_chunk({key: value for key, value in batch.items() if ACTION not in key})


def test_lerobot_finds_it_by_name(policy_type: str) -> None:
    assert get_policy_class(policy_type).name == policy_type
    assert PreTrainedConfig.get_choice_class(policy_type)(device="cpu").type == policy_type


@pytest.mark.parametrize("modalities", ALL_SETS, ids="+".join)
def test_what_is_left_out_creates_no_parameter_and_is_not_read(
    policy_type: str, modalities: list[str]
) -> None:
    policy = small_policy(policy_type, modalities=modalities)
    batch = make_example_batch(policy.config, 3)
    assert (IMAGE_FEATURE in batch) == ("image" in modalities)
    policy.train()
    policy.forward(batch)[0].backward()
    untrained = [name for name, parameter in policy.named_parameters() if parameter.grad is None]
    assert untrained == []
    assert _chunk(policy, batch).shape == (3, policy.config.chunk_size, 12)


@pytest.mark.parametrize("modality", ["angle", "torque"])
def test_each_joint_modality_reads_its_own_columns(policy_type: str, modality: str) -> None:
    policy = small_policy(policy_type, modalities=["image", modality])
    batch = make_example_batch(policy.config, 2)
    before = _chunk(policy, batch)
    own = {"angle": range(6), "torque": range(6, 12)}[modality]
    for column in range(12):
        state = batch[OBS_STATE].clone()
        state[..., column] += 1
        changes = not torch.equal(_chunk(policy, batch | {OBS_STATE: state}), before)
        assert changes == (column in own), column


def test_the_default_modalities_are_those_of_the_papers_table_6(policy_type: str) -> None:
    config = PreTrainedConfig.get_choice_class(policy_type)(device="cpu")
    sees_torque = policy_type != "softgrasp_act"
    assert config.modalities == ["image", "angle"] + ["torque"] * sees_torque


def test_output_does_not_depend_on_the_place_in_the_batch(policy_type: str) -> None:
    policy = small_policy(policy_type)
    batch = make_example_batch(policy.config, 5)
    whole = _chunk(policy, batch)
    order = torch.tensor([3, 0, 1, 4, 2])
    shuffled = _chunk(policy, {key: value[order] for key, value in batch.items()})
    torch.testing.assert_close(shuffled, whole[order])
    torch.testing.assert_close(_chunk(policy, {key: value[4:] for key, value in batch.items()}), whole[4:])


def test_state_columns_are_found_by_name(policy_type: str) -> None:
    policy = small_policy(policy_type)
    batch = make_example_batch(policy.config, 2)
    expected = _chunk(policy, batch)
    shuffle = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    features = example_features()
    features[OBS_STATE]["names"] = [STATE_KEYS[column] for column in shuffle]
    policy.config.set_dataset_feature_metadata(features)
    shuffled = _chunk(policy, batch | {OBS_STATE: batch[OBS_STATE][..., shuffle]})
    torch.testing.assert_close(shuffled, expected)


def test_wild_inputs_stay_bounded(policy_type: str) -> None:
    policy = small_policy(policy_type)
    batch = make_example_batch(policy.config, 2)
    wild = _chunk(policy, batch | {OBS_STATE: batch[OBS_STATE].sign() * 1e8})
    at_the_bound = _chunk(policy, batch | {OBS_STATE: batch[OBS_STATE].sign() * 10})
    torch.testing.assert_close(wild, at_the_bound)


def test_images_are_resized_inside(policy_type: str) -> None:
    policy = small_policy(policy_type, height=48, width=64)
    batch = make_example_batch(policy.config, 2)
    small = torch.nn.functional.interpolate(
        batch[IMAGE_FEATURE].flatten(0, -4), size=(24, 32), mode="bilinear", antialias=True
    ).unflatten(0, batch[IMAGE_FEATURE].shape[:-3])
    torch.testing.assert_close(_chunk(policy, batch | {IMAGE_FEATURE: small}), _chunk(policy, batch))


def test_outputs_survive_save_and_load_to_the_bit(policy_type: str, tmp_path: Path) -> None:
    policy = small_policy(policy_type)
    policy.save_pretrained(tmp_path)
    loaded = get_policy_class(policy_type).from_pretrained(tmp_path)
    assert loaded.config == policy.config
    assert not loaded.training
    batch = make_example_batch(policy.config, 2)
    assert torch.equal(_chunk(loaded, batch), _chunk(policy, batch))


@pytest.mark.parametrize("damage", ["missing", "unexpected"])
def test_weights_that_do_not_fit_are_an_error(policy_type: str, damage: str, tmp_path: Path) -> None:
    small_policy(policy_type).save_pretrained(tmp_path)
    weights = load_file(tmp_path / WEIGHTS)
    if damage == "missing":
        weights.popitem()
    else:
        weights["model.extra.weight"] = torch.zeros(1)
    save_file(weights, tmp_path / WEIGHTS)
    policy_class = get_policy_class(policy_type)
    with pytest.raises(RuntimeError, match=rf"{damage} \['model\."):
        policy_class.from_pretrained(tmp_path)
    policy_class.from_pretrained(tmp_path, strict=False)


def test_a_joint_that_stood_still_in_training_does_not_explode(policy_type: str, tmp_path: Path) -> None:
    config = small_config(policy_type)
    low, high = np.zeros(12), np.r_[np.ones(6), np.full(6, 8.0)]
    low[STUCK] = high[STUCK] = 0.6
    vector = {"min": low, "max": high, "mean": (low + high) / 2, "std": (high - low) / 4}
    image = {name: np.full((3, 1, 1), value) for name, value in (("mean", 0.5), ("std", 0.1))}
    stats = {OBS_STATE: vector, ACTION: dict(vector), IMAGE_FEATURE: image}
    for processor in make_pre_post_processors(config, dataset_stats=stats):
        processor.save_pretrained(tmp_path)
    preprocessor, postprocessor = make_pre_post_processors(config, pretrained_path=str(tmp_path))
    state, images = torch.full((1, 12), 0.61), torch.rand(1, 3, 24, 32)
    normalised = preprocessor({OBS_STATE: state, IMAGE_FEATURE: images})
    assert normalised[OBS_STATE].shape == (1, 12)
    assert abs(normalised[OBS_STATE][0, STUCK]) < 0.5
    assert torch.equal(normalised[IMAGE_FEATURE], images)
    assert postprocessor(torch.zeros(1, 12))[0, STUCK].item() == pytest.approx(0.6)


def test_augmentation_happens_in_training_only(policy_type: str) -> None:
    # Without dropout and latent noise nothing but the augmentation is random.
    quiet = {"dropout": 0.0, "use_vae": False} if policy_type == "softgrasp_act" else {}
    policy = small_policy(policy_type, **quiet)
    batch = make_example_batch(policy.config, 2)
    assert policy.forward(batch)[0] == policy.forward(batch)[0]
    policy.train()
    assert policy.forward(batch)[0] != policy.forward(batch)[0]


def test_the_blur_curriculum_is_resumed_where_it_was_saved(policy_type: str, tmp_path: Path) -> None:
    policy = small_policy(policy_type, image_blur_sigma=3.0, image_blur_steps=10)
    for _ in range(4):
        policy.update()
    policy.save_pretrained(tmp_path)
    loaded = get_policy_class(policy_type).from_pretrained(tmp_path)
    (blur,) = [module for module in loaded.modules() if type(module).__name__ == "BlurCurriculum"]
    assert blur.sigma == pytest.approx(3.0 * 6 / 10)


def test_the_blur_curriculum_is_off_at_inference_and_leaves_no_trace_when_off(policy_type: str) -> None:
    blurred, plain = small_policy(policy_type, image_blur_sigma=3.0), small_policy(policy_type)
    plain.update()
    assert set(blurred.state_dict()) - set(plain.state_dict()) == {
        f"{'' if policy_type == 'softgrasp_act' else 'model.'}frames.blur.step"
    }
    batch = make_example_batch(plain.config, 2)
    assert torch.equal(_chunk(blurred, batch), _chunk(plain, batch))
    seen = []
    blurred.get_submodule(
        "frames" if policy_type == "softgrasp_act" else "model.frames"
    ).register_forward_hook(lambda _module, _inputs, frames: seen.append(frames))
    _chunk(blurred, batch)
    blurred.train()
    blurred.forward(batch)
    contrast = [frames.diff(dim=-1).abs().mean().item() for frames in seen]
    assert contrast[1] < 0.5 * contrast[0]
