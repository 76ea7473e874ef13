"""The UR3 (CB3): its Denavit–Hartenberg parameters, forward and inverse kinematics, and its MJCF chain.

Universal Robots publishes the parameters as "DH Parameters for calculations of kinematics and dynamics", UR3.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..joints import ARM_JOINTS, FloatArray

DH_D = (0.1519, 0.0, 0.0, 0.11235, 0.08535, 0.0819)
DH_A = (0.0, -0.24365, -0.21325, 0.0, 0.0, 0.0)
DH_ALPHA = (math.pi / 2, 0.0, 0.0, math.pi / 2, -math.pi / 2, 0.0)
"""Link offset (m), length (m) and twist (rad) per joint: T = Rot_z(q) · Trans_z(d) · Trans_x(a) ·
Rot_x(alpha).
"""

LINK_MASS = (2.0, 3.42, 1.26, 0.8, 0.8, 0.35)
_STIFFNESS = (4000, 4000, 4000, 1000, 1000, 1000)
_DAMPING = (200, 200, 200, 40, 40, 40)
_TORQUE_LIMIT = (56, 56, 28, 12, 12, 12)


@dataclass(frozen=True)
class ToolPose:
    """A pose of the flange in the arm's base frame: `position` (3,) in metres, `rotation` (3, 3)."""

    position: FloatArray
    rotation: FloatArray


def _dh_transform(joint: int, angle: float) -> FloatArray:
    cq, sq = math.cos(angle), math.sin(angle)
    ca, sa = math.cos(DH_ALPHA[joint]), math.sin(DH_ALPHA[joint])
    a, d = DH_A[joint], DH_D[joint]
    return np.array(
        [[cq, -sq * ca, sq * sa, a * cq], [sq, cq * ca, -cq * sa, a * sq], [0, sa, ca, d], [0, 0, 0, 1]]
    )


def link_frames(joints: FloatArray) -> FloatArray:
    """Base frame and the six DH frames for joint angles (6,) in radians: shape (7, 4, 4), the last one the
    flange.
    """
    frames = [np.eye(4)]
    for joint, angle in enumerate(joints):
        frames.append(frames[-1] @ _dh_transform(joint, float(angle)))
    return np.stack(frames)


def forward(joints: FloatArray) -> ToolPose:
    """Pose of the flange for joint angles (6,) in radians."""
    flange = link_frames(joints)[-1]
    return ToolPose(flange[:3, 3], flange[:3, :3])


def inverse(
    target: ToolPose, start: FloatArray, tolerance: float = 1e-9, max_iterations: int = 200
) -> FloatArray:
    """Joint angles (6,) that put the flange at `target`, on the branch nearest to `start` (damped least
    squares).

    Raises:
        ValueError: the target cannot be reached from `start`.
    """
    joints = np.asarray(start, dtype=np.float64).copy()
    for _ in range(max_iterations):
        frames = link_frames(joints)
        origin, flange = frames[:-1, :3, 3], frames[-1]
        turn = target.rotation @ flange[:3, :3].T
        skew = 0.5 * np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        error = np.concatenate([target.position - flange[:3, 3], skew])
        if np.linalg.norm(error) < tolerance and np.trace(turn) > 2.9:
            return joints
        axis = frames[:-1, :3, 2]
        jacobian = np.vstack([np.cross(axis, flange[:3, 3] - origin).T, axis.T])
        step = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + 1e-8 * np.eye(6), error)
        joints += np.clip(step, -0.2, 0.2)
    raise ValueError(
        f"The UR3 cannot reach position {np.round(target.position, 3).tolist()} m in its base frame from "
        f"joints {np.round(start, 2).tolist()}; move the target towards the base or start from another pose."
    )


def lift_path(grasp: ToolPose, start: FloatArray, height_m: float, points: int) -> FloatArray:
    """Joint angles (points, 6) that raise the flange straight up from `grasp` by `height_m`, orientation
    kept.
    """
    path = [inverse(grasp, start)]
    for height in np.linspace(0.0, height_m, points)[1:]:
        path.append(
            inverse(ToolPose(grasp.position + np.array([0.0, 0.0, height]), grasp.rotation), path[-1])
        )
    return np.stack(path)


def arm_xml(hand: str) -> str:
    """MJCF of the six links with `hand` (a body) on the flange; every link compensates gravity, as the real
    controller does.

    A DH frame's rotation comes first and its offsets after it, so each body carries the previous row's
    translation and twist.
    """
    opening, closing, position, twist = "", "", "0 0 0", 0.0
    for i, joint in enumerate(ARM_JOINTS):
        rotation = f"{math.cos(twist / 2):.9f} {math.sin(twist / 2):.9f} 0 0"
        joint_class = "large_arm_joint" if i < 3 else "small_arm_joint"
        opening += (
            f'<body name="{joint}_link" pos="{position}" quat="{rotation}" gravcomp="1">'
            f'<joint name="{joint}" class="{joint_class}" axis="0 0 1"/>{_link_geoms(i)}'
        )
        closing += "</body>"
        position, twist = f"{DH_A[i]} 0 {DH_D[i]}", DH_ALPHA[i]
    flange = (
        f'<body name="flange" pos="{position}" gravcomp="1">'
        f'<geom class="joint_cap" type="cylinder" fromto="0 0 -0.020 0 0 0" size="0.0315" mass="0.05"/>'
        f"{hand}</body>"
    )
    return opening + flange + closing


_TUBE_RADIUS = (0.040, 0.034, 0.028, 0.026, 0.026, 0.026)
_JOINT_RADIUS = (0.047, 0.047, 0.039, 0.034, 0.034, 0.032)
_SIDE_OFFSET = 0.09
"""The upper arm runs beside the shoulder; its DH frame does not say so (offset of the drawing only)."""


def _link_geoms(i: int) -> str:
    """Drawing of one link: the joint's housing with its blue cap, and the grey tube to the next joint."""
    mass, radius, tube = LINK_MASS[i] / 2, _JOINT_RADIUS[i], _TUBE_RADIUS[i]
    side = _SIDE_OFFSET if i == 1 else 0.0
    low, high = (-0.045, 0.045 + side) if i == 1 else (-0.042, 0.042)
    geoms = (
        f'<geom class="housing" type="cylinder" fromto="0 0 {low} 0 0 {high}" size="{radius}" mass="{mass}"/>'
        f'<geom class="joint_cap" type="cylinder" fromto="0 0 {high} 0 0 {high + 0.012}" '
        f'size="{radius * 0.93}"/>'
    )
    if math.hypot(DH_A[i], DH_D[i]) > 1e-3:
        end = f"{DH_A[i]} 0 {DH_D[i] + side}"
        geoms += f'<geom class="tube" type="capsule" fromto="0 0 {side} {end}" size="{tube}" mass="{mass}"/>'
    return geoms


def servo_xml() -> str:
    """MJCF position servos of the six arm joints, named as the joints."""
    return "".join(
        f'<position name="{joint}" joint="{joint}" kp="{kp}" kv="{kv}" forcerange="-{limit} {limit}"/>'
        for joint, kp, kv, limit in zip(ARM_JOINTS, _STIFFNESS, _DAMPING, _TORQUE_LIMIT, strict=True)
    )
