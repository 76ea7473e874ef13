import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot.utils.constants import ACTION, OBS_STATE

from softgrasp_plugin.policies.processors import floor_statistics
from softgrasp_plugin.policies.range_floor import floor_ranges
from softgrasp_plugin.policies.softgrasp.example import make_example_config

NUMBERS = st.floats(-100, 100)


@given(low=NUMBERS, width=st.floats(0, 10), floor=st.floats(1e-3, 10))
def test_ranges_grow_to_the_floor_around_their_middle(low: float, width: float, floor: float) -> None:
    stats = {"min": np.array([low]), "max": np.array([low + width])}
    floored = floor_ranges(stats, [floor])
    new_width = (floored["max"] - floored["min"]).item()
    assert new_width == pytest.approx(max(width, floor))
    assert (floored["max"] + floored["min"]).item() == pytest.approx(2 * low + width, abs=1e-9)


def test_quantiles_and_std_have_a_floor_too_and_the_rest_is_kept() -> None:
    stats = {
        "q01": [0.5],
        "q99": [0.5],
        "q10": [0.5],
        "q90": [0.5],
        "std": [0.0],
        "mean": [0.5],
        "count": [7],
    }
    floored = floor_ranges(stats, [1.2])
    assert floored["q01"] == pytest.approx([-0.1])
    assert floored["q90"] == pytest.approx([1.1])
    assert floored["std"] == pytest.approx([1.2 / np.sqrt(12)])
    assert floored["mean"] == [0.5]
    assert floored["count"] == [7]
    assert stats["std"] == [0.0], "the dataset's own statistics must stay as they are"


def test_another_number_of_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="one value per column"):
        floor_ranges({"min": [0.0, 0.0], "max": [1.0, 1.0]}, [0.1])


@pytest.mark.parametrize("feature", [OBS_STATE, ACTION])
def test_closures_and_torques_each_have_their_own_floor(feature: str) -> None:
    config = make_example_config(min_closure_range=0.1, min_torque_range_n=0.5)
    still = {"min": np.zeros(12), "max": np.zeros(12)}
    floored = floor_statistics(config, {feature: still})[feature]
    width = np.asarray(floored["max"]) - np.asarray(floored["min"])
    assert width == pytest.approx([0.1] * 6 + [0.5] * 6)
