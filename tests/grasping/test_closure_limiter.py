import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.grasping.closure_limiter import LONGEST_STEP_S, ClosureLimiter
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray

SPEED = 0.5


def joints(closure: float) -> FloatArray:
    return np.full(NUM_JOINTS, closure)


def test_it_waits_for_a_measurement() -> None:
    limiter = ClosureLimiter(SPEED)
    assert limiter.step(joints(1.0), 0.0) is None
    limiter.rest(1.0)
    assert limiter.is_lost
    limiter.start_at(joints(0.4), 1.0)
    assert limiter.step(joints(1.0), 1.02) == pytest.approx(joints(0.41))
    limiter.forget()
    assert limiter.step(joints(1.0), 1.04) is None


def test_asking_moves_nothing() -> None:
    limiter = ClosureLimiter(SPEED)
    limiter.start_at(joints(0.0), 0.0)
    for _ in range(100):
        assert limiter.step(joints(1.0), 0.02) == pytest.approx(joints(0.01))


def test_a_long_stall_allows_no_long_step() -> None:
    limiter = ClosureLimiter(SPEED)
    limiter.start_at(joints(0.0), 0.0)
    assert limiter.step(joints(1.0), 1e6) == pytest.approx(joints(SPEED * LONGEST_STEP_S))
    assert limiter.step(joints(1.0), -1.0) == pytest.approx(joints(0.0)), "a clock that went back"


def test_time_at_rest_is_not_made_up_for() -> None:
    limiter = ClosureLimiter(SPEED)
    limiter.start_at(joints(0.2), 0.0)
    limiter.rest(5.0)
    assert limiter.step(joints(0.0), 5.01) == pytest.approx(joints(0.195))


def test_a_joint_outside_its_range_is_not_pulled_back_at_once() -> None:
    limiter = ClosureLimiter(SPEED)
    limiter.start_at(joints(-0.2), 0.0)
    assert limiter.step(joints(0.0), 0.02) == pytest.approx(joints(-0.19))


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 10.0), st.booleans()), min_size=1, max_size=40),
    st.floats(0.02, 10.0),
)
def test_no_step_is_longer_than_its_time(story: list[tuple[float, float, bool]], speed: float) -> None:
    limiter = ClosureLimiter(speed)
    now, where, since = 0.0, joints(0.5), 0.0
    limiter.start_at(where, now)
    for wanted, pause, arrives in story:
        now += pause
        step = limiter.step(joints(wanted), now)
        assert step is not None
        assert np.abs(step - where).max() <= speed * min(now - since, LONGEST_STEP_S) + 1e-12
        assert (np.abs(step - wanted) <= np.abs(where - wanted) + 1e-12).all(), "never away from the goal"
        if arrives:
            limiter.start_at(step, now)
            where, since = step, now
