"""The settings of a simulated trial: the same for robot, environment and episode."""

from dataclasses import dataclass, field, fields
from typing import Any

from ..bounds import require_within
from ..grasping.lift import LiftConfig
from .camera_faults import CameraFaults
from .objects import Surface, find_surface
from .variation import Variation


@dataclass(frozen=True, kw_only=True)
class WorldSettings(CameraFaults):
    """What lies in front of the hand, what its sensors make of it, and when the arm rises.

    Attributes:
        variation: how far the object may differ from its row of Table 2 in an episode. Pose and size, which
            the eye sees, do by default; mass, stiffness and friction, which only touch tells, do not:
            `simulation.variation.HIDDEN_VARIATION` has widths at which touch matters.
        lift: when and how the arm is raised; try a policy with what its demonstrations were recorded with.
        surface: material whose contact physics the objects have instead of their own, one of
            `objects.SURFACES`, for instance `TPE` or `stainless steel`, so that one object can be met soft
            and rigid; look, size and mass stay. A rigid material has no crush limit, a soft one brings its
            own.
        torque_noise: standard deviation of the noise on measured fingertip forces that are not zero, newtons.

    Raises:
        ValueError: for an unknown surface, or a number out of its range.
    """

    variation: Variation = Variation()  # noqa: RUF009 frozen
    lift: LiftConfig = field(default_factory=LiftConfig)
    surface: str | None = None
    torque_noise: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        require_within("torque_noise", self.torque_noise, 0.0, 10.0, "N")
        if self.surface is not None:
            find_surface(self.surface)

    @property
    def other_surface(self) -> Surface | None:
        """Contact physics that replace the object's own, if any."""
        return None if self.surface is None else find_surface(self.surface)

    @property
    def as_options(self) -> dict[str, Any]:
        """The same for a configuration that has them as `WorldOptions`."""
        return {setting.name: getattr(self, setting.name) for setting in fields(self)}


@dataclass(kw_only=True)
class WorldOptions:
    """`WorldSettings` as options, with the same names, types and defaults: the base of configurations.

    LeRobot's configurations can be changed, and Python lets no such class inherit from a frozen one.
    """

    variation: Variation = WorldSettings.variation
    lift: LiftConfig = field(default_factory=LiftConfig)
    surface: str | None = WorldSettings.surface
    torque_noise: float = WorldSettings.torque_noise
    camera_shift_m: float = WorldSettings.camera_shift_m
    camera_turn_rad: float = WorldSettings.camera_turn_rad
    dropped_frame_rate: float = WorldSettings.dropped_frame_rate

    @property
    def world(self) -> WorldSettings:
        """The settings, checked.

        Raises:
            ValueError: for an unknown surface, or a number out of its range.
        """
        return WorldSettings(
            **{setting.name: getattr(self, setting.name) for setting in fields(WorldSettings)}
        )
