"""A policy sees the state that it was trained on, or says what is missing."""

from typing import Any

from lerobot.utils.constants import OBS_STATE

from ..joints import STATE_KEYS
from .arm import ARM_JOINTS


def check_state_size(policy: Any, size: int, option: str, value: bool) -> None:
    """Refuse a policy that was trained on a state of another size.

    Args:
        policy: its configuration; None where there is no policy, and nothing is checked.
        size: number of values that are observed here.
        option: the option that adds the arm's joints to them.
        value: its value.

    Raises:
        ValueError: if they differ.
    """
    state = (getattr(policy, "input_features", None) or {}).get(OBS_STATE)
    if state is None or state.shape[0] == size:
        return
    trained = state.shape[0]
    remedy = "Record, train, evaluate and roll out with the same state."
    if {trained, size} == {len(STATE_KEYS), len(STATE_KEYS) + len(ARM_JOINTS)}:
        remedy = f"Use {option}={str(not value).lower()}, as its demonstrations were recorded."
    raise ValueError(
        f"The policy was trained on a state of {trained} values, and {size} are observed here "
        f"({option}={str(value).lower()}). {remedy}"
    )
