import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.experiments.statistics import newcombe, wilson

# Newcombe 1998, Statistics in Medicine 17:857, Table I, method 3.
WILSON = [
    ((81, 263), (0.2553, 0.3662)),
    ((15, 148), (0.0624, 0.1605)),
    ((0, 20), (0.0, 0.1611)),
    ((1, 29), (0.0061, 0.1718)),
]
# Newcombe 1998, Statistics in Medicine 17:873, Table II, method 10.
NEWCOMBE = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("counts", "expected"), WILSON)
def test_wilson_as_published(counts: tuple[int, int], expected: tuple[float, float]) -> None:
    interval = wilson(*counts)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize(("counts", "expected"), NEWCOMBE)
def test_newcombe_as_published(counts: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    interval = newcombe(*counts)
    assert (interval.low, interval.high) == pytest.approx(expected, abs=5e-5)


@given(st.integers(1, 500), st.data())
def test_wilson_contains_the_rate_and_mirrors(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    interval, mirrored = wilson(successes, trials), wilson(trials - successes, trials)
    assert 0 <= interval.low <= successes / trials <= interval.high <= 1
    assert (1 - interval.high, 1 - interval.low) == pytest.approx((mirrored.low, mirrored.high))


@given(st.tuples(st.integers(0, 30), st.integers(30, 60), st.integers(0, 30), st.integers(30, 60)))
def test_swapping_the_two_turns_the_difference_around(counts: tuple[int, int, int, int]) -> None:
    there, back = newcombe(*counts), newcombe(*counts[2:], *counts[:2])
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert counts[0] / counts[1] - counts[2] / counts[3] in there


@pytest.mark.parametrize("counts", [(1, 0), (-1, 5), (6, 5)])
def test_refuses_what_is_no_proportion(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        wilson(*counts)
