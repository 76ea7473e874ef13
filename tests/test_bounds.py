import math

import pytest

from softgrasp_plugin.bounds import require_within


@pytest.mark.parametrize("value", [0.0, 1, 5, 4.999])
def test_a_number_inside_passes(value: float) -> None:
    require_within("--x", value, 0, 5, "N")


@pytest.mark.parametrize(
    "value",
    [
        -1e-9,
        5.000001,
        math.nan,
        math.inf,
        -math.inf,
        1e308,
        pytest.param(10**4000, id="4000 digits"),
        True,
        None,
        "3",
        [1.0],
    ],
)
def test_anything_else_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match=r"--x must be a number in \[0, 5\] N, got ") as error:
        require_within("--x", value, 0, 5, "N")
    assert len(str(error.value)) < 200


def test_the_lower_end_can_be_left_out() -> None:
    require_within("--x", 1e-9, 0, 5, above_low=True)
    with pytest.raises(ValueError, match=r"\(0, 5\]"):
        require_within("--x", 0, 0, 5, above_low=True)
