"""Configuration of the simulated camera."""

from dataclasses import dataclass

from lerobot.cameras.configs import CameraConfig


@CameraConfig.register_subclass("softgrasp_sim")
@dataclass
class SimulatedCameraConfig(CameraConfig):
    """The fixed camera beside the simulated rig; 240×320 draws in real time on one core, 480×640 is the
    paper's size.
    """

    fps: int | None = 30
    width: int | None = 320
    height: int | None = 240
