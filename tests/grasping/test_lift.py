"""The lift supervisor: when it starts, how it moves, and that it never jumps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.grasping.contact import ContactConfig
from softgrasp_plugin.grasping.lift import LiftConfig, LiftPhase, LiftSupervisor
from softgrasp_plugin.joints import NUM_JOINTS, THUMB_BEND, THUMB_SWING

FPS = 30
CONFIG = LiftConfig(
    settle_s=0.4,
    settle_closure_rate=0.05,
    settle_torque_rate=1.0,
    contact=ContactConfig((0.25,) * NUM_JOINTS, (0.5,) * NUM_JOINTS),
)
HELD = np.array([0.0, 0.0, 1.0, 0.0, 1.5, 0.0])
CLOSURE = np.full(NUM_JOINTS, 0.4)


def run(supervisor, torques, closures=CLOSURE, start=0.0, fps=FPS):
    """Heights for a sequence of torques (N, 6)."""
    closures = np.broadcast_to(closures, np.shape(torques))
    return np.array(
        [
            supervisor.update(closure, torque, start + index / fps)
            for index, (closure, torque) in enumerate(zip(closures, torques, strict=True))
        ]
    )


def hold(seconds, torque=HELD):
    return np.tile(torque, (round(seconds * FPS), 1))


def test_lifts_100_mm_at_100_mm_s_after_settling():
    supervisor = LiftSupervisor(CONFIG)
    height = run(supervisor, hold(3))
    first = int(np.argmax(height > 0))
    # The condition is met after 0.4 s; the height of the tick that starts the lift is still zero.
    assert first == 13
    speed = np.diff(height) * FPS
    assert speed.max() == pytest.approx(0.1)
    assert height[-1] == pytest.approx(0.1)
    assert np.argmax(height > 0.1 - 1e-9) - (first - 1) == pytest.approx(CONFIG.duration_s * FPS, abs=1)
    assert supervisor.phase is LiftPhase.HOLDING


def test_speed_ramps_at_both_ends():
    speed = np.diff(run(LiftSupervisor(CONFIG), hold(3))) * FPS
    assert speed.min() >= 0
    assert np.abs(np.diff(speed)).max() <= 0.1 / 0.2 / FPS + 1e-9


def test_phases_in_order():
    supervisor = LiftSupervisor(CONFIG)
    assert supervisor.phase is LiftPhase.GRASPING
    run(supervisor, hold(0.8))
    assert supervisor.phase is LiftPhase.LIFTING
    run(supervisor, hold(2), start=0.8)
    assert supervisor.phase is LiftPhase.HOLDING
    assert supervisor.phase == "holding"


@pytest.mark.parametrize("missing", ["thumb", "fingers", "all but the swing"])
def test_needs_the_thumb_and_a_finger(missing):
    torque = HELD.copy()
    if missing != "fingers":
        torque[THUMB_BEND] = 0.0
    if missing != "thumb":
        torque[:THUMB_BEND] = 0.0
    torque[THUMB_SWING] = 5.0
    assert run(LiftSupervisor(CONFIG), hold(3, torque)).max() == 0


def test_waits_while_torque_or_closure_still_changes():
    rising = hold(1.5) + np.linspace(0, 3, 45)[:, None] * (HELD > 0)  # 2 N/s
    assert run(LiftSupervisor(CONFIG), rising).max() == 0
    closing = CLOSURE + np.linspace(0, 0.12, 45)[:, None]  # 0.08 closure per second
    assert run(LiftSupervisor(CONFIG), hold(1.5), closing).max() == 0


def test_goes_on_to_the_top_once_started_even_if_the_object_is_lost():
    supervisor = LiftSupervisor(CONFIG)
    run(supervisor, hold(0.6))
    assert supervisor.phase is LiftPhase.LIFTING
    assert run(supervisor, hold(2, np.zeros(NUM_JOINTS)), start=0.6)[-1] == pytest.approx(0.1)


def test_nan_is_not_steady():
    torque = hold(2)
    torque[:, 0] = np.nan
    assert run(LiftSupervisor(CONFIG), torque).max() == 0


def test_a_gap_restarts_the_settling():
    supervisor = LiftSupervisor(CONFIG)
    run(supervisor, hold(0.3))
    assert run(supervisor, hold(0.3), start=5.0).max() == 0
    assert supervisor.phase is LiftPhase.GRASPING


def test_a_stalled_loop_does_not_make_the_arm_jump():
    supervisor = LiftSupervisor(CONFIG)
    height = run(supervisor, hold(0.8))[-1]
    assert supervisor.update(CLOSURE, HELD, 60.0) - height <= 0.1 * 0.1 + 1e-9


def test_a_repeated_time_changes_nothing():
    once, twice = LiftSupervisor(CONFIG), LiftSupervisor(CONFIG)
    for tick in range(60):
        height = once.update(CLOSURE, HELD, tick / FPS)
        assert twice.update(CLOSURE, HELD, tick / FPS) == height
        assert twice.update(CLOSURE + 0.3, HELD, tick / FPS) == height


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=80))
def test_irregular_steps_never_jump_nor_fall(steps):
    supervisor = LiftSupervisor(CONFIG)
    time, previous = 0.0, 0.0
    for step in steps:
        time += step
        height = supervisor.update(CLOSURE, HELD, time)
        assert 0 <= height - previous <= 0.1 * min(step, 0.1) + 1e-9
        assert height <= 0.1
        previous = height


def test_the_lift_does_not_depend_on_the_rate_of_the_loop():
    slow, fast = LiftSupervisor(CONFIG), LiftSupervisor(CONFIG)
    for tick in range(301):
        height = fast.update(CLOSURE, HELD, tick / 200)
        if tick % 20 == 0:
            # Twenty ticks of the fast loop to one of the slow one: both have settled at 0.4 s.
            assert slow.update(CLOSURE, HELD, tick / 200) == pytest.approx(height, abs=1e-9)


def test_comes_down_as_it_went_up_and_only_then_looks_for_the_next_grasp():
    supervisor = LiftSupervisor(CONFIG)
    supervisor.lower()
    assert supervisor.phase is LiftPhase.GRASPING
    up = run(supervisor, hold(3))
    supervisor.lower()
    assert supervisor.phase is LiftPhase.LOWERING
    # The hand holds something again while it is still up: that is no grasp yet.
    down = run(supervisor, hold(3), start=3.0)
    rising, falling = np.diff(up) * FPS, np.diff(down) * FPS
    first = int(np.argmax(down == 0.0))
    assert first == pytest.approx(CONFIG.duration_s * FPS, abs=1)
    assert (falling[:first] <= 0.0).all()
    assert -falling.min() == pytest.approx(rising.max())
    assert np.abs(np.diff(falling)).max() <= 0.1 / 0.2 / FPS + 1e-9
    again = int(np.argmax(np.diff(down) > 0))
    assert again - first >= CONFIG.settle_s * FPS, "it has to settle at the bottom"


@given(st.floats(0.005, 0.25), st.floats(0.05, 0.3), st.lists(st.floats(0, 0.3), min_size=40, max_size=80))
def test_never_faster_than_told_up_or_down(speed, ramp, steps):
    config = LiftConfig(speed_m_s=speed, ramp_s=ramp, settle_s=0.06, contact=CONFIG.contact)
    supervisor = LiftSupervisor(config)
    time, previous = 0.0, 0.0
    for step in steps:
        time += step
        height = supervisor.update(CLOSURE, HELD, time)
        assert abs(height - previous) <= speed * min(step, 0.1) + 1e-9
        assert 0.0 <= height <= config.height_m
        supervisor.lower()
        previous = height


def test_reset_brings_the_arm_down_and_restarts_time():
    supervisor = LiftSupervisor(CONFIG)
    run(supervisor, hold(3))
    supervisor.reset()
    assert supervisor.phase is LiftPhase.GRASPING
    assert supervisor.update(CLOSURE, HELD, 0.0) == 0


def test_refuses_time_that_runs_backwards_and_other_shapes():
    supervisor = LiftSupervisor(CONFIG)
    supervisor.update(CLOSURE, HELD, 1.0)
    with pytest.raises(ValueError, match=r"call reset\(\) between episodes"):
        supervisor.update(CLOSURE, HELD, 0.9)
    with pytest.raises(ValueError, match="must not fall"):
        supervisor.update(CLOSURE, HELD, np.nan)
    with pytest.raises(ValueError, match="6 entries each, got 5 and 6"):
        supervisor.update(CLOSURE[:5], HELD, 1.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"height_m": 0.0}, r"lift\.height_m must be a number in \(0, 0.5\] m, got 0.0"),
        ({"height_m": 1e308}, r"lift\.height_m must be"),
        ({"speed_m_s": np.inf}, r"lift\.speed_m_s must be"),
        ({"ramp_s": 1e-9}, r"lift\.ramp_s must be"),
        ({"settle_s": np.inf}, "settle_s must be"),
        ({"settle_s": True}, "settle_s must be"),
        ({"settle_torque_rate": np.nan}, "settle_torque_rate must be"),
        ({"settle_closure_rate": "0.02"}, "settle_closure_rate must be"),
        ({"ramp_s": 2.0}, "shorten ramp_s"),
    ],
)
def test_refuses_impossible_settings(change, message):
    with pytest.raises(ValueError, match=message):
        LiftConfig(**change)
