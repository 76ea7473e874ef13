"""Slow noise on the executed command."""

import numpy as np
import pytest

from softgrasp_plugin.grasping.action_noise import ActionNoise
from softgrasp_plugin.joints import NUM_JOINTS, THUMB_SWING


def drawn(std: float, seed: int, ticks: int) -> np.ndarray:
    noise = ActionNoise(std, seed)
    return np.array([noise.step() for _ in range(ticks)])


def test_it_has_the_standard_deviation_asked_for_and_is_slow() -> None:
    values = drawn(0.004, 0, 20_000)
    expected = np.full(NUM_JOINTS, 0.004)
    expected[THUMB_SWING] *= 0.3
    np.testing.assert_allclose(values.std(axis=0), expected, rtol=0.08)
    for joint in values.T:
        assert np.corrcoef(joint[:-1], joint[1:])[0, 1] == pytest.approx(0.9, abs=0.02)


def test_it_starts_near_zero_and_repeats_with_its_seed() -> None:
    values = drawn(0.004, 3, 50)
    assert np.abs(values[0]).max() < 0.004 * 3 * np.sqrt(1 - 0.9**2)
    np.testing.assert_array_equal(values, drawn(0.004, 3, 50))
    assert (values != drawn(0.004, 4, 50)).any()
    assert not drawn(0.0, 3, 5).any()


@pytest.mark.parametrize("std", [-1e-9, np.inf, np.nan])
def test_a_standard_deviation_that_is_none_is_refused(std: float) -> None:
    with pytest.raises(ValueError, match="std is a standard deviation"):
        ActionNoise(std, 0)
