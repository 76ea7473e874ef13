import numpy as np
import pytest

from softgrasp_plugin.grasping.torque_command import HIGHEST_LIMIT_N, TorqueCommandConfig, torque_limit
from softgrasp_plugin.joints import NUM_JOINTS

UNREASONABLE = [float("nan"), float("inf"), -float("inf"), 1e308, 0.0, -1.0, HIGHEST_LIMIT_N + 0.1, True, "8"]


@pytest.mark.parametrize("name", ["floor_n", "maximum_n"])
@pytest.mark.parametrize("value", UNREASONABLE)
def test_limits_have_bounds(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"torque\.{name} must be a number in"):
        TorqueCommandConfig(**{name: value})  # type: ignore[arg-type]


def test_limits_are_in_order_and_the_mode_is_known() -> None:
    with pytest.raises(ValueError, match="floor_n <= maximum_n"):
        TorqueCommandConfig(floor_n=5.0, maximum_n=4.0)
    with pytest.raises(ValueError, match=r"torque\.mode must be one of ignore, limit, track"):
        TorqueCommandConfig(mode="push")


def test_no_prediction_leaves_the_limits() -> None:
    config = TorqueCommandConfig(mode="limit", margin=0.0, margin_n=0.0, floor_n=1.0, maximum_n=4.0)
    predicted = np.array([-1e308, 0.0, 2.5, 1e308, np.inf, np.nan])
    limit = torque_limit(predicted, config)
    assert limit is not None
    assert limit.tolist() == [1.0, 1.0, 2.5, 4.0, 4.0, 4.0]
    for mode in ("ignore", "track"):
        assert torque_limit(np.zeros(NUM_JOINTS), TorqueCommandConfig(mode=mode)) is None


def test_a_limit_lies_above_the_prediction_and_never_above_the_maximum() -> None:
    config = TorqueCommandConfig(mode="limit", margin=0.6, margin_n=0.3, floor_n=1.0, maximum_n=9.0)
    limit = torque_limit(np.array([-1.0, 0.0, 1.0, 5.0, 6.0, np.nan]), config)
    assert limit is not None
    assert limit == pytest.approx([1.0, 1.0, 1.9, 8.3, 9.0, 9.0])
    widest = TorqueCommandConfig(mode="limit", margin=10.0)
    with np.errstate(all="raise"):
        limit = torque_limit(np.array([-1e308, 1e308, -np.inf, np.inf, 0.0, np.nan]), widest)
    assert limit == pytest.approx([1.0, 10.0, 10.0, 10.0, 1.0, 10.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("margin", "margin_n") for value in UNREASONABLE if value != 0.0],
)
def test_margins_have_bounds(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"torque\.{name} must be a number in"):
        TorqueCommandConfig(**{name: value})  # type: ignore[arg-type]
