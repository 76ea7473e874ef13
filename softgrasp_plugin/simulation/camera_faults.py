"""What may be wrong with the camera in an evaluation: knocked out of its place, or losing pictures."""

import math
from dataclasses import dataclass

import numpy as np

from ..bounds import require_within
from ..joints import FloatArray


@dataclass(frozen=True)
class CameraFaults:
    """Disturbances of the camera, drawn from the seed of each episode; off by default.

    Attributes:
        camera_shift_m: half-width in metres of a uniform shift along each axis of the world; the
            camera keeps its direction.
        camera_turn_rad: half-width in radians of a uniform rotation about each axis of the camera.
        dropped_frame_rate: probability, 0…1, that a control tick gets the camera's previous picture again.

    Raises:
        ValueError: for a value out of its range.
    """

    camera_shift_m: float = 0.0
    camera_turn_rad: float = 0.0
    dropped_frame_rate: float = 0.0

    def __post_init__(self) -> None:
        require_within("camera_shift_m", self.camera_shift_m, 0.0, 0.1, "m")
        require_within("camera_turn_rad", self.camera_turn_rad, 0.0, 0.5, "rad")
        require_within("dropped_frame_rate", self.dropped_frame_rate, 0.0, 1.0)

    @property
    def moves_camera(self) -> bool:
        return self.camera_shift_m > 0 or self.camera_turn_rad > 0

    def draw_move(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Shift (3,) in metres along the world's axes, and rotation (3, 3) in the camera's frame."""
        shift = rng.uniform(-self.camera_shift_m, self.camera_shift_m, 3)
        return shift, _rotation(rng.uniform(-self.camera_turn_rad, self.camera_turn_rad, 3))


def _rotation(vector: FloatArray) -> FloatArray:
    """Matrix (3, 3) of the rotation about `vector` (3,) by its length in radians (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross))
