"""The trained policy that comes with the project: whole, small, and able to act."""

import tomllib
from pathlib import Path

import numpy as np
import torch
from lerobot.utils.constants import OBS_STATE

from softgrasp_plugin.hub_configs import config_path
from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies.closure_deadband import ClosureDeadband
from softgrasp_plugin.policies.runner import PolicyRunner

POLICY = config_path("policies/any_object/config.json").parent
PROJECT = Path(__file__).parents[2]


def test_it_acts_on_one_frame() -> None:
    runner = PolicyRunner(str(POLICY))
    runner.reset()
    item = {OBS_STATE: torch.zeros(12), IMAGE_FEATURE: torch.zeros(3, 48, 64), "task": ""}
    action = np.asarray(runner.act(item)[0])
    assert np.isfinite(action).all()


def test_its_grip_rests() -> None:
    runner = PolicyRunner(str(POLICY))
    [deadband] = [step for step in runner.postprocess.steps if isinstance(step, ClosureDeadband)]
    config = runner.policy.config
    assert deadband.width == config.closure_deadband > 0
    assert deadband.angle_columns == config.action_angle_columns
    assert deadband.torque_columns == config.action_torque_columns


def test_it_is_small_names_no_folder_of_ours_and_is_shipped() -> None:
    files = list(POLICY.iterdir())
    assert sum(path.stat().st_size for path in files) < 5_000_000
    for path in files:
        if path.suffix in (".json", ".md"):
            assert "/tmp/" not in path.read_text(), path
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    shipped = project["tool"]["setuptools"]["data-files"]["share/softgrasp/hub_configs/policies/any_object"]
    assert {path for pattern in shipped for path in PROJECT.glob(pattern)} == set(files)
