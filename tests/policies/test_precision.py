"""bfloat16 where a device has instructions for it, float32 elsewhere."""

import logging
from collections.abc import Iterator

import pytest
import torch

from softgrasp_plugin.policies import precision
from softgrasp_plugin.policies.softgrasp.configuration_softgrasp import SoftGraspConfig
from softgrasp_plugin.policies.softgrasp.encoders import ImageEncoder


@pytest.fixture(params=[True, False], ids=["bfloat16", "without"])
def has_bfloat16(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    monkeypatch.setattr(precision, "_cpu_has_bfloat16", lambda: request.param)
    precision.is_worthwhile.cache_clear()
    yield request.param
    precision.is_worthwhile.cache_clear()


def test_mixed_precision_is_off_where_it_would_be_slower(
    has_bfloat16: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        configs = [SoftGraspConfig(device="cpu", use_amp=True) for _ in range(2)]
    assert [config.use_amp for config in configs] == [has_bfloat16] * 2
    lines = [record.getMessage() for record in caplog.records if "bfloat16" in record.getMessage()]
    assert len(lines) == (0 if has_bfloat16 else 1)
    assert not SoftGraspConfig(device="cpu").use_amp


def test_a_policy_of_another_computer_falls_back(has_bfloat16: bool) -> None:
    seen = []
    encoder = ImageEncoder(8, stages=1, norm="group", weights=None, use_amp=True)
    encoder.backbone.register_forward_hook(lambda module, images, maps: seen.append(maps.dtype))
    encoder(torch.rand(1, 3, 24, 32))
    assert seen == [torch.bfloat16 if has_bfloat16 else torch.float32]


def test_what_surrounds_it_does_not_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """`lerobot-train` opens an autocast of its own, on a GPU for float16."""
    monkeypatch.setattr(precision, "_cpu_has_bfloat16", lambda: True)
    with torch.autocast("cpu", dtype=torch.float16), precision.autocast("cpu", wanted=True):
        assert (torch.rand(2, 2) @ torch.rand(2, 2)).dtype is torch.bfloat16


def test_a_gpu_computes_in_bfloat16_if_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    for can, dtype in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(precision, "_gpu_has_bfloat16", lambda can=can: can)
        assert precision.lower_precision("cuda") is dtype
