import math

import pytest
import torch

from softgrasp_plugin.policies import precision
from softgrasp_plugin.policies.joint_encoders import PerJointEncoder, make_joint_encoder
from softgrasp_plugin.policies.softgrasp.encoders import ImageEncoder, sinusoidal_encoding


def test_per_joint_encoder_is_the_average_of_an_mlp_over_value_and_one_hot() -> None:
    encoder = PerJointEncoder(feature_dim=16)
    values = torch.randn(3, 6)
    elements = torch.cat([values.unsqueeze(-1), torch.eye(6).expand(3, 6, 6)], dim=-1)
    mlp = torch.nn.Sequential(encoder.hidden, torch.nn.ReLU(), encoder.output)
    torch.testing.assert_close(encoder(values), mlp(elements).mean(1))


@pytest.mark.parametrize("kind", ["per_joint", "flat"])
def test_joint_encoders_tell_joints_apart(kind: str) -> None:
    encoder = make_joint_encoder(kind, 16)
    values = torch.tensor([[0.9, 0.1, 0.0, 0.0, 0.0, 0.0]])
    assert not torch.allclose(encoder(values), encoder(values[:, [1, 0, 2, 3, 4, 5]]))


def test_time_encoding_has_sines_and_cosines_of_the_step() -> None:
    encoding = sinusoidal_encoding(num_steps=3, width=5)
    torch.testing.assert_close(encoding[0], torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]))
    assert encoding[2, 0].item() == pytest.approx(math.sin(2))
    assert encoding[2, 1].item() == pytest.approx(math.cos(2))


def test_image_weights_are_contiguous_in_training_and_channels_last_at_inference() -> None:
    encoder = ImageEncoder(8, stages=1, norm="group", weights=None, use_amp=False)
    convolution = encoder.backbone[4][0].conv1.weight
    images = torch.rand(2, 3, 24, 32)
    assert convolution.is_contiguous()
    trained = encoder(images)
    encoder.eval()
    assert convolution.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(encoder(images), trained)
    encoder.train()
    assert convolution.is_contiguous()


def test_bfloat16_convolutions_stay_close_and_give_float32_features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_cpu_has_bfloat16", lambda: True)  # elsewhere it is emulated
    torch.manual_seed(0)
    encoder = ImageEncoder(8, stages=1, norm="group", weights=None, use_amp=False)
    images = torch.rand(2, 3, 24, 32)
    exact = encoder(images)
    encoder.use_amp = True
    feature = encoder(images)
    assert feature.dtype == torch.float32
    assert not torch.equal(feature, exact)
    torch.testing.assert_close(feature, exact, atol=0.05, rtol=0.05)
