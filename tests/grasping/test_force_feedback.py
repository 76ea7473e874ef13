"""Eq. (1) and Algorithm 1: what the glove is told, and what it is never told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.grasping.contact import ContactConfig, ContactState
from softgrasp_plugin.grasping.force_feedback import (
    MAX_TORQUE_N,
    SILENCE_TO_ZERO_S,
    FeedbackConfig,
    ForceFeedback,
    map_torque,
)
from softgrasp_plugin.joints import NUM_JOINTS

FREE, CONTACT, CLUTCHED = ContactState
DT = 0.01
CONFIG = FeedbackConfig(
    contact=ContactConfig((0.25,) * NUM_JOINTS, (0.5,) * NUM_JOINTS, contact_motion=0.5, clutch_motion=0.1),
    max_torque=4.0,
    amplification=0.2,
    slew_rate=50.0,
)
# Fast enough to reach every target within a tick.
IMMEDIATE = FeedbackConfig(contact=CONFIG.contact, max_torque=4.0, amplification=0.2, slew_rate=1000.0)

six_floats = st.lists(
    st.floats(allow_nan=True, allow_infinity=True), min_size=NUM_JOINTS, max_size=NUM_JOINTS
).map(np.array)
forces = st.lists(st.floats(-1, 20), min_size=NUM_JOINTS, max_size=NUM_JOINTS).map(np.array)
closures = st.lists(st.floats(0, 1), min_size=NUM_JOINTS, max_size=NUM_JOINTS).map(np.array)
ticks = st.tuples(
    st.one_of(forces, six_floats),
    st.one_of(closures, six_floats),
    st.one_of(closures, six_floats),
    st.one_of(st.floats(0, 0.3), st.floats()),
    st.floats(0, 0.1),
)


def joints(value):
    return np.full(NUM_JOINTS, float(value))


def run(feedback, torque, rate=0.0, angle=0.6, ticks=2):
    """Feed fresh samples of a hand whose joints move at `rate` closure per second."""
    for tick in range(ticks):
        command = feedback.update(joints(torque), joints(0.2 + rate * DT * tick), joints(angle), 0.0, DT)
    return command


def test_equation_1():
    torque = np.array([0.0, 0.2, 0.25, 1.0, 3.99, 4.0, 9.0])
    np.testing.assert_array_equal(map_torque(torque, 0.25, 4.0), [0, 0, 0.25, 1.0, 3.99, 4.0, 4.0])


def test_case_1_no_contact_leaves_the_glove_free():
    command = run(ForceFeedback(IMMEDIATE), torque=0.1, rate=0.4)
    assert (command.state == FREE).all()
    assert (command.torque == 0).all()
    assert (command.angle == 0).all()


def test_case_2_contact_gives_the_torque_and_yields_with_the_motion():
    command = run(ForceFeedback(IMMEDIATE), torque=0.4, rate=0.3)
    assert (command.state == CONTACT).all()
    np.testing.assert_allclose(command.torque, 0.4)
    np.testing.assert_allclose(command.angle, 0.6 - 0.2 * 0.3)


def test_case_3_clutched_blocks_the_finger():
    command = run(ForceFeedback(IMMEDIATE), torque=0.7, rate=0.05)
    assert (command.state == CLUTCHED).all()
    np.testing.assert_array_equal(command.torque, joints(4.0))
    np.testing.assert_array_equal(command.angle, joints(0.6))


def test_contact_is_felt_down_to_the_hysteresis_band():
    feedback = ForceFeedback(IMMEDIATE)
    run(feedback, torque=0.4)
    np.testing.assert_allclose(run(feedback, torque=0.22).torque, 0.22)
    assert (run(feedback, torque=0.19).torque == 0).all()


def test_contact_torque_above_the_maximum_is_cut():
    contact = ContactConfig((0.25,) * NUM_JOINTS, (9.0,) * NUM_JOINTS)
    feedback = ForceFeedback(FeedbackConfig(contact=contact, max_torque=2.0, slew_rate=1000.0))
    command = run(feedback, torque=5.0)
    assert (command.state == CONTACT).all()
    np.testing.assert_array_equal(command.torque, joints(2.0))


def test_motion_is_measured_between_hand_samples_not_between_ticks():
    """A glove at 100 Hz sees each sample of a 25 Hz hand four times; the motion is that of the hand."""
    feedback = ForceFeedback(IMMEDIATE)
    for tick in range(20):
        sample = tick // 4
        age = (tick - 4 * sample) * DT
        command = feedback.update(joints(0.4), joints(0.2 + 0.3 * 0.04 * sample), joints(0.6), age, DT)
    np.testing.assert_allclose(command.angle, 0.6 - 0.2 * 0.3)


def test_falling_torque_follows_the_finger_instead_of_pulling_it_open():
    feedback = ForceFeedback(CONFIG)
    run(feedback, torque=2.0, ticks=50)
    command = feedback.update(joints(0.0), joints(0.2), joints(0.6), 0.0, DT)
    assert (command.state == FREE).all()
    np.testing.assert_allclose(command.torque, 4.0 - 0.5)
    np.testing.assert_array_equal(command.angle, joints(0.6))


@given(st.lists(ticks, min_size=1, max_size=30))
def test_torque_stays_in_range_and_never_jumps(sequence):
    feedback = ForceFeedback(CONFIG)
    previous = joints(0)
    for torque, closure, angle, age, dt in sequence:
        command = feedback.update(torque, closure, angle, age, dt)
        assert (command.torque >= 0).all()
        assert (command.torque <= CONFIG.max_torque).all()
        is_fresh = age <= CONFIG.stale_after_s
        fall = CONFIG.slew_rate if is_fresh and age > -1e-4 else CONFIG.silence_rate
        assert (command.torque - previous <= CONFIG.slew_rate * dt + 1e-12).all()
        assert (previous - command.torque <= fall * dt + 1e-12).all()
        assert ((command.angle >= 0) & (command.angle <= 1)).all()
        previous = command.torque


@given(
    st.lists(ticks, max_size=15),
    st.sampled_from(
        ["missing", "infinite age", "old", "nan age", "nan torque", "inf torque", "nan closure", "future"]
    ),
    st.floats(0.001, 0.05),
)
def test_silence_always_ends_at_zero(before, silence, dt):
    feedback = ForceFeedback(CONFIG)
    for tick in before:
        feedback.update(*tick)
    age = {"infinite age": np.inf, "old": 0.2, "nan age": np.nan, "future": -9.0}.get(silence, 0.0)
    torque = {"nan torque": joints(np.nan), "inf torque": joints(np.inf)}.get(silence, joints(9))
    closure = joints(np.nan) if silence == "nan closure" else joints(0.3)
    if silence == "missing":
        torque = closure = None
    for _ in range(int(np.ceil(CONFIG.max_torque / CONFIG.slew_rate / dt)) + 1):
        command = feedback.update(torque, closure, joints(0.5), age, dt)
    assert (command.torque == 0).all()
    assert (command.angle == 0).all()
    assert (command.state == FREE).all()


def test_a_hand_that_falls_silent_is_at_zero_within_the_stated_time():
    feedback = ForceFeedback(CONFIG)
    run(feedback, torque=2.0, ticks=50)
    age = 0.0
    while age < CONFIG.silence_to_zero_s + DT:
        age += DT
        command = feedback.update(joints(2.0), joints(0.2), joints(0.6), age, DT)
        if age <= CONFIG.stale_after_s:
            assert (command.torque == 4.0).all()
    assert (command.torque == 0).all()


@pytest.mark.parametrize("max_torque", [1.5, 5.0, MAX_TORQUE_N])
@pytest.mark.parametrize("dt", [0.01, 0.005, 0.001])
def test_no_glove_presses_150_ms_after_the_hands_last_sample(max_torque, dt):
    """With the slowest slew rate and the longest patience that the options allow, and the worst phase."""
    config = FeedbackConfig(max_torque=max_torque, slew_rate=10.0)
    feedback = ForceFeedback(config)
    for _ in range(round(1.1 * max_torque / 10.0 / dt) + 2):
        pressed = feedback.update(joints(9.0), joints(0.2), joints(0.6), 0.0, dt).torque
    assert (pressed == max_torque).all()
    age = config.stale_after_s  # a tick that still finds the sample fresh
    feedback.update(joints(9.0), joints(0.2), joints(0.6), age, dt)
    while (feedback.update(joints(9.0), joints(0.2), joints(0.6), age + dt, dt).torque > 0).any():
        age += dt
    assert age + dt <= SILENCE_TO_ZERO_S


def test_a_torque_from_the_future_is_not_felt():
    feedback = ForceFeedback(IMMEDIATE)
    for _ in range(5):
        command = feedback.update(joints(2.0), joints(0.2), joints(0.6), -0.05, DT)
    assert (command.torque == 0).all()


@pytest.mark.parametrize("reading", [(-166.0, 0.2), (166.0, 0.2), (2.0, 2.33), (2.0, 1e6)])
def test_a_reading_that_no_hand_has_is_not_felt(reading):
    feedback = ForceFeedback(IMMEDIATE)
    run(feedback, torque=2.0)
    torque, closure = joints(2.0), joints(0.2)
    torque[3], closure[3] = reading
    command = feedback.update(torque, closure, joints(0.6), 0.0, DT)
    assert command.torque.tolist() == [4, 4, 4, 0, 4, 4]


def test_one_broken_joint_does_not_silence_the_others():
    feedback = ForceFeedback(IMMEDIATE)
    torque = joints(2.0)
    torque[3] = np.nan
    for _ in range(2):
        command = feedback.update(torque, joints(0.2), joints(0.6), 0.0, DT)
    assert command.torque.tolist() == [4, 4, 4, 0, 4, 4]


def test_motion_is_unknown_after_a_silence():
    """The first sample after a gap must not be compared with the last one before it."""
    feedback = ForceFeedback(IMMEDIATE)
    run(feedback, torque=2.0)
    feedback.update(joints(2.0), joints(0.2), joints(0.6), 1.0, DT)
    assert (feedback.update(joints(2.0), joints(0.2), joints(0.6), 0.0, DT).torque == 0).all()
    assert (feedback.update(joints(2.0), joints(0.2), joints(0.6), 0.0, DT).torque == 4).all()


def test_reset_frees_the_glove():
    feedback = ForceFeedback(CONFIG)
    run(feedback, torque=2.0, ticks=50)
    feedback.reset()
    command = feedback.update(joints(0), joints(0), joints(0.5), 0.0, 0.0)
    assert (command.torque == 0).all()


@pytest.mark.parametrize("dt", [-0.01, np.nan, np.inf])
def test_refuses_time_that_does_not_advance(dt):
    with pytest.raises(ValueError, match="monotonic clock"):
        ForceFeedback(CONFIG).update(joints(0), joints(0), joints(0), 0.0, dt)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"closure must have shape \(6,\)"):
        ForceFeedback(CONFIG).update(joints(0), np.zeros(5), joints(0), 0.0, DT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_torque": 0.0}, "max_torque must be a number in"),
        ({"max_torque": 0.01}, "must exceed every contact torque"),
        ({"slew_rate": np.inf}, "slew_rate must be a number in"),
        ({"max_torque": 1000.0}, "max_torque"),
        ({"max_torque": True}, "max_torque"),
        ({"slew_rate": 1e308}, "slew_rate"),
        ({"stale_after_s": 1e9}, "stale_after_s"),
        ({"stale_after_s": 0.15}, "stale_after_s"),
        ({"amplification": 1e308}, "amplification"),
        ({"stale_after_s": np.nan}, "stale_after_s must be"),
        ({"amplification": -1.0}, "amplification must be a number in"),
    ],
)
def test_refuses_impossible_settings(change, message):
    with pytest.raises(ValueError, match=message):
        FeedbackConfig(**change)
