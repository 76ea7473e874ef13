"""The bridge's datagrams, value by value."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softgrasp_plugin.devices.gloves.bridge_messages import (
    MAX_BYTES,
    FeedbackMessage,
    GloveMessage,
    encode_feedback,
    encode_glove,
    parse_feedback,
    parse_glove,
)

ANGLE = [0.0, 0.1, 0.25, 0.5, 0.75, 1.0]
GLOVE = {"softgrasp_glove": 1, "seq": 7, "angle": ANGLE, "ack": 3}
FEEDBACK = {"softgrasp_glove": 1, "seq": 8, "force": [0, 1, 2, 3, 50, 100], "angle": ANGLE, "valid_ms": 150}


def datagram(document: dict[str, Any], **changes: Any) -> bytes:
    return json.dumps({**document, **changes}).encode()


def test_a_glove_message_is_what_the_format_says() -> None:
    encoded = encode_glove(GloveMessage(7, np.array([0.123456789, *ANGLE[1:]]), 3))
    assert json.loads(encoded) == {**GLOVE, "angle": [0.12346, *ANGLE[1:]]}
    assert b" " not in encoded
    parsed = parse_glove(datagram(GLOVE))
    assert (parsed.seq, parsed.ack, parsed.angle.tolist()) == (7, 3, ANGLE)
    assert parse_glove(datagram(GLOVE, ack=None)).ack is None
    assert parse_glove(datagram(GLOVE, seq=0, ack=0)).ack == 0
    assert (
        parse_glove(json.dumps({k: GLOVE[k] for k in ("softgrasp_glove", "seq", "angle")}).encode()).ack
        is None
    )


def test_a_feedback_message_is_what_the_format_says() -> None:
    force = np.array([1.23456789, 1, 2, 3, 50, 100])
    encoded = encode_feedback(FeedbackMessage(8, force, np.array([0.123456789, *ANGLE[1:]])))
    rounded = {"force": [1.2346, 1, 2, 3, 50, 100], "angle": [0.12346, *ANGLE[1:]]}
    assert json.loads(encoded) == {**FEEDBACK, **rounded}
    assert b" " not in encoded
    parsed = parse_feedback(datagram(FEEDBACK, valid_ms=40))
    assert (parsed.seq, parsed.valid_ms) == (8, 40)
    assert parsed.force.tolist() == FEEDBACK["force"]
    assert parsed.angle.tolist() == ANGLE
    assert parsed.force.dtype == parsed.angle.dtype == np.float64


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"softgrasp_glove": 2}, "version 2"),
        ({"softgrasp_glove": True}, "version True"),
        ({"seq": -1}, '"seq" must be an integer'),
        ({"seq": 2**53}, '"seq" must be an integer'),
        ({"seq": 1.0}, '"seq" must be an integer'),
        ({"seq": True}, '"seq" must be an integer'),
        ({"seq": None}, '"seq" must be an integer'),
        ({"ack": -1}, '"ack" must be an integer'),
        ({"ack": "1"}, '"ack" must be an integer'),
        ({"angle": None}, '"angle" must be a list of 6'),
        ({"angle": ANGLE[:5]}, '"angle" must be a list of 6'),
        ({"angle": [*ANGLE, 0]}, '"angle" must be a list of 6'),
        ({"angle": dict.fromkeys("abcdef", 0)}, '"angle" must be a list of 6'),
        ({"angle": [*ANGLE[:5], "1"]}, '"angle" must hold finite numbers'),
        ({"angle": [*ANGLE[:5], True]}, '"angle" must hold finite numbers'),
        ({"angle": [*ANGLE[:5], float("nan")]}, '"angle" must hold finite numbers'),
        ({"angle": [*ANGLE[:5], float("inf")]}, '"angle" must hold finite numbers'),
        ({"angle": [*ANGLE[:5], 1.2]}, r'"angle" must lie in 0…1'),
        ({"angle": [-0.2, *ANGLE[1:]]}, r'"angle" must lie in 0…1'),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_glove(datagram(GLOVE, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seq": -1}, '"seq" must be an integer'),
        ({"force": [0, 0, 0, 0, 0, 100.1]}, r'"force" must lie in 0…100'),
        ({"force": [0, 0, 0, 0, 0, -0.1]}, r'"force" must lie in 0…100'),
        ({"angle": [0, 0, 0, 0, 0, 1.1]}, r'"angle" must lie in 0…1'),
        ({"valid_ms": -1}, '"valid_ms" must be an integer'),
    ],
)
def test_what_is_wrong_with_feedback_is_named(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_feedback(datagram(FEEDBACK, **changes))


def test_the_longest_message_is_read_and_a_longer_one_is_not() -> None:
    whole = datagram(GLOVE)
    longest = whole + b" " * (MAX_BYTES - len(whole))
    assert parse_glove(longest).seq == 7
    with pytest.raises(ValueError, match="at most 1024 bytes, got 1025"):
        parse_glove(longest + b" ")


@pytest.mark.parametrize("data", [b"", b"nothing", b"\xff\xfe", b"[" * 1000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a JSON message"):
        parse_glove(data)


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b"{}", b'"softgrasp_glove"'])
def test_what_is_not_ours_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="expected a JSON object"):
        parse_glove(data)


def test_an_angle_a_rounding_outside_is_the_end_and_any_more_is_refused() -> None:
    message = parse_glove(datagram(GLOVE, angle=[-0.01, 1.01, 0.0, 1.0, 0.5, 1.002]))
    assert message.angle.tolist() == [0.0, 1.0, 0.0, 1.0, 0.5, 1.0]
    for angle in (-0.011, 1.011):
        with pytest.raises(ValueError, match='"angle" must lie in 0…1'):
            parse_glove(datagram(GLOVE, angle=[angle, *ANGLE[1:]]))


unit = st.floats(0.0, 1.0)
six_units = st.lists(unit, min_size=6, max_size=6).map(np.array)
numbers = st.integers(0, 2**53 - 1)


@settings(deadline=None)
@given(numbers, six_units, st.none() | numbers)
def test_glove_messages_survive_the_wire(seq, angle, ack) -> None:
    datagram = encode_glove(GloveMessage(seq, angle, ack))
    message = parse_glove(datagram)
    assert (message.seq, message.ack) == (seq, ack)
    np.testing.assert_allclose(message.angle, angle, atol=1e-5)
    assert len(datagram) <= MAX_BYTES


@settings(deadline=None)
@given(numbers, six_units)
def test_feedback_messages_survive_the_wire(seq, values) -> None:
    datagram = encode_feedback(FeedbackMessage(seq, 100 * values, values))
    message = parse_feedback(datagram)
    assert message.seq == seq
    np.testing.assert_allclose(message.force, 100 * values, atol=1e-4)
    assert len(datagram) <= MAX_BYTES


@settings(deadline=None)
@given(st.binary(max_size=1100))
def test_any_bytes_are_a_message_or_a_value_error(datagram) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (any reason)
        parse_glove(datagram)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=7) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(json_values, json_values, json_values)
def test_any_json_gives_six_angles_or_a_value_error(seq, angle, ack) -> None:
    datagram = json.dumps({"softgrasp_glove": 1, "seq": seq, "angle": angle, "ack": ack}).encode()
    try:
        message = parse_glove(datagram)
    except ValueError:
        return
    assert message.angle.shape == (6,)
    assert ((message.angle >= 0) & (message.angle <= 1)).all()


def test_a_number_of_400_digits_is_a_value_error() -> None:
    datagram = b'{"softgrasp_glove":1,"seq":9,"angle":[0,0,0,0,0,1' + b"0" * 400 + b'],"ack":1}'
    with pytest.raises(ValueError, match="angle"):
        parse_glove(datagram)
