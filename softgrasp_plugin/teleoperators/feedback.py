"""What LeRobot sends a teleoperator to be felt, as a hand's sample."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..devices.hand_sample import HandSample
from ..grasping.force_feedback import plausible
from ..joints import CLOSURE_KEYS, NUM_JOINTS, STATE_KEYS, TORQUE_KEYS, from_keys


def sample_of(feedback: Mapping[str, Any], known: HandSample | None, now: float) -> HandSample | None:
    """The hand's sample that a feedback stands for.

    Args:
        feedback: torques in newtons and closures by key. What is left out stays as the hand measured it last,
            and the whole is then as old as that.
        known: the hand's newest sample; None before it has spoken.
        now: seconds, on the clock that stamps the hand's samples.

    Returns:
        The sample; None if something is left out and the hand has not spoken, or has no torque to say.

    Raises:
        TypeError: if a value is not a number.
        ValueError: if a value is not finite, or no hand can have it.
    """
    nothing = np.zeros(NUM_JOINTS)
    if known is not None and not known.measures_torque and not set(TORQUE_KEYS) <= set(feedback):
        return None
    torque = from_keys(feedback, TORQUE_KEYS, nothing if known is None else known.torque)
    closure = from_keys(feedback, CLOSURE_KEYS, nothing if known is None else known.closure)
    if not np.isfinite([*torque, *closure]).all():
        raise ValueError(f"Feedback must be finite numbers, got {feedback}.")
    if not plausible(torque, closure).all():
        raise ValueError(f"Feedback must be torques and closures that a hand can have, got {feedback}.")
    if set(STATE_KEYS) <= set(feedback):
        return HandSample(closure, torque, now)
    return None if known is None else HandSample(closure, torque, known.timestamp)
