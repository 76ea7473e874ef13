"""Poses as a UR controller writes them."""

import math
from collections.abc import Sequence

import numpy as np

from ..joints import FloatArray
from ..simulation.arm import ToolPose


def pose(values: Sequence[float]) -> ToolPose:
    """UR's x, y, z [m] and rotation vector [rad]."""
    vector = np.array(values[3:])
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return ToolPose(np.array(values[:3]), np.eye(3))
    x, y, z = vector / angle
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    rotation = np.eye(3) + math.sin(angle) * skew + (1.0 - math.cos(angle)) * skew @ skew
    return ToolPose(np.array(values[:3]), rotation)


def pose_values(of: ToolPose) -> list[float]:
    """The inverse of `pose`."""
    return [*of.position.tolist(), *rotation_vector(of.rotation).tolist()]


def rotation_vector(rotation: FloatArray) -> FloatArray:
    """Axis times angle (3,), radians, of a rotation matrix (3, 3)."""
    angle = math.acos(min(max((float(np.trace(rotation)) - 1.0) / 2.0, -1.0), 1.0))
    if angle < 1e-9:
        return np.zeros(3)
    if math.pi - angle < 1e-6:
        # Half a turn: R = 2·u·uᵀ − 1, so any non-zero column of R + 1 points along the axis u.
        axis = max((rotation + np.eye(3)).T, key=lambda column: float(np.linalg.norm(column)))
        return np.asarray(angle * axis / np.linalg.norm(axis), dtype=np.float64)
    skew = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    return np.asarray(angle / (2.0 * math.sin(angle)) * skew, dtype=np.float64)
