"""Following the predicted torque is bounded, slow, unwinds at once, and leaves nothing behind."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.grasping.torque_tracking import TorqueTracker, TorqueTrackingConfig
from softgrasp_plugin.joints import NUM_JOINTS, THUMB_SWING

CONFIG = TorqueTrackingConfig()
TICK_S = 1 / 30
anything = st.floats(allow_nan=True, allow_infinity=True)
steps = st.lists(
    st.tuples(
        st.floats(0.0, 1.0),
        st.lists(anything, min_size=6, max_size=6),
        st.lists(anything, min_size=6, max_size=6),
        st.floats(-1.0, 5.0),
    ),
    min_size=1,
    max_size=30,
)


def six(value: float) -> np.ndarray:
    return np.full(NUM_JOINTS, value)


def update(tracker, closure, predicted, measured, time_s) -> np.ndarray:
    """The corrected closure that a hand took."""
    tracked = tracker.propose(closure, predicted, measured, time_s)
    tracker.accept(tracked)
    return tracked.closure


@given(steps)
def test_no_limit_is_passed_whatever_is_predicted_or_felt(history) -> None:
    tracker, now, before = TorqueTracker(CONFIG), 0.0, None
    for closure, predicted, measured, elapsed in history:
        now += elapsed
        corrected = update(tracker, six(closure), np.array(predicted), np.array(measured), now)
        assert ((corrected >= 0) & (corrected <= 1)).all()
        correction = corrected - closure
        assert np.abs(correction).max() <= CONFIG.max_correction + 1e-12
        assert correction[THUMB_SWING] == 0
        if before is not None and before[1] == closure:
            assert np.abs(correction - before[0]).max() <= CONFIG.max_rate * 0.1 + 1e-9
        before = correction, closure


def run(tracker, predicted, measured, seconds, start=0.0, closure=0.5):
    for tick in range(round(seconds / TICK_S)):
        corrected = update(tracker, six(closure), six(predicted), six(measured), start + (tick + 1) * TICK_S)
    return corrected - closure


def test_it_closes_where_less_is_felt_and_opens_where_more_is() -> None:
    assert (run(TorqueTracker(CONFIG), 5.0, 2.0, 0.5)[:5] > 0.005).all()
    assert (run(TorqueTracker(CONFIG), 2.0, 5.0, 0.5)[:5] < -0.005).all()


def test_the_torque_of_a_stiff_contact_reaches_the_prediction() -> None:
    tracker, newtons_per_closure, felt = TorqueTracker(CONFIG), 500.0, 1.0
    for tick in range(150):
        corrected = update(tracker, six(0.5), six(6.0), six(felt), tick * TICK_S)
        felt = 1.0 + newtons_per_closure * (corrected[0] - 0.5)
    assert felt == pytest.approx(6.0, abs=0.05)


def test_it_does_not_wind_up() -> None:
    """After a minute at its bound it leaves the bound with the first sample that says so."""
    tracker = TorqueTracker(CONFIG)
    assert run(tracker, 9.0, 1.0, 60.0)[0] == pytest.approx(CONFIG.max_correction)
    assert run(tracker, 1.0, 9.0, 2 * TICK_S, start=60.0)[0] < CONFIG.max_correction


def test_nor_beyond_the_ends_of_the_joint() -> None:
    tracker = TorqueTracker(CONFIG)
    run(tracker, 9.0, 1.0, 60.0, closure=1.0)
    assert run(tracker, 1.0, 9.0, 2 * TICK_S, start=60.0, closure=1.0)[0] < 0


@pytest.mark.parametrize(("predicted", "measured"), [(0.0, 0.0), (math.nan, 3.0), (3.0, math.nan)])
def test_without_contact_nothing_is_left(predicted: float, measured: float) -> None:
    tracker = TorqueTracker(CONFIG)
    run(tracker, 9.0, 1.0, 5.0)
    np.testing.assert_array_equal(run(tracker, predicted, measured, 1.0, start=5.0), np.zeros(NUM_JOINTS))


def test_what_was_not_carried_out_leaves_nothing() -> None:
    tracker = TorqueTracker(CONFIG)
    before = run(tracker, 3.0, 1.0, 0.5)
    for tick in range(300):
        refused = tracker.propose(six(0.5), six(9.0), six(1.0), 0.5 + tick * TICK_S)
        assert np.abs(refused.correction - before).max() <= CONFIG.max_rate * 0.1
    np.testing.assert_array_equal(update(tracker, six(0.5), six(9.0), six(1.0), 0.5) - 0.5, before)


def test_a_hand_that_says_nothing_new_is_not_corrected_further() -> None:
    tracker = TorqueTracker(CONFIG)
    before = run(tracker, 3.0, 1.0, 0.5)
    for _ in range(300):
        np.testing.assert_array_equal(update(tracker, six(0.5), six(9.0), six(1.0), 0.5) - 0.5, before)


def test_a_new_grasp_begins_without_correction() -> None:
    tracker = TorqueTracker(CONFIG)
    run(tracker, 9.0, 1.0, 5.0)
    tracker.reset()
    np.testing.assert_array_equal(update(tracker, six(0.3), six(9.0), six(1.0), 0.0), six(0.3))


@pytest.mark.parametrize("name", ["gain", "max_correction", "max_rate", "contact_n"])
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, 1e308])
def test_settings_have_bounds(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"torque.tracking.{name}"):
        TorqueTrackingConfig(**{name: value})


def test_light_grips_are_followed_as_they_are() -> None:
    """Half a newton expected and 0.3 felt: the difference counts, small as both are."""
    correction = run(TorqueTracker(CONFIG), 0.5, 0.3, 1.0)
    assert correction[:5] == pytest.approx(np.full(5, CONFIG.gain * 0.2 * (1.0 - TICK_S)), rel=1e-6)


def test_a_joint_touches_from_the_threshold_on() -> None:
    below, at = np.nextafter(CONFIG.contact_n, 0.0), CONFIG.contact_n
    assert run(TorqueTracker(CONFIG), below, 0.0, 0.5)[0] == 0.0
    assert run(TorqueTracker(CONFIG), at, 0.0, 0.5)[0] > 0.0
    assert run(TorqueTracker(CONFIG), 0.0, below, 0.5)[0] == 0.0
    assert run(TorqueTracker(CONFIG), 0.0, at, 0.5)[0] < 0.0
