"""The contact state of a joint: Algorithm 1's three cases and what lies between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.grasping.contact import ContactConfig, ContactState, ContactTracker
from softgrasp_plugin.joints import NUM_JOINTS

FREE, CONTACT, CLUTCHED = ContactState
CONFIG = ContactConfig(
    contact_torque=(0.25,) * NUM_JOINTS,
    clutch_torque=(0.5,) * NUM_JOINTS,
    contact_motion=0.5,
    clutch_motion=0.1,
    hysteresis=0.2,
)


def states(*samples, config=CONFIG):
    """State of the first joint after each (torque, rate); the other joints see the same."""
    tracker = ContactTracker(config)
    seen = []
    for torque, rate in samples:
        state = tracker.update(np.full(NUM_JOINTS, torque), np.full(NUM_JOINTS, rate))
        assert len(set(state.tolist())) == 1
        seen.append(ContactState(state[0]))
    return seen


def test_the_three_cases():
    assert states((0.1, 0.0)) == [FREE]
    assert states((0.3, 0.4)) == [CONTACT]
    assert states((0.6, 0.05)) == [CLUTCHED]


def test_thresholds_belong_to_the_case_above_them():
    assert states((0.25, 0.0)) == [CONTACT]
    assert states((0.5, 0.0)) == [CLUTCHED]


@pytest.mark.parametrize(("torque", "rate"), [(0.3, 0.6), (0.3, 0.5), (0.6, 0.1), (0.6, 3.0), (0.6, np.inf)])
def test_the_previous_state_holds_where_the_paper_says_nothing(torque, rate):
    assert states((torque, rate)) == [FREE]
    assert states((0.3, 0.0), (torque, rate)) == [CONTACT, CONTACT]
    assert states((0.9, 0.0), (torque, rate)) == [CLUTCHED, CLUTCHED]


def test_motion_of_either_sign_counts():
    assert states((0.6, -0.3)) == [FREE]
    assert states((0.6, -0.05)) == [CLUTCHED]


def test_hysteresis_below_both_thresholds():
    assert states((0.3, 0.0), (0.21, 0.0), (0.19, 0.0), (0.21, 0.0)) == [CONTACT, CONTACT, FREE, FREE]
    assert states((0.6, 0.0), (0.41, 0.0), (0.39, 0.0), (0.41, 0.0)) == [CLUTCHED, CLUTCHED, CONTACT, CONTACT]


def test_a_clutched_joint_that_lets_go_is_free_whatever_its_motion():
    assert states((0.6, 0.0), (0.0, 5.0)) == [CLUTCHED, FREE]


def test_nan_changes_nothing():
    assert states((0.6, 0.0), (np.nan, 0.0), (0.6, np.nan)) == [CLUTCHED] * 3


def test_joints_are_independent_and_in_order():
    tracker = ContactTracker(ContactConfig((0.25,) * NUM_JOINTS, (0.5, 0.5, 0.5, 0.5, 1.0, 2.0)))
    torque = np.array([0.0, 0.3, 0.6, 0.6, 0.6, 1.5])
    rate = np.array([0.0, 0.0, 0.0, 0.2, 0.0, 0.0])
    assert tracker.update(torque, rate).tolist() == [FREE, CONTACT, CLUTCHED, FREE, CONTACT, CONTACT]


def test_reset_and_copies():
    tracker = ContactTracker(CONFIG)
    tracker.update(np.ones(NUM_JOINTS), np.zeros(NUM_JOINTS))[:] = FREE
    assert (tracker.state == CLUTCHED).all()
    tracker.reset()
    assert (tracker.state == FREE).all()


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(-2, 2)), min_size=1, max_size=40))
def test_torque_bounds_the_state(samples):
    for (torque, _), state in zip(samples, states(*samples), strict=True):
        if torque < 0.25 * 0.8:
            assert state == FREE
        if state == CLUTCHED:
            # Clutched is left late, where the joint still moves too fast for contact, but never below T_con.
            assert torque >= 0.25 * 0.8


def test_accepts_lists_as_from_a_configuration_file():
    config = ContactConfig(contact_torque=[0.1] * NUM_JOINTS, clutch_torque=[0.2] * NUM_JOINTS)
    assert states((0.15, 0.0), config=config) == [CONTACT]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contact_torque": (0.1,) * 5}, "contact_torque must be 6"),
        ({"clutch_torque": (np.nan,) * 6}, "clutch_torque must be 6 positive"),
        ({"contact_torque": (0.0,) * 6}, "positive"),
        ({"clutch_torque": (9.0, 9.0, 9.0, 9.0, 9.0, 0.01)}, "must exceed contact_torque"),
        ({"clutch_motion": 9.0}, "clutch_motion <= contact_motion"),
        ({"clutch_motion": 0.0}, "clutch_motion must be a number in"),
        ({"hysteresis": 1.0}, "hysteresis must be"),
    ],
)
def test_refuses_impossible_thresholds(change, message):
    with pytest.raises(ValueError, match=message):
        ContactConfig(**change)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match="shape"):
        ContactTracker(CONFIG).update(np.zeros(5), np.zeros(NUM_JOINTS))
