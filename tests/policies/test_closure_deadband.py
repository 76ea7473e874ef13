"""A resting grip keeps its command; whatever moves, or touches nothing, passes untouched."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lerobot.policies.factory import make_pre_post_processors
from lerobot.processor import PolicyProcessorPipeline
from lerobot.processor.converters import policy_action_to_transition, transition_to_policy_action
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.policies.closure_deadband import TOUCH_N, ClosureDeadband

from .small import POLICIES, small_config

ANGLES, TORQUES = list(range(6)), list(range(6, 12))
WIDTH = 0.003


def make_deadband():
    return ClosureDeadband(WIDTH, angle_columns=ANGLES, torque_columns=TORQUES)


def an_action(closure, torque_n):
    return torch.cat([torch.full((1, 6), closure), torch.full((1, 6), torque_n)], dim=1)


def execute(deadband, closures, torque_n):
    return [float(deadband.action(an_action(closure, torque_n))[0, 2]) for closure in closures]


def test_small_changes_of_a_touching_joint_are_held():
    commands = execute(make_deadband(), [0.4, 0.401, 0.3985, 0.4029], torque_n=2.0)
    assert commands == pytest.approx([0.4] * 4)


def test_a_grip_that_tightens_by_itself_comes_to_rest():
    """A policy that predicts a change from the measured closure, which is a little too large every time."""
    too_much, free, held = 0.002, [0.4], [0.4]
    deadband = make_deadband()
    for _ in range(60):
        free.append(free[-1] + too_much)
        held.append(execute(deadband, [held[-1] + too_much], torque_n=2.0)[0])
    assert free[-1] == pytest.approx(0.52)
    assert held[-1] == pytest.approx(0.402)


def test_a_press_is_executed_at_once():
    commands = [0.4, 0.404, 0.408]
    assert execute(make_deadband(), commands, torque_n=2.0) == pytest.approx(commands)


def test_what_touches_nothing_is_not_held():
    commands = [0.4, 0.401, 0.402]
    assert execute(make_deadband(), commands, torque_n=0.9 * TOUCH_N) == pytest.approx(commands)


def test_each_joint_is_held_on_its_own():
    deadband, action = make_deadband(), an_action(0.4, 2.0)
    action[0, 6] = 0.0
    deadband.action(action)
    action[0, :6] += 0.001
    np.testing.assert_allclose(deadband.action(action)[0, :6], [0.401] + [0.4] * 5, rtol=1e-6)


def test_a_reset_forgets_what_was_held():
    deadband = make_deadband()
    execute(deadband, [0.4], torque_n=2.0)
    deadband.reset()
    assert execute(deadband, [0.401], torque_n=2.0) == pytest.approx([0.401])


values = arrays(np.float32, (2, 12), elements=st.floats(-2, 30, width=32) | st.just(np.float32("nan")))


@given(st.lists(values, min_size=1, max_size=6), st.integers(1, 2))
def test_no_command_is_ever_further_from_what_was_asked_for(actions, robots):
    deadband = make_deadband()
    for number, values in enumerate(actions):
        asked = torch.from_numpy(values[: robots if number % 2 else 2])  # the number of robots changes, too
        done = deadband.action(asked)
        assert torch.equal(done[:, 6:].nan_to_num(-1), asked[:, 6:].nan_to_num(-1))
        assert torch.equal(done.isnan(), asked.isnan())
        assert float((done - asked).nan_to_num().abs().max()) < WIDTH


def dataset_stats():
    low, high = np.zeros(12), np.r_[np.ones(6), np.full(6, 8.0)]
    one = {"min": low, "max": high, "mean": high / 2, "std": high / 4, "count": np.array([9])}
    return {OBS_STATE: one, ACTION: one}


@pytest.mark.parametrize("policy_type", POLICIES)
def test_a_checkpoint_carries_it(policy_type, tmp_path):
    config = small_config(policy_type, closure_deadband=WIDTH)
    _, made = make_pre_post_processors(config, dataset_stats=dataset_stats())
    made.save_pretrained(tmp_path)
    loaded = PolicyProcessorPipeline.from_pretrained(
        tmp_path,
        config_filename="policy_postprocessor.json",
        to_transition=policy_action_to_transition,
        to_output=transition_to_policy_action,
    )
    for postprocessor in (made, loaded):
        first = postprocessor(torch.full((1, 12), 0.5))
        second = postprocessor(torch.full((1, 12), 0.5 + WIDTH))  # half of it in closure, for a range of one
        torch.testing.assert_close(second[:, :6], first[:, :6])
        assert (second[:, 6:] > first[:, 6:]).all()


@pytest.mark.parametrize("policy_type", POLICIES)
def test_without_a_width_nothing_is_added(policy_type):
    _, postprocessor = make_pre_post_processors(small_config(policy_type), dataset_stats=dataset_stats())
    assert not any(isinstance(step, ClosureDeadband) for step in postprocessor.steps)


@pytest.mark.parametrize("width", [-0.001, 0.06, float("nan")])
def test_a_width_out_of_range_is_refused(width):
    with pytest.raises(ValueError, match="closure_deadband"):
        small_config("softgrasp", closure_deadband=width)
