"""Configuration of the simulated camera."""

from dataclasses import dataclass

from lerobot.cameras.configs import CameraConfig

from ..bounds import require_within
from .camera import check_picture_size
from .clock import FEEDBACK_RATE


@CameraConfig.register_subclass("softgrasp_sim")
@dataclass
class SimulatedCameraConfig(CameraConfig):
    """The fixed camera beside the simulated rig; 240×320 draws in real time on one core, 480×640 is the
    paper's size.
    """

    fps: int | None = 30
    width: int | None = 320
    height: int | None = 240

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for a size or rate out of its range.
        """
        check_picture_size("A softgrasp_sim camera: ", self.height, self.width)
        require_within("A softgrasp_sim camera: fps", self.fps, 1, FEEDBACK_RATE, "Hz")
