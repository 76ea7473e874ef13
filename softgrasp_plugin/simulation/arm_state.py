"""Whether a policy knows the arm's joints: recording, training and trials must agree about it."""

from typing import Any

from lerobot.utils.constants import OBS_STATE

from ..joints import STATE_KEYS
from .arm import ARM_JOINTS


def arm_joints_fault(policy: Any, option: str, is_observed: bool) -> str | None:
    """What is wrong with a policy that expects the arm's joints where they are not observed, or the other
    way round; None if nothing is.

    Args:
        policy: its configuration; None where there is no policy.
        option: the option that adds the arm's joints to the state.
        is_observed: its value.
    """
    state = (getattr(policy, "input_features", None) or {}).get(OBS_STATE)
    sizes = {False: len(STATE_KEYS), True: len(STATE_KEYS) + len(ARM_JOINTS)}
    if state is None or state.shape[0] != sizes[not is_observed]:
        return None
    return (
        f"The policy was trained on {state.shape[0]} state values; {sizes[is_observed]} are observed. "
        f"Use {option}={str(not is_observed).lower()}, as its demonstrations were recorded."
    )
