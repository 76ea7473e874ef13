"""Which columns a rig shows a policy: recording, training and trials must agree about them."""

from dataclasses import dataclass
from typing import Any

from lerobot.utils.constants import ACTION, OBS_STATE

from .joints import ARM_KEYS, keys_of


@dataclass(frozen=True)
class ObservedColumns:
    """What is observed of a rig, and the options that decide it.

    Attributes:
        measures_torque: whether state and action hold torques beside the closures.
        torque_option: the option that says so.
        arm_joints: whether the state holds the arm's joint angles; None where there is no such option.
        arm_option: the option that says so.
    """

    measures_torque: bool
    torque_option: str
    arm_joints: bool | None = None
    arm_option: str = ""

    @property
    def state_names(self) -> tuple[str, ...]:
        """Columns of `observation.state`, in order."""
        return (*self.action_names, *(ARM_KEYS if self.arm_joints else ()))

    @property
    def action_names(self) -> tuple[str, ...]:
        """Columns of `action`, in order."""
        return keys_of(self.measures_torque)

    def fault(self, policy: Any) -> str | None:
        """What is wrong with a policy that was trained with other options; None if nothing is.

        Args:
            policy: its configuration, of this plugin or any other; None where there is no policy.
        """
        action = (getattr(policy, "output_features", None) or {}).get(ACTION)
        columns = len(self.action_names)
        if action is not None and action.shape[0] == len(keys_of(not self.measures_torque)):
            return (
                f"The policy was trained on {action.shape[0]} action values; {columns} are executed. "
                f"Use {self.torque_option}={str(not self.measures_torque).lower()}, as its demonstrations "
                "were recorded."
            )
        state = (getattr(policy, "input_features", None) or {}).get(OBS_STATE)
        if state is None or self.arm_joints is None:
            return None
        sizes = {False: columns, True: columns + len(ARM_KEYS)}
        if state.shape[0] != sizes[not self.arm_joints]:
            return None
        return (
            f"The policy was trained on {state.shape[0]} state values; {sizes[self.arm_joints]} are "
            f"observed. Use {self.arm_option}={str(not self.arm_joints).lower()}, as its demonstrations were "
            "recorded."
        )
