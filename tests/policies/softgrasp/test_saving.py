"""Policies and processors written to disk and read back."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.utils.constants import ACTION, OBS_STATE
from safetensors.torch import load_file, save_file

from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS
from softgrasp_plugin.policies.softgrasp.example import make_example_batch
from softgrasp_plugin.policies.softgrasp.modeling_softgrasp import SoftGraspPolicy
from softgrasp_plugin.policies.softgrasp.processor_softgrasp import make_softgrasp_pre_post_processors

from .small import small_config, small_policy

WEIGHTS = "model.safetensors"
STUCK_CLOSURE, STUCK_TORQUE = STATE_KEYS.index("thumb_swing.pos"), STATE_KEYS.index("ring_bend_torque.pos")


def _stats() -> dict[str, dict[str, np.ndarray]]:
    """Statistics of demonstrations in which one joint stood still and one finger touched nothing."""
    low, high = np.zeros(12), np.r_[np.ones(6), np.full(6, 8.0)]
    low[STUCK_CLOSURE] = high[STUCK_CLOSURE] = 0.6
    high[STUCK_TORQUE] = 0.001
    vector = {"min": low, "max": high, "mean": (low + high) / 2, "std": (high - low) / 4}
    image = {name: np.full((3, 1, 1), value) for name, value in (("min", 0.0), ("max", 1.0))}
    return {OBS_STATE: vector, ACTION: dict(vector), IMAGE_FEATURE: image}


def test_lerobot_finds_the_policy_by_name() -> None:
    assert get_policy_class("softgrasp") is SoftGraspPolicy


def test_outputs_survive_save_and_load_to_the_bit(tmp_path: Path) -> None:
    policy = small_policy(chunk_size=3)
    policy.save_pretrained(tmp_path)
    loaded = SoftGraspPolicy.from_pretrained(tmp_path)
    assert loaded.config == policy.config
    assert not loaded.training
    batch = make_example_batch(policy.config, 2)
    assert torch.equal(loaded.predict_action_chunk(batch), policy.predict_action_chunk(batch))


@pytest.mark.parametrize("damage", ["missing", "unexpected"])
def test_weights_that_do_not_fit_are_an_error(tmp_path: Path, damage: str) -> None:
    small_policy().save_pretrained(tmp_path)
    weights = load_file(tmp_path / WEIGHTS)
    if damage == "missing":
        del weights["model.fusion.query.weight"]
    else:
        weights["model.fusion.extra.weight"] = torch.zeros(1)
    save_file(weights, tmp_path / WEIGHTS)
    with pytest.raises(RuntimeError, match=rf"{damage} \['model\.fusion"):
        SoftGraspPolicy.from_pretrained(tmp_path)
    SoftGraspPolicy.from_pretrained(tmp_path, strict=False)


def test_another_architecture_is_an_error(tmp_path: Path) -> None:
    small_policy().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"modalities": ["image", "angle"]}))
    with pytest.raises(RuntimeError):
        SoftGraspPolicy.from_pretrained(tmp_path)


def test_a_checkpoint_does_not_need_the_pretrained_backbone_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    backbone_file = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), backbone_file)
    policy = small_policy(pretrained_backbone_weights=str(backbone_file))
    policy.save_pretrained(tmp_path / "policy")
    backbone_file.unlink()
    loaded = SoftGraspPolicy.from_pretrained(tmp_path / "policy")
    batch = make_example_batch(policy.config, 2)
    assert torch.equal(loaded.predict_action_chunk(batch), policy.predict_action_chunk(batch))


def test_processors_survive_save_and_load_to_the_bit(tmp_path: Path) -> None:
    config = small_config()
    preprocessor, postprocessor = make_softgrasp_pre_post_processors(config, _stats())
    preprocessor.save_pretrained(tmp_path)
    postprocessor.save_pretrained(tmp_path)
    loaded_pre, loaded_post = make_pre_post_processors(config, pretrained_path=str(tmp_path))
    batch = make_example_batch(config, 2)
    for key, value in preprocessor(dict(batch)).items():
        if isinstance(value, torch.Tensor):
            assert torch.equal(loaded_pre(dict(batch))[key], value), key
    action = torch.rand(2, 12)
    assert torch.equal(loaded_post(action.clone()), postprocessor(action.clone()))


def test_a_joint_that_stood_still_in_training_does_not_explode(tmp_path: Path) -> None:
    config = small_config()
    for processor in make_softgrasp_pre_post_processors(config, _stats()):
        processor.save_pretrained(tmp_path)
    preprocessor, postprocessor = make_pre_post_processors(config, pretrained_path=str(tmp_path))
    state = torch.zeros(1, 12)
    state[0, STUCK_CLOSURE], state[0, STUCK_TORQUE] = 0.61, 0.1
    normalised = preprocessor({OBS_STATE: state, IMAGE_FEATURE: torch.rand(1, 3, 24, 32)})[OBS_STATE]
    assert normalised[0, STUCK_CLOSURE].item() == pytest.approx(2 * 0.01 / config.min_closure_range, rel=1e-4)
    assert normalised[0, STUCK_TORQUE].item() == pytest.approx(
        2 * 0.0995 / config.min_torque_range_n, rel=1e-4
    )
    action = postprocessor(torch.zeros(1, 12))
    assert action[0, STUCK_CLOSURE].item() == pytest.approx(0.6)
    assert action[0, STUCK_TORQUE].item() == pytest.approx(0.0005, abs=1e-6)


def test_moving_joints_keep_their_range_and_images_pass_untouched() -> None:
    preprocessor, _ = make_softgrasp_pre_post_processors(small_config(), _stats())
    images = torch.rand(1, 3, 24, 32)
    output = preprocessor({OBS_STATE: torch.full((1, 12), 0.25), IMAGE_FEATURE: images})
    assert output[OBS_STATE][0, 0].item() == pytest.approx(-0.5)
    assert output[OBS_STATE][0, 6].item() == pytest.approx(2 * 0.25 / 8 - 1)
    assert torch.equal(output[IMAGE_FEATURE], images)
