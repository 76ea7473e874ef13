"""The physics simulation of the rig. Importing the package registers the simulated camera and loads no
simulator.
"""

from .config_simulated_camera import SimulatedCameraConfig

__all__ = ["SimulatedCameraConfig"]
