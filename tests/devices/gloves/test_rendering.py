import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.gloves.config import GloveMotorConfig
from softgrasp_plugin.devices.gloves.rendering import (
    CurrentScale,
    OneSidedHold,
    beyond_range,
    nearest_turn,
    shifted_to,
)

any_float = st.floats(allow_nan=True, allow_infinity=True)
unit = st.floats(0.0, 1.0)


@settings(deadline=None)
@given(any_float, st.floats(0.005, 0.3), st.floats(1.0, 2000.0))
def test_current_stays_within_its_limits(force, lever_arm, most) -> None:
    scale = CurrentScale([GloveMotorConfig(id=1, lever_arm_m=lever_arm, max_current_ma=most)])
    (units,) = scale.units(np.array([force]))
    assert 0 <= units <= most


def test_a_motors_own_limit_lowers_the_maximum() -> None:
    scale = CurrentScale([GloveMotorConfig(id=1)])
    scale.limit(np.array([120]))
    assert scale.units(np.array([1e3])) == [120]


def test_newtons_and_units_are_inverse() -> None:
    scale = CurrentScale([GloveMotorConfig(id=1, model="xm430-w350", max_current_ma=2000)])
    np.testing.assert_allclose(scale.newtons(scale.units(np.array([3.0]))), [3.0], atol=0.04)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), unit, unit), max_size=30))
def test_a_held_goal_moves_towards_straight_only(ticks) -> None:
    hold, last = OneSidedHold(1), None
    for pressed, angle, measured in ticks:
        units = np.array([5 if pressed else 0])
        (goal,) = hold.update(units, np.array([min(angle, measured)]), np.array([measured]))
        assert goal <= measured
        if pressed and last is not None:
            assert goal <= last
        last = goal if pressed else None


@settings(deadline=None)
@given(st.integers(0, 4095), st.integers(-3, 3), st.integers(-1000, 1000))
def test_a_reading_whole_turns_away_is_brought_back(middle, turns, offset) -> None:
    counts = np.array([middle + offset + turns * 4096])
    assert counts + nearest_turn(counts, np.array([middle])) == [middle + offset]


def test_a_goal_is_shifted_by_as_much_as_the_finger_is_out_of_range() -> None:
    angle = np.array([0.0, 1.0, 0.4, 0.4, 0.4, 0.4])
    measured = np.array([-0.1, 1.2, 0.7, 0.0, 1.0, -0.25])
    np.testing.assert_allclose(shifted_to(angle, measured), [-0.1, 1.2, 0.4, 0.4, 0.4, 0.15])


def test_a_finger_beyond_the_wanted_end_is_left_where_it_is() -> None:
    #                straighter than 0, wanted 0 / not quite; bent beyond 1, wanted 1 / not quite; inside
    goal = np.array([0.0, 0.01, 1.0, 0.99, 0.0, 1.0, 0.0, 1.0])
    measured = np.array([-0.1, -0.1, 1.1, 1.1, 0.3, 0.3, 1.1, -0.1])
    np.testing.assert_array_equal(beyond_range(goal, measured), [-0.1, 0.01, 1.1, 0.99, 0.0, 1.0, 0.0, 1.0])


def test_forces_become_the_nearest_unit_and_nonsense_none() -> None:
    # An XL330-M288: a unit is a milliampere.
    scale = CurrentScale([GloveMotorConfig(id=i, lever_arm_m=0.08, max_current_ma=100.9) for i in range(5)])
    assert scale.most_units.tolist() == [100] * 5
    one = float(scale.newtons(np.ones(5, dtype=np.int64))[0])
    forces = np.array([10.4 * one, 10.6 * one, -one, np.nan, 1e6])
    assert scale.units(forces).tolist() == [10, 11, 0, 0, 100]
    assert scale.newtons(np.array([0, 1, 2, 3, 100])).tolist() == pytest.approx(
        [0, one, 2 * one, 3 * one, 100 * one]
    )


def test_a_hold_without_current_is_none_and_ends_with_the_current() -> None:
    hold = OneSidedHold(2)
    no, yes = np.array([0, 0]), np.array([1, 1])
    low, high = np.full(2, 0.3), np.full(2, 0.6)
    assert hold.update(no, low, high).tolist() == high.tolist()
    assert hold.update(yes, high, low).tolist() == low.tolist()
    assert hold.update(yes, high, high).tolist() == low.tolist(), "it bends on: the goal stays"
    assert hold.update(no, high, high).tolist() == high.tolist()
    assert hold.update(yes, high, high).tolist() == high.tolist(), "a new contact"
    hold.update(yes, low, low)
    hold.reset()
    assert hold.update(yes, high, high).tolist() == high.tolist()


def test_readings_a_turn_off_are_brought_next_to_the_middle() -> None:
    counts, middle = np.array([100, 4000, -4000, 2048, 9000]), np.array([4000, 100, 100, 2048, 500])
    assert nearest_turn(counts, middle).tolist() == [4096, -4096, 4096, 0, -8192]


def test_a_motor_with_coarser_current_gets_fewer_units() -> None:
    # An XM430-W350: a unit is 2.69 mA.
    scale = CurrentScale([GloveMotorConfig(id=1, model="xm430-w350", max_current_ma=1000.0)])
    assert scale.most_units.tolist() == [371]
    assert scale.units(np.array([1e6])).tolist() == [371]
