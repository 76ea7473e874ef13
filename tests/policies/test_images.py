import torch

from softgrasp_plugin.pictures import resize
from softgrasp_plugin.policies.images import StackColorJitter


def test_resizing_averages_instead_of_skipping_pixels() -> None:
    stripes = torch.zeros(1, 3, 40, 40)
    stripes[..., ::2] = 1
    interior = resize(stripes, (10, 10))[..., 2:-2]
    assert (interior - 0.5).abs().max() < 0.05


def test_images_of_the_right_size_are_not_touched() -> None:
    images = torch.rand(1, 3, 10, 12)
    assert resize(images, (10, 12)) is images


def test_jitter_is_one_draw_per_stack_and_differs_between_stacks() -> None:
    torch.manual_seed(0)
    jitter = StackColorJitter(0.2, 0.02, 0.02).train()
    frame = torch.rand(1, 1, 3, 8, 8) * 0.5
    jittered = jitter(frame.expand(4, 3, 3, 8, 8))
    assert torch.equal(jittered[:, 0], jittered[:, 1])
    assert torch.equal(jittered[:, 0], jittered[:, 2])
    assert not torch.allclose(jittered[0], jittered[1], atol=1e-3)


def test_jitter_stays_within_its_strength_and_the_image_range() -> None:
    jitter = StackColorJitter(0.2, 0.0, 0.0).train()
    jittered = jitter(torch.full((100, 1, 3, 2, 2), 0.5))
    assert jittered.min() >= 0.4
    assert jittered.max() <= 0.6
    assert jittered.std() > 0.03
    assert jitter(torch.ones(100, 1, 3, 2, 2)).max() <= 1


def test_no_jitter_at_inference() -> None:
    images = torch.rand(2, 3, 3, 4, 4)
    assert torch.equal(StackColorJitter(0.2, 0.02, 0.02).eval()(images), images)
