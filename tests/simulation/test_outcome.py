"""What a grasp is judged by: nothing that went wrong is forgotten, nothing that was missing is counted."""

import pytest

from softgrasp_plugin.simulation.outcome import HOLD_S, LIFTED_M, SLIP_M, GraspOutcome, OutcomeTracker

DT_S = 0.1
TOP_M = 0.1


def watch(*samples: tuple[float, float, float, float], crush_limit_m: float | None = 0.005) -> GraspOutcome:
    """The outcome after samples of (object height, hand height, grip force, deformation), `DT_S` apart."""
    tracker = OutcomeTracker(crush_limit_m)
    for height_m, hand_height_m, force_n, deformation_m in samples:
        tracker.update(DT_S, height_m, hand_height_m, force_n, deformation_m)
    return tracker.outcome


HELD = (TOP_M, TOP_M, 5.0, 0.001)
LONG_ENOUGH = [HELD] * round(HOLD_S / DT_S + 1)


def test_lifted_and_held_is_a_success() -> None:
    outcome = watch(*LONG_ENOUGH)
    assert outcome.is_success
    assert outcome.is_held
    assert outcome.is_decided
    assert outcome.verdict == "success"


def test_a_second_is_a_second() -> None:
    outcome = watch(*[HELD] * round(HOLD_S / DT_S - 1))
    assert not outcome.is_success
    assert not outcome.is_decided


def test_a_dropped_object_is_no_success_although_it_is_held_again() -> None:
    fallen = (0.0, TOP_M, 0.0, 0.0)
    outcome = watch(*LONG_ENOUGH[:3], fallen, *LONG_ENOUGH)
    assert not outcome.is_held
    assert outcome.verdict == "no success"
    assert outcome.is_dropped
    assert outcome.is_decided
    assert not outcome.is_success


def test_an_object_that_stays_behind_is_dropped_however_high_it_is() -> None:
    """It has slipped in the hand by more than is allowed, although it counts as lifted."""
    slipped = (LIFTED_M + 0.001, LIFTED_M + SLIP_M + 0.002, 5.0, 0.001)
    outcome = watch(slipped, *LONG_ENOUGH)
    assert not outcome.is_held
    assert not outcome.is_success


def test_a_crush_is_not_forgotten_when_the_object_is_let_go() -> None:
    crushed = (TOP_M, TOP_M, 30.0, 0.006)
    outcome = watch(crushed, *LONG_ENOUGH)
    assert outcome.deformation_mm < 5
    assert outcome.is_held
    assert outcome.is_crushed
    assert outcome.is_decided
    assert not outcome.is_success
    assert outcome.verdict == "held, but crushed"


def test_a_crush_does_not_end_the_trial() -> None:
    outcome = watch((0.0, 0.0, 30.0, 0.006))
    assert outcome.is_crushed
    assert not outcome.is_decided
    assert outcome.verdict == "no success"


def test_what_never_crushes_is_never_crushed() -> None:
    assert not watch((0.0, 0.0, 500.0, 0.05), crush_limit_m=None).is_crushed


def test_holding_is_counted_without_interruption() -> None:
    low = (LIFTED_M - 0.001, LIFTED_M - 0.001, 5.0, 0.001)
    outcome = watch(*LONG_ENOUGH[:-3], low, *LONG_ENOUGH[:-3])
    assert outcome.held_s == pytest.approx(DT_S * len(LONG_ENOUGH[:-3]))
    assert not outcome.is_held


def test_forces_and_deformations_are_kept_at_their_highest() -> None:
    outcome = watch((0.0, 0.0, 9.0, 0.003), (TOP_M, TOP_M, 4.0, 0.002), (TOP_M, TOP_M, 2.0, 0.001))
    assert outcome.peak_grip_force_n == 9.0
    assert outcome.mean_grip_force_n == 3.0, "over the time in which it was lifted"
    assert outcome.max_deformation_mm == pytest.approx(3.0)
    assert outcome.grip_force_n == 2.0
