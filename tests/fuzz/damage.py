"""Valid input, spoilt here and there."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


@st.composite
def damaged(draw: st.DrawFn, whole: SearchStrategy[bytes]) -> bytes:
    """Bytes that were valid before a few of them were changed, lost, doubled or added."""
    data = draw(whole)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(("flip", "cut", "insert", "double", "truncate"))):
            case "flip":
                data = (
                    data[:at]
                    + bytes(b ^ draw(st.integers(1, 255)) for b in data[at : at + 1])
                    + data[at + 1 :]
                )
            case "cut":
                data = data[:at] + data[at + draw(st.integers(1, 9)) :]
            case "insert":
                data = data[:at] + draw(st.binary(max_size=12)) + data[at:]
            case "double":
                data = data[:at] + data[: draw(st.integers(0, 40))] + data[at:]
            case "truncate":
                data = data[:at]
    return data


def streams(whole: SearchStrategy[bytes]) -> SearchStrategy[list[bytes]]:
    """What a serial line delivers, in pieces."""
    return st.lists(st.one_of(whole, damaged(whole), st.binary(max_size=24)), max_size=6)


NONSENSE = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=8),
    st.floats(),
    st.integers(),
    st.sampled_from([10**400, -(10**30), 1e308, [], {}, [[]], [1, "2"], {"a": 1}]),
)


@st.composite
def damaged_json(draw: st.DrawFn, whole: Any) -> str:
    """The text of a document with a few values replaced or lost, at times cut off."""
    document = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(0, 3))):
        place, parents = document, []
        while isinstance(place, dict | list) and place and draw(st.integers(0, 4)):
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            parents.append((place, key))
            place = place[key]
        if not parents:
            document = draw(NONSENSE)
            continue
        inside, key = parents[-1]
        if draw(st.booleans()):
            inside[key] = draw(NONSENSE)
        else:
            del inside[key]
    text = json.dumps(document)
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text
