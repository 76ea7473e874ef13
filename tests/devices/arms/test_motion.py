import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.arms.motion import JointPath, SpeedLimiter, TargetRamp, straight_path

SPEED, ACCELERATION, DT = 0.15, 0.8, 0.008


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-0.2, 0.2), st.integers(1, 60)), max_size=10))
def test_limits_hold_whatever_the_targets(targets) -> None:
    limiter = SpeedLimiter(0.0, SPEED, ACCELERATION)
    before, speed_before = 0.0, 0.0
    for target, steps in targets:
        for _ in range(steps):
            position = limiter.step(target, DT)
            speed = (position - before) / DT
            assert abs(speed) <= SPEED * (1 + 1e-9)
            assert abs(speed - speed_before) <= ACCELERATION * DT * (1 + 1e-6)
            before, speed_before = position, speed


@settings(deadline=None)
@given(st.floats(-0.2, 0.2), st.sampled_from([0.002, 0.008]))
def test_arrives_and_stays(target, dt) -> None:
    limiter = SpeedLimiter(0.0, SPEED, ACCELERATION)
    for _ in range(round(4.0 / dt)):
        position = limiter.step(target, dt)
        assert abs(position) <= abs(target) + ACCELERATION * dt**2
    assert position == pytest.approx(target, abs=1e-6)


def test_a_30_hz_staircase_becomes_a_smooth_ramp() -> None:
    ramp, limiter = TargetRamp(0.0), SpeedLimiter(0.0, SPEED, ACCELERATION)
    speeds, command = [], 0
    for step in range(125):
        now = step * DT
        while command / 30 <= now:
            ramp.command(0.1 * command / 30, command / 30)
            command += 1
        limiter.step(ramp.at(now), DT)
        speeds.append(limiter.velocity)
    assert np.std(speeds[50:]) < 0.01
    assert np.mean(speeds[50:]) == pytest.approx(0.1, rel=0.05)


def test_paths_interpolate_and_hold_their_ends() -> None:
    path = JointPath(np.array([0.0, 0.1]), np.array([[0.0] * 6, [0.2] * 6]))
    np.testing.assert_allclose(path.at(0.05), 0.1)
    np.testing.assert_allclose(path.at(9.0), 0.2)
    assert path.steepest == pytest.approx(2.0)


def test_a_straight_path_is_as_long_as_its_longest_joint() -> None:
    path = straight_path(np.zeros(6), np.array([0.1, -0.3, 0, 0, 0, 0.2]))
    assert path.stations[-1] == pytest.approx(0.3)
    assert straight_path(np.ones(6), np.ones(6)).at(0.0)[0] == 1.0


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_braking_loses_speed_evenly_and_stays_at_rest(direction: float) -> None:
    limiter = SpeedLimiter(2.0, 1.0, 10.0)
    limiter.velocity = direction * 0.5
    assert limiter.brake(2.0, 0.1) == pytest.approx(2.0 + direction * 0.03)
    assert limiter.velocity == pytest.approx(direction * 0.3)
    assert limiter.brake(2.0, 0.1) == pytest.approx(2.0 + direction * 0.04)
    assert limiter.brake(2.0, 0.1) == pytest.approx(2.0 + direction * 0.04)
    assert limiter.velocity == 0.0
    assert limiter.brake(2.0, 0.1) == pytest.approx(2.0 + direction * 0.04)


def test_a_ramp_spreads_a_target_over_the_time_since_the_last_one() -> None:
    ramp = TargetRamp(1.0)
    assert ramp.at(5.0) == 1.0
    ramp.command(2.0, 10.0)  # the first: over the longest time
    assert [ramp.at(t) for t in (9.9, 10.0, 10.05, 10.1, 11.0)] == pytest.approx([1.0, 1.0, 1.5, 2.0, 2.0])
    ramp.command(3.0, 10.04)  # from where it is, over the 40 ms since
    assert [ramp.at(t) for t in (10.04, 10.06, 10.08)] == pytest.approx([1.4, 2.2, 3.0])
    ramp.command(0.0, 10.041)  # never over less than 5 ms
    assert [ramp.at(t) for t in (10.041, 10.0435, 10.046)] == pytest.approx([1.44, 0.72, 0.0])


def test_the_approach_ends_in_the_fewest_steps_without_passing_the_target() -> None:
    """From rest over 0.01 m at 0.8 m/s²: accelerate and brake, 2·√(d/a) = 0.224 s = 28 steps."""
    limiter = SpeedLimiter(0.0, SPEED, ACCELERATION)
    positions = [limiter.step(0.01, DT) for _ in range(40)]
    arrived = int(np.argmax(np.array(positions) > 0.01 - 1e-6))
    assert 25 <= arrived <= 29
    assert max(positions) <= 0.01 + ACCELERATION * DT**2 / 4
    assert SpeedLimiter(0.0, 1e3, 1e6).step(0.01, DT) == pytest.approx(0.01), "never beyond it in one step"


def test_a_straight_path_begins_where_it_begins() -> None:
    path = straight_path(np.full(6, 1.0), np.full(6, 1.2))
    assert path.stations.tolist() == pytest.approx([0.0, 0.2])
    np.testing.assert_allclose(path.at(0.1), 1.1)
