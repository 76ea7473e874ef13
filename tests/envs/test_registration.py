"""What Gymnasium makes of the environment: `gymnasium.make`, and its own checker."""

import tomllib
import warnings
from importlib import import_module
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from softgrasp_plugin.envs.registration import GRASP
from softgrasp_plugin.envs.softgrasp_sim import SoftGraspSimEnv
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig

LIMIT = TorqueCommandConfig(mode="limit")
SMALL = {"height": 48, "width": 64}


def test_gymnasium_finds_nothing_to_complain_about() -> None:
    env = gym.make(GRASP, task="object_06", **SMALL)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    env.close()


def test_actions_lie_between_zero_and_one() -> None:
    """Closures as they are, torques as a share of 40 N: the same grasp as with newtons."""
    made = gym.make(GRASP, task="object_06", torque=LIMIT, **SMALL)
    physical = gym.make(GRASP, task="object_06", torque=LIMIT, normalized_actions=False, **SMALL)
    assert np.array_equal(made.action_space.high, np.ones(12))
    assert np.array_equal(physical.action_space.high, np.repeat([1.0, 40.0], 6))
    for env in (made, physical):
        env.reset(seed=1)
    for _ in range(30):
        # A sixteenth, which has no rounding error: contact would make a difference of it.
        one, *_ = made.step(np.repeat([0.6, 1 / 16], 6).astype(np.float32))
        other, *_ = physical.step(np.repeat([0.6, 2.5], 6).astype(np.float32))
    # A rounded share is another torque in its last digit, and contact makes more of it.
    assert one["agent_pos"] == pytest.approx(other["agent_pos"], rel=1e-3, abs=1e-4)


def test_an_unknown_render_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="rgb_array"):
        SoftGraspSimEnv("object_01", render_mode="human")


def test_the_entry_point_names_the_function() -> None:
    """Gymnasium calls it at import where the package is installed."""
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    (target,) = project["project"]["entry-points"]["gymnasium.envs"].values()
    module, _, function = target.partition(":")
    getattr(import_module(module), function)()  # a second time: nothing happens
    assert GRASP in gym.registry
