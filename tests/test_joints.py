"""Values by key: numbers, or a refusal that names the key."""

import math
from typing import Any

import numpy as np
import pytest

from softgrasp_plugin.joints import CLOSURE_KEYS, NUM_JOINTS, STATE_KEYS, from_keys, to_keys

MISSING = np.arange(NUM_JOINTS) / 10


def test_what_is_missing_is_filled_in_and_order_does_not_matter() -> None:
    values = {"thumb_swing.pos": 1, "little_bend.pos": np.float32(0.5), "elbow.pos": "up"}
    assert from_keys(values, CLOSURE_KEYS, MISSING).tolist() == [0.5, 0.1, 0.2, 0.3, 0.4, 1.0]


def test_closures_come_before_torques() -> None:
    keyed = to_keys(np.full(NUM_JOINTS, 0.25), np.full(NUM_JOINTS, 2.0))
    assert tuple(keyed) == STATE_KEYS
    assert keyed["index_bend.pos"] == 0.25
    assert keyed["index_bend_torque.pos"] == 2.0


@pytest.mark.parametrize("sign", [1, -1])
def test_an_integer_beyond_every_float_is_infinite(sign: int) -> None:
    values = {"ring_bend.pos": sign * 10**400}
    assert from_keys(values, CLOSURE_KEYS, MISSING)[1] == sign * math.inf


@pytest.mark.parametrize("value", ["0.5", b"1", "closed", None, [0.5], {}, 1j, object()])
def test_what_is_no_number_is_refused_by_name(value: Any) -> None:
    with pytest.raises(TypeError, match=r"'middle_bend\.pos' must be a number, got"):
        from_keys({"middle_bend.pos": value}, CLOSURE_KEYS, MISSING)
