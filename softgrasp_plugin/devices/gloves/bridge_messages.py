"""The messages of the bridge glove, version 1: one JSON object per UDP datagram, at most 1024 bytes.

Glove program → us, at 100 Hz or more, also while nothing changes::

    {"softgrasp_glove": 1, "seq": 4711, "angle": [0.1, 0.1, 0.1, 0.1, 0.3, 0.5], "ack": 815}

* ``softgrasp_glove``: the version of this format.
* ``seq``: an integer that grows with every message. One that does not is late and is dropped; a program that
  starts again from 0 is taken up after 150 ms of silence and two messages in order.
* ``angle``: six numbers in the order of `joints.JOINTS`, 0 finger straight … 1 finger bent; up to 0.01
  outside is taken as the end, more is refused. A glove whose
  wearer is calibrated here (`lerobot-calibrate`) may send any monotonic measure inside 0 … 1.
* ``ack``: ``seq`` of the newest of our messages that the glove's motors carry out; null before the first.

We → glove program, to the address its last message came from, once per tick of the glove::

    {"softgrasp_glove": 1, "seq": 815, "force": [0, 0, 0, 1.2, 1.5, 0], "angle": [0, 0, 0, 0.41, 0.38, 0],
    "valid_ms": 150}

* ``force``: newtons at the fingertip that the joint may press with (the paper's T̂m); 0 sets it free.
* ``angle``: where the joint is to be held (the paper's Âm).
* ``valid_ms``: without a newer message within this time the glove program must set every joint free by
  itself.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...joints import NUM_JOINTS, FloatArray

VERSION = 1
MAX_BYTES = 1024
VALID_MS = 150

_ROUNDING = 0.01
"""An angle so little outside 0 … 1 comes from rounding or scaling, and is taken as the end."""

_VERSION_KEY = "softgrasp_glove"
_MAX_SEQ = 2**53
"""Larger integers are not exact in every JSON library."""


@dataclass(frozen=True)
class GloveMessage:
    """What the glove program says.

    Attributes:
        seq: number of this message.
        angle: (6,) 0 straight … 1 bent.
        ack: number of the newest feedback message in effect, or None.
    """

    seq: int
    angle: FloatArray
    ack: int | None


@dataclass(frozen=True)
class FeedbackMessage:
    """What the glove program is told.

    Attributes:
        seq: number of this message.
        force: (6,) newtons at the fingertip.
        angle: (6,) where to hold.
        valid_ms: after so many milliseconds it is void.
    """

    seq: int
    force: FloatArray
    angle: FloatArray
    valid_ms: int = VALID_MS


def encode_feedback(message: FeedbackMessage) -> bytes:
    """Our datagram."""
    document = {
        _VERSION_KEY: VERSION,
        "seq": message.seq,
        "force": [round(value, 4) for value in message.force.tolist()],
        "angle": [round(value, 5) for value in message.angle.tolist()],
        "valid_ms": message.valid_ms,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def encode_glove(message: GloveMessage) -> bytes:
    """The glove program's datagram."""
    document = {
        _VERSION_KEY: VERSION,
        "seq": message.seq,
        "angle": [round(value, 5) for value in message.angle.tolist()],
        "ack": message.ack,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def parse_glove(datagram: bytes) -> GloveMessage:
    """Read a datagram of the glove program.

    Raises:
        ValueError: for anything else; the message says what is wrong with it.
    """
    document = _parse(datagram)
    ack = document.get("ack")
    return GloveMessage(
        seq=_seq(document, "seq"),
        angle=_six(document, "angle", 0.0, 1.0, _ROUNDING),
        ack=None if ack is None else _seq(document, "ack"),
    )


def parse_feedback(datagram: bytes) -> FeedbackMessage:
    """Read one of our own datagrams, as a glove program does.

    Raises:
        ValueError: for anything else.
    """
    document = _parse(datagram)
    return FeedbackMessage(
        seq=_seq(document, "seq"),
        force=_six(document, "force", 0.0, 100.0),
        angle=_six(document, "angle", 0.0, 1.0),
        valid_ms=_seq(document, "valid_ms"),
    )


def _parse(datagram: bytes) -> dict[str, Any]:
    if len(datagram) > MAX_BYTES:
        raise ValueError(f"a message has at most {MAX_BYTES} bytes, got {len(datagram)}")
    try:
        document = json.loads(datagram)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a JSON message: {error}") from error
    if not isinstance(document, dict) or _VERSION_KEY not in document:
        raise ValueError(f'expected a JSON object with "{_VERSION_KEY}": {VERSION}')
    version = document[_VERSION_KEY]
    if version != VERSION or isinstance(version, bool):
        raise ValueError(f"the glove program speaks version {version!r}, we speak version {VERSION}")
    return document


def _seq(document: dict[str, Any], name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MAX_SEQ:
        raise ValueError(f'"{name}" must be an integer of 0 or more, got {value!r}')
    return value


def _six(document: dict[str, Any], name: str, low: float, high: float, tolerance: float = 0.0) -> FloatArray:
    values = document.get(name)
    if not isinstance(values, list) or len(values) != NUM_JOINTS:
        raise ValueError(f'"{name}" must be a list of {NUM_JOINTS} numbers, got {values!r}')
    for value in values:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # An integer may be too large for a float, so that nothing but a comparison can be asked of it.
        if not is_number or value != value or value in (math.inf, -math.inf):
            raise ValueError(f'"{name}" must hold finite numbers, got {value!r}')
        if not low - tolerance <= value <= high + tolerance:
            raise ValueError(f'"{name}" must lie in {low:g}…{high:g}, got {str(value)[:20]}')
    return np.clip(np.array(values, dtype=np.float64), low, high)
