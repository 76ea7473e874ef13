import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from softgrasp_plugin.policies.blur import BlurCurriculum
from softgrasp_plugin.policies.observation_config import ObservationConfig
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig


def test_blur_equals_torchvisions_away_from_the_border() -> None:
    images = torch.rand(2, 3, 40, 50)
    expected = gaussian_blur(images, [13, 13], [1.5, 1.5])
    blurred = BlurCurriculum(1.5, 10).train()(images)
    torch.testing.assert_close(blurred[..., 8:-8, 8:-8], expected[..., 8:-8, 8:-8], atol=1e-3, rtol=0)


def test_blur_keeps_a_plain_image_plain_up_to_the_border() -> None:
    images = torch.full((1, 3, 10, 12), 0.7)
    torch.testing.assert_close(BlurCurriculum(4.0, 10).train()(images), images)


def test_blur_falls_linearly_to_nothing() -> None:
    curriculum = BlurCurriculum(2.0, 4).train()
    images, sigmas, errors = torch.rand(1, 3, 24, 32), [], []
    for _ in range(6):
        sigmas.append(curriculum.sigma)
        errors.append((curriculum(images) - images).abs().mean().item())
        curriculum.advance()
    assert sigmas == pytest.approx([2.0, 1.5, 1.0, 0.5, 0.0, 0.0])
    assert errors == sorted(errors, reverse=True)
    assert errors[4] == 0


def test_blur_is_for_training_only() -> None:
    images = torch.rand(1, 3, 24, 32)
    assert BlurCurriculum(2.0, 4).eval()(images) is images


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image_blur_sigma": -1.0}, "image_blur_sigma must .*got -1"),
        ({"image_blur_sigma": 2.0, "image_blur_steps": 0}, "image_blur_steps"),
        ({"image_blur_sigma": 2.0, "modalities": ["angle"]}, "not among the modalities"),
    ],
)
def test_bad_fields_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SoftGraspConfig(device="cpu", **fields)


def test_the_curriculum_is_off_by_default() -> None:
    assert SoftGraspConfig(device="cpu").image_blur_sigma == ObservationConfig.image_blur_sigma == 0
