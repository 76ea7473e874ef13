"""Statistics of columns that cannot be closures and newtons are named."""

import numpy as np
import pytest

from softgrasp_plugin.joints import NUM_JOINTS, STATE_KEYS
from softgrasp_plugin.units import check_closure_statistics

LOW = np.zeros(2 * NUM_JOINTS)
HIGH = np.concatenate([np.ones(NUM_JOINTS), np.full(NUM_JOINTS, 8.0)])


def test_our_own_units_pass_with_the_overshoot_of_real_joints() -> None:
    check_closure_statistics(STATE_KEYS, LOW, HIGH)
    check_closure_statistics(STATE_KEYS, LOW - 0.03, HIGH + 0.03)
    check_closure_statistics(["shoulder_pan.pos", *STATE_KEYS], [-3.1, *LOW], [2.0, *HIGH])


@pytest.mark.parametrize(
    ("column", "low", "high", "message"),
    [
        (0, 0.0, 1.7, "'little_bend.pos' ranges over 0…1.7.*radians"),
        (2, 0.0, 100.0, "'middle_bend.pos'.*percent"),
        (5, -20.0, 170.0, "'thumb_swing.pos'.*degrees"),
        (3, 0.0, 1000.0, "'index_bend.pos'.*counts"),
        (3, 0.0, 1e6, "'index_bend.pos' ranges over 0…1e\\+06; a closure lies"),
        (8, 0.0, 900.0, "'middle_bend_torque.pos'.*grams-force"),
        (8, -1e9, 0.0, "'middle_bend_torque.pos'.*newtons"),
        (1, np.nan, 1.0, "'ring_bend.pos'.*not finite"),
        (7, 0.0, np.inf, "'ring_bend_torque.pos'.*not finite"),
        (4, 0.9, 0.1, "'thumb_bend.pos' has a minimum of 0.9 above its maximum 0.1"),
    ],
)
def test_other_units_and_broken_statistics_are_named(
    column: int, low: float, high: float, message: str
) -> None:
    minimum, maximum = LOW.copy(), HIGH.copy()
    minimum[column], maximum[column] = low, high
    with pytest.raises(ValueError, match=message):
        check_closure_statistics(STATE_KEYS, minimum, maximum)


def test_statistics_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(12,\) and \(12,\) for 6 columns"):
        check_closure_statistics(STATE_KEYS[:6], LOW, HIGH)
