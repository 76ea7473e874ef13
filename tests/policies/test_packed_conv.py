import copy

import pytest
import torch
from torch import Tensor, nn

from softgrasp_plugin.policies.backbone import make_resnet18
from softgrasp_plugin.policies.packed_conv import PackedConv2d, has_packing, pack_convolutions

needs_packing = pytest.mark.skipif(not has_packing(), reason="this PyTorch has no packed convolutions")


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(0)
    return torch.rand(1, 3, 75, 100)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("norm", ["group", "batch"])
def test_a_packed_network_computes_what_the_network_computes(
    images: Tensor, precision: torch.dtype, norm: str
) -> None:
    trunk = make_resnet18(4, norm, None).eval()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
        plain = trunk(images)  # gradients are recorded: nothing is packed
        assert not any(getattr(module, "_packed", None) for module in trunk.modules())
        with torch.no_grad():
            packed = trunk(images)
    assert packed.dtype is plain.dtype
    scale = plain.float().abs().max()
    tolerance = 1e-4 if precision is torch.float32 else 5e-2
    assert (packed.float() - plain.float()).abs().max() < tolerance * scale


@needs_packing
def test_weights_are_packed_once_and_again_only_when_they_change(
    images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    conv = PackedConv2d.of(nn.Conv2d(3, 8, 3, stride=2, padding=1)).eval()
    packings = []
    pack = PackedConv2d._pack
    monkeypatch.setattr(PackedConv2d, "_pack", lambda *args: packings.append(1) or pack(*args))
    with torch.no_grad():
        for _ in range(3):
            conv(images)
        assert len(packings) == 1
        conv.load_state_dict({"weight": torch.rand(8, 3, 3, 3), "bias": torch.rand(8)})
        torch.testing.assert_close(conv(images), conv._conv_forward(images, conv.weight, conv.bias))
        conv.bias += 1
        torch.testing.assert_close(conv(images), conv._conv_forward(images, conv.weight, conv.bias))
    assert len(packings) == 3


@needs_packing
def test_an_optimizer_step_is_seen(images: Tensor) -> None:
    conv = PackedConv2d.of(nn.Conv2d(3, 8, 3)).eval()
    optimizer = torch.optim.Adam(conv.parameters(), lr=0.1, fused=True)
    with torch.no_grad():
        before = conv(images)
    conv.train()(images).sum().backward()
    optimizer.step()
    with torch.no_grad():
        after = conv.eval()(images)
        torch.testing.assert_close(after, conv._conv_forward(images, conv.weight, conv.bias))
    assert (after - before).abs().max() > 0.01


def test_parameters_and_their_names_stay(images: Tensor) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.Conv2d(4, 4, 1, bias=False)))
    names, weight = list(network.state_dict()), network[0].weight
    pack_convolutions(network)
    assert list(network.state_dict()) == names
    assert network[0].weight is weight
    with torch.no_grad():
        expected = network.eval()(images)
        torch.testing.assert_close(copy.deepcopy(network)(images), expected)
    assert list(network.state_dict()) == names, "what is packed is not saved"
