from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from softgrasp_plugin.policies.backbone import make_resnet18


@pytest.fixture(scope="module")
def pretrained() -> nn.Module:
    """A ResNet-18 whose batch statistics are not the initial ones."""
    torch.manual_seed(0)
    resnet = torchvision.models.resnet18()
    with torch.no_grad():
        for module in resnet.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
    return resnet.eval()


def _trunk(resnet: nn.Module, images: torch.Tensor) -> torch.Tensor:
    for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"):
        images = getattr(resnet, name)(images)
    return images


@pytest.mark.parametrize("norm", ["frozen", "batch"])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_local_file_gives_the_pretrained_network(
    pretrained: nn.Module, tmp_path: Path, norm: str, suffix: str
) -> None:
    path = tmp_path / f"resnet18{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(pretrained.state_dict(), path)
    backbone = make_resnet18(4, norm, str(path)).eval()
    images = torch.rand(2, 3, 40, 48)
    torch.testing.assert_close(backbone(images), _trunk(pretrained, images), atol=1e-4, rtol=1e-4)


def test_frozen_batch_norm_is_folded_and_the_convolutions_train(
    pretrained: nn.Module, tmp_path: Path
) -> None:
    torch.save(pretrained.state_dict(), tmp_path / "resnet18.pth")
    backbone = make_resnet18(4, "frozen", str(tmp_path / "resnet18.pth"))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in backbone.modules())
    images = torch.rand(1, 3, 40, 48)
    torch.testing.assert_close(backbone.train()(images), backbone.eval()(images))
    trained = {name for name, parameter in backbone.named_parameters() if parameter.requires_grad}
    assert trained == {name for name, _ in backbone.named_parameters() if name.endswith("weight")}


def test_a_file_without_the_classifier_is_enough(pretrained: nn.Module, tmp_path: Path) -> None:
    trunk = {name: value for name, value in pretrained.state_dict().items() if not name.startswith("fc.")}
    torch.save(trunk, tmp_path / "trunk.pth")
    make_resnet18(4, "batch", str(tmp_path / "trunk.pth"))


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="does not hold a torchvision ResNet-18"):
        make_resnet18(4, "batch", str(tmp_path / "other.pth"))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="neither a file nor a torchvision weights name"):
        make_resnet18(4, "batch", "no/such/file.pth")


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_stages_set_depth_and_channels(stages: int) -> None:
    maps = make_resnet18(stages, "group", None)(torch.rand(1, 3, 64, 96))
    assert maps.shape == (1, 64 * 2 ** (stages - 1), 64 // 2 ** (stages + 1), 96 // 2 ** (stages + 1))
