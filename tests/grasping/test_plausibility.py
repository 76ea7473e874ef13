"""Stuck sensors and joints that ignore their commands are named once; good grasps never are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.grasping.plausibility import PlausibilityWatch
from softgrasp_plugin.joints import NUM_JOINTS

FPS = 30


def closing(seconds: float, speed: float = 0.3) -> np.ndarray:
    return np.clip(speed * np.arange(round(seconds * FPS)) / FPS, 0.0, 1.0)[:, None] * np.ones(NUM_JOINTS)


def watch(commanded, closure, torque) -> list[str]:
    watch, found = PlausibilityWatch(), []
    for index, sample in enumerate(zip(commanded, closure, torque, strict=True)):
        found += watch.update(*sample, index / FPS)
    return found


def test_a_stuck_force_is_named_once() -> None:
    closure = closing(3)
    torque = np.zeros_like(closure)
    torque[:, 3] = 3.0
    (doubt,) = watch(closure, closure, torque)
    assert "force of index_bend: its force stood at 3.00 N while it moved" in doubt


def test_joints_that_ignore_their_commands_are_named_once() -> None:
    commanded = closing(4)
    closure = commanded.copy()
    closure[:, 1] = 0.0
    (doubt,) = watch(commanded, closure, np.zeros_like(closure))
    assert "motion of ring_bend: it stood at 0.00" in doubt


def test_an_obstacle_that_is_felt_explains_a_joint_that_stands() -> None:
    commanded = closing(4)
    closure = np.minimum(commanded, 0.3)
    torque = np.where(commanded > 0.3, 5.0 * (commanded - 0.3), 0.0)
    assert watch(commanded, closure, torque) == []


@settings(deadline=None, max_examples=60)
@given(
    speed=st.floats(0.05, 2.5),
    stop=st.floats(0.1, 1.0),
    lag=st.integers(0, 9),
    stiffness=st.floats(1.0, 30.0),
    noise=st.floats(0.0, 0.05),
    seed=st.integers(0, 1000),
)
def test_no_grasp_of_a_hand_that_works_is_doubted(speed, stop, lag, stiffness, noise, seed) -> None:
    random = np.random.default_rng(seed)
    commanded = np.concatenate([closing(5, speed), closing(5, speed)[::-1]])
    behind = np.concatenate([np.zeros((lag, NUM_JOINTS)), commanded])[: len(commanded)]
    closure = np.minimum(behind, stop) + noise * 0.1 * random.standard_normal(commanded.shape)
    pressing = np.maximum(behind - stop, 0.0)
    torque = np.maximum(stiffness * pressing + noise * random.standard_normal(commanded.shape), 0.0)
    torque[pressing == 0.0] = 0.0
    assert watch(commanded, closure, torque) == []


def test_a_joint_that_stands_long_ago_pressed_is_named() -> None:
    """What was felt seconds ago explains nothing now."""
    commanded = closing(6)
    closure = commanded.copy()
    closure[:, 1] = 0.0
    torque = np.zeros_like(closure)
    torque[: FPS // 2, 2] = 5.0
    (doubt,) = watch(commanded, closure, torque)
    assert "motion of ring_bend" in doubt
