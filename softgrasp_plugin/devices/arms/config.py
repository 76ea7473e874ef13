"""Configuration of the arms, by type: `--robot.arm.type=none | ur`."""

import abc
import math
from dataclasses import dataclass

import draccus

RATES_HZ = {"ur3": 125.0, "ur3e": 500.0}


@dataclass(kw_only=True)
class ArmConfig(draccus.ChoiceRegistry, abc.ABC):
    """What carries the hand."""

    @property
    def type(self) -> str:
        return str(self.get_choice_name(self.__class__))


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
        approach_speed_rad_s: speed of the fastest joint on that way.
        approach_acceleration_rad_s2: acceleration of the fastest joint on that way.
        max_height_m: the highest lift that is ever carried out.
        max_speed_m_s: the fastest lift; the paper's is 0.1.
        max_acceleration_m_s2: of the lift.
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
        if any(not abs(angle) <= 2 * math.pi for angle in self.grasp_joints):
            raise ValueError(
                f"grasp_joints are radians inside ±2π, got {self.grasp_joints}; divide degrees by 57.3."
            )
        limits = {
            "max_approach_rad": math.pi,
            "approach_speed_rad_s": 1.0,
            "approach_acceleration_rad_s2": 5.0,
            "max_height_m": 0.5,
            "max_speed_m_s": 0.25,
            "max_acceleration_m_s2": 2.0,
            "max_joint_speed_rad_s": math.pi,
            "link_timeout_s": 0.4,
        }
        for name, most in limits.items():
            if not 0.0 < getattr(self, name) <= most:
                raise ValueError(f"{name} must lie in (0, {most:.3g}], got {getattr(self, name)}.")
        if not 0.99 < math.hypot(*self.up) < 1.01:
            raise ValueError(f"up must be a vector of length 1, got {self.up}.")
        if not 0.0 <= self.payload_kg <= 3.0:
            raise ValueError(f"A UR3 carries at most 3 kg; got payload_kg={self.payload_kg}.")
        if not 0.03 <= self.lookahead_s <= 0.2 or not 100 <= self.gain <= 2000:
            raise ValueError(
                "servoJ takes lookahead_s in 0.03…0.2 and gain in 100…2000; "
                f"got {self.lookahead_s} and {self.gain}."
            )
        if not 1.0 <= self.watchdog_hz <= 50.0:
            raise ValueError(f"watchdog_hz must lie in 1…50, got {self.watchdog_hz}.")
