import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.gloves.config import GloveMotorConfig
from softgrasp_plugin.devices.gloves.rendering import CurrentScale, OneSidedHold, nearest_turn

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
