"""The ways of the arm, planned before anything moves."""

import numpy as np

from ...joints import FloatArray
from ..errors import DeviceFaultError
from .config import URArmConfig
from .motion import JointPath, straight_path
from .ur_link import Link, arm_name

_STATIONS = 31
_LARGEST_STEP_RAD = 0.5
"""Neighbouring stations of the lift further apart than this lie on different branches of the kinematics."""


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
    path = JointPath(heights, np.stack(joints))
    speed = path.steepest * config.max_speed_m_s
    if speed > config.max_joint_speed_rad_s:
        raise _cannot_lift(
            config,
            f"a joint would have to turn at {speed:.2f} rad/s, more than "
            f"max_joint_speed_rad_s={config.max_joint_speed_rad_s}",
        )
    return path


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


def _cannot_lift(config: URArmConfig, why: str) -> DeviceFaultError:
    return DeviceFaultError(
        arm_name(config),
        f"it cannot lift by {config.max_height_m} m from this grasp pose: {why}.",
        "Choose grasp_joints further from a singularity (arm stretched out, wrist 2 near 0), or a lower "
        "max_height_m.",
    )
