"""The ways of the arm, planned before anything moves."""

from dataclasses import dataclass

import numpy as np

from ...joints import FloatArray
from ..errors import DeviceFaultError
from .config import URArmConfig
from .motion import JointPath, straight_path
from .ur_link import Link, arm_name

_STATIONS = 31
_LARGEST_STEP_RAD = 0.5
"""Neighbouring stations of the lift further apart than this lie on different branches of the kinematics."""

_PLACE_TOLERANCE_M = 2e-3
"""How far the controller's inverse and forward kinematics may be apart."""

_LEAST_REACH_M = 1e-3
"""A tool that a joint moves by less than this per radian turns on the spot."""


def plan_lift(link: Link, config: URArmConfig) -> JointPath:
    """The way straight up from the grasp pose, by height in metres.

    Raises:
        DeviceFaultError: if the arm cannot go it, or not within the configured joint speed.
    """
    heights: FloatArray = np.linspace(0.0, config.max_height_m, _STATIONS, dtype=np.float64)
    joints = [np.array(config.grasp_joints)]
    grasp = link.forward(joints[0])
    for height in heights[1:]:
        pose = grasp + np.concatenate([height * np.array(config.up), np.zeros(3)])
        joints.append(link.inverse(pose, joints[-1]))
        if np.abs(joints[-1] - joints[-2]).max() > _LARGEST_STEP_RAD:
            raise _cannot_lift(config, f"at {height * 1e3:.0f} mm the arm would have to turn over")
        miss = float(np.linalg.norm(link.forward(joints[-1])[:3] - pose[:3]))
        if not miss <= _PLACE_TOLERANCE_M:
            raise _cannot_lift(
                config, f"at {height * 1e3:.0f} mm the controller's kinematics are {miss:.3f} m apart"
            )
    path = JointPath(heights, np.stack(joints))
    speed = path.steepest * config.max_speed_m_s
    if speed > config.max_joint_speed_rad_s:
        raise _cannot_lift(
            config,
            f"a joint would have to turn at {speed:.2f} rad/s, more than "
            f"max_joint_speed_rad_s={config.max_joint_speed_rad_s}",
        )
    return path


@dataclass(frozen=True)
class PathLimits:
    """How fast a path may be followed, per unit of its position.

    Attributes:
        speed: per second.
        acceleration: per second squared.
    """

    speed: float
    acceleration: float


def plan_approach(link: Link, config: URArmConfig) -> JointPath:
    """The way from where the arm stands to the grasp pose.

    Raises:
        DeviceFaultError: if it is longer than allowed and not confirmed.
    """
    here, there = link.joints, np.array(config.grasp_joints)
    furthest = float(np.abs(there - here).max())
    if furthest > config.max_approach_rad and not config.confirm_approach:
        raise DeviceFaultError(
            arm_name(config),
            f"it stands {furthest:.2f} rad from the grasp pose, more than "
            f"max_approach_rad={config.max_approach_rad} (joints now: {np.round(here, 2).tolist()}).",
            "Bring it near with the teach pendant, or look that the straight way in joint space is free and "
            "add --robot.arm.confirm_approach=true.",
        )
    return straight_path(here, there)


def approach_limits(link: Link, config: URArmConfig, path: JointPath) -> PathLimits:
    """Limits of an approach: those of its joints, or those of the tool where they are slower.

    Args:
        link: for the controller's kinematics.
        config: the arm.
        path: the way to the grasp pose, in radians of its fastest joint.
    """
    stations: FloatArray = np.linspace(0.0, path.stations[-1], _STATIONS, dtype=np.float64)
    places = np.stack([link.forward(path.at(station))[:3] for station in stations])
    ways = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(stations)
    metres_per_radian = max(float(ways.max()), _LEAST_REACH_M)
    return PathLimits(
        speed=min(
            config.approach_speed_rad_s,
            config.max_joint_speed_rad_s,
            config.max_speed_m_s / metres_per_radian,
        ),
        acceleration=min(
            config.approach_acceleration_rad_s2, config.max_acceleration_m_s2 / metres_per_radian
        ),
    )


def _cannot_lift(config: URArmConfig, why: str) -> DeviceFaultError:
    return DeviceFaultError(
        arm_name(config),
        f"it cannot lift by {config.max_height_m} m from this grasp pose: {why}.",
        "Choose grasp_joints further from a singularity (arm stretched out, wrist 2 near 0), or a lower "
        "max_height_m.",
    )
