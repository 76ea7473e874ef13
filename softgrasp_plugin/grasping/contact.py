"""The contact state of each joint: free, in contact, clutched (SoftGrasp, Algorithm 1)."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ..bounds import require_within
from ..joints import NUM_JOINTS, FloatArray

IntArray = NDArray[np.int64]


_MAX_THRESHOLD_N = 20.0


class ContactState(IntEnum):
    """Algorithm 1's three cases."""

    FREE = 0
    CONTACT = 1
    CLUTCHED = 2


@dataclass
class ContactConfig:
    """When a joint touches and when it has clutched.

    Attributes:
        contact_torque: T_con per joint, newtons. thumb_swing does not press on the object: in opposition it
            carries the side load of the grip, which says little about the swing itself, so both of its
            thresholds lie well above those of the other joints.
        clutch_torque: T_clu per joint, newtons. The thumb opposes all four fingers and so clutches at a
            higher force than a finger.
        contact_motion: ΔA_con, closure per second, so that it does not depend on the control rate.
        clutch_motion: ΔA_clu, closure per second.
        hysteresis: a state is left only when the torque falls below its threshold by this fraction. The
            motion thresholds need none: motion decides on entering a state, never on leaving it.

    Raises:
        ValueError: if a value is out of range, or a clutch torque is not above its contact torque.
    """

    contact_torque: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25, 0.25, 1.0)
    clutch_torque: tuple[float, ...] = (0.5, 0.5, 0.5, 0.5, 0.7, 2.0)
    contact_motion: float = 0.5
    clutch_motion: float = 0.15
    hysteresis: float = 0.2

    def __post_init__(self) -> None:
        for name in ("contact_torque", "clutch_torque"):
            values = getattr(self, name)
            if len(values) != NUM_JOINTS:
                raise ValueError(f"{name} must be {NUM_JOINTS} positive numbers in newtons, got {values}")
            for value in values:
                require_within(
                    f"{name} must be {NUM_JOINTS} positive numbers in newtons: each",
                    value,
                    0.0,
                    _MAX_THRESHOLD_N,
                    "N",
                    above_low=True,
                )
        for name in ("clutch_motion", "contact_motion"):
            require_within(f"contact.{name}", getattr(self, name), 0.0, 10.0, "closure/s", above_low=True)
        if any(
            clutch <= contact for contact, clutch in zip(self.contact_torque, self.clutch_torque, strict=True)
        ):
            raise ValueError(
                f"clutch_torque {self.clutch_torque} must exceed contact_torque {self.contact_torque} "
                "for every joint"
            )
        if self.clutch_motion > self.contact_motion:
            raise ValueError(
                "expected 0 < clutch_motion <= contact_motion (closure per second), "
                f"got {self.clutch_motion} and {self.contact_motion}"
            )
        require_within("contact.hysteresis", self.hysteresis, 0.0, 0.9)


class ContactTracker:
    """Follows the contact state of six joints.

    Algorithm 1 leaves open what holds when a joint is loaded but still moves faster than the threshold of its
    case; there, the previous state holds. A NaN satisfies no condition, so it also leaves the state as it
    was.
    """

    def __init__(self, config: ContactConfig) -> None:
        self.config = config
        self._contact = np.array(config.contact_torque)
        self._clutch = np.array(config.clutch_torque)
        self._state: IntArray = np.full(NUM_JOINTS, ContactState.FREE, dtype=np.int64)

    @property
    def state(self) -> IntArray:
        """A copy of the states (6,), values of `ContactState`."""
        return self._state.copy()

    def reset(self) -> None:
        """Set every joint free."""
        self._state[:] = ContactState.FREE

    def update(self, torque: FloatArray, closure_rate: FloatArray) -> IntArray:
        """Advance by one tick.

        Args:
            torque: (6,) fingertip force Ts in newtons.
            closure_rate: (6,) ΔAs in closure per second, of either sign; infinite where it is not known yet.

        Returns:
            The states (6,), values of `ContactState`.

        Raises:
            ValueError: if an array does not have six entries.
        """
        torque, speed = np.asarray(torque, dtype=np.float64), np.abs(closure_rate)
        if torque.shape != (NUM_JOINTS,) or speed.shape != (NUM_JOINTS,):
            raise ValueError(
                f"expected torque and closure_rate of shape ({NUM_JOINTS},), "
                f"got {torque.shape} and {speed.shape}"
            )
        relaxed = 1 - self.config.hysteresis
        contact = np.where(self._state >= ContactState.CONTACT, relaxed, 1.0) * self._contact
        clutch = np.where(self._state >= ContactState.CLUTCHED, relaxed, 1.0) * self._clutch

        # T = T_con is contact in Eq. (1); T = T_clu is taken as clutched in the same way.
        is_free = torque < contact
        is_contact = (torque >= contact) & (torque < clutch) & (speed < self.config.contact_motion)
        is_clutched = (torque >= contact) & (torque >= clutch) & (speed < self.config.clutch_motion)
        self._state = np.select(
            [is_free, is_contact, is_clutched],
            [ContactState.FREE, ContactState.CONTACT, ContactState.CLUTCHED],
            default=self._state,
        ).astype(np.int64)
        return self.state
