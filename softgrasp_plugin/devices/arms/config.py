"""Configuration of the arms, by type: `--robot.arm.type=none | ur`."""

import abc
import math
from dataclasses import dataclass, replace
from typing import Self

import draccus

from ...bounds import require_within

RATES_HZ = {"ur3": 125.0, "ur3e": 500.0}
_FULL_TURN = 2 * math.pi


@dataclass(kw_only=True)
class ArmConfig(draccus.ChoiceRegistry, abc.ABC):
    """What carries the hand."""

    @property
    def type(self) -> str:
        return str(self.get_choice_name(self.__class__))

    def no_faster_than(self, speed_m_s: float, acceleration_m_s2: float) -> Self:
        """The same arm, with the slower limits where two apply; an arm that does not move has none."""
        return self


@ArmConfig.register_subclass("none")
@dataclass(kw_only=True)
class NoArmConfig(ArmConfig):
    """The hand is mounted on a bench; nothing lifts it."""


@ArmConfig.register_subclass("ur")
@dataclass(kw_only=True)
class URArmConfig(ArmConfig):
    """A UR3 or UR3e through `ur_rtde`. The limits are the driver's own and hold beside the controller's
    safety settings.

    Attributes:
        host: address of the controller.
        grasp_joints: the six joint angles of the grasp pose in radians, base to wrist 3 (teach pendant: Move,
            divided by 57.3).
        model: ur3 (CB3, commanded at 125 Hz) or ur3e (500 Hz).
        max_approach_rad: connecting moves the arm to the grasp pose only if no joint is further away than
            this. An arm left at the top of a 100 mm lift (some 0.5 rad) is inside the default.
        confirm_approach: move there from anywhere, on a straight line in joint space. Look at the way first.
        approach_speed_rad_s: speed of the fastest joint on that way; the limits of the tool and of the joints
            below hold there too.
        approach_acceleration_rad_s2: acceleration of the fastest joint on that way.
        max_height_m: the highest lift that is ever carried out.
        max_speed_m_s: of the tool, in every motion: approach, lift, coming down; the paper's lift has 0.1.
        max_acceleration_m_s2: of the tool, likewise. Only a stop is quicker where it would take more than
            half a second.
        max_joint_speed_rad_s: a lift that would need more in any joint is refused at connect.
        up: the direction of the lift in the arm's base frame; (0, 0, 1) for an arm that stands on a table.
        payload_kg: mass of the hand with its flange, camera and cables.
        payload_cog_m: its centre of mass in the flange frame.
        tcp: tool centre in the flange frame: x, y, z in metres, rotation vector in radians.
        lookahead_s: servoJ's smoothing, 0.03…0.2.
        gain: servoJ's gain, 100…2000.
        watchdog_hz: the controller ends the program when commands come more slowly than this; the arm then
            stops.
        link_timeout_s: with no news from the controller for so long, the link counts as lost.
    """

    host: str
    grasp_joints: tuple[float, float, float, float, float, float]
    model: str = "ur3"
    max_approach_rad: float = 0.7
    confirm_approach: bool = False
    approach_speed_rad_s: float = 0.2
    approach_acceleration_rad_s2: float = 0.4
    max_height_m: float = 0.15
    max_speed_m_s: float = 0.15
    max_acceleration_m_s2: float = 0.8
    max_joint_speed_rad_s: float = 1.0
    up: tuple[float, float, float] = (0.0, 0.0, 1.0)
    payload_kg: float = 0.8
    payload_cog_m: tuple[float, float, float] = (0.0, 0.0, 0.06)
    tcp: tuple[float, float, float, float, float, float] = (0.0, 0.0, 0.15, 0.0, 0.0, 0.0)
    lookahead_s: float = 0.1
    gain: float = 300.0
    watchdog_hz: float = 5.0
    link_timeout_s: float = 0.25

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        if self.model not in RATES_HZ:
            raise ValueError(f"model is one of {', '.join(RATES_HZ)}; got {self.model!r}.")
        for joint, angle in enumerate(self.grasp_joints):
            _require(f"grasp_joints[{joint}]", angle, -_FULL_TURN, _FULL_TURN, "rad (divide degrees by 57.3)")
        for name, low, high, unit in (
            ("max_approach_rad", 0.0, math.pi, "rad"),
            ("approach_speed_rad_s", 0.0, 1.0, "rad/s"),
            ("approach_acceleration_rad_s2", 0.0, 5.0, "rad/s²"),
            ("max_height_m", 0.0, 0.5, "m"),
            ("max_speed_m_s", 0.0, 0.25, "m/s"),
            ("max_acceleration_m_s2", 0.0, 2.0, "m/s²"),
            ("max_joint_speed_rad_s", 0.0, math.pi, "rad/s"),
            ("link_timeout_s", 0.0, 0.4, "s"),
        ):
            _require(name, getattr(self, name), low, high, unit, above_low=True)
        _require("payload_kg", self.payload_kg, 0.0, 3.0, "kg (a UR3 carries 3 kg)")
        for axis in range(3):
            _require(f"up[{axis}]", self.up[axis], -1.0, 1.0)
            _require(f"payload_cog_m[{axis}]", self.payload_cog_m[axis], -0.5, 0.5, "m")
            _require(f"tcp[{axis}]", self.tcp[axis], -0.5, 0.5, "m")
            _require(f"tcp[{axis + 3}]", self.tcp[axis + 3], -_FULL_TURN, _FULL_TURN, "rad")
        if not 0.99 < math.hypot(*self.up) < 1.01:
            raise ValueError(f"--robot.arm.up must be a vector of length 1, got {self.up}.")
        _require("lookahead_s", self.lookahead_s, 0.03, 0.2, "s (servoJ)")
        _require("gain", self.gain, 100, 2000, "(servoJ)")
        _require("watchdog_hz", self.watchdog_hz, 1.0, 50.0, "Hz")

    def no_faster_than(self, speed_m_s: float, acceleration_m_s2: float) -> Self:
        """The same arm, with the slower limits where two apply."""
        return replace(
            self,
            max_speed_m_s=min(self.max_speed_m_s, speed_m_s),
            max_acceleration_m_s2=min(self.max_acceleration_m_s2, acceleration_m_s2),
        )


def _require(
    name: str, value: float, low: float, high: float, unit: str = "", *, above_low: bool = False
) -> None:
    require_within(f"--robot.arm.{name}", value, low, high, unit, above_low=above_low)
