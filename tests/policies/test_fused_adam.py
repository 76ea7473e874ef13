"""Fused Adam: the steps of Adam, and its checkpoints."""

from pathlib import Path

import pytest
import torch
from lerobot.optim import AdamConfig, OptimizerConfig, load_optimizer_state, save_optimizer_state
from torch import nn

from softgrasp_plugin.policies.fused_adam import FusedAdam, FusedAdamConfig

KINDS = {"adam": AdamConfig, "fused_adam": FusedAdamConfig}


def make(kind: str) -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = nn.Linear(4, 3)
    return network, KINDS[kind](lr=0.1, weight_decay=0.01).build(network.parameters())


def train(network: nn.Module, optimizer: torch.optim.Optimizer, steps: range) -> torch.Tensor:
    for step in steps:
        optimizer.zero_grad()
        network(torch.linspace(-1, 1, 4) * step).square().sum().backward()
        optimizer.step()
    return nn.utils.parameters_to_vector(network.parameters()).detach()


def test_it_is_known_by_name_and_fused() -> None:
    assert OptimizerConfig.get_choice_class("fused_adam") is FusedAdamConfig
    _, optimizer = make("fused_adam")
    assert isinstance(optimizer, FusedAdam)
    assert optimizer.param_groups[0]["fused"]


def test_it_takes_the_steps_of_adam() -> None:
    torch.testing.assert_close(train(*make("fused_adam"), range(1, 6)), train(*make("adam"), range(1, 6)))


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("then", KINDS)
def test_either_goes_on_from_the_others_checkpoint(first: str, then: str, tmp_path: Path) -> None:
    whole = train(*make("adam"), range(1, 9))
    network, optimizer = make(first)
    train(network, optimizer, range(1, 5))
    save_optimizer_state(optimizer, tmp_path)
    resumed, fresh = make(then)
    resumed.load_state_dict(network.state_dict())
    loaded = load_optimizer_state(fresh, tmp_path)
    assert bool(loaded.param_groups[0]["fused"]) == (then == "fused_adam")
    torch.testing.assert_close(train(resumed, loaded, range(5, 9)), whole)
