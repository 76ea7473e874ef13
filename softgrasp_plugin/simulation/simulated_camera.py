"""The simulated camera as a LeRobot camera."""

from typing import Any

import numpy as np
from lerobot.cameras.camera import Camera
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected
from lerobot.utils.errors import DeviceNotConnectedError
from numpy.typing import NDArray

from .config_simulated_camera import SimulatedCameraConfig
from .world import World


class SimulatedCamera(Camera):
    """Draws the world that the simulated robot has attached it to; every frame is the present state, so none
    is ever stale.
    """

    def __init__(self, config: SimulatedCameraConfig) -> None:
        super().__init__(config)
        self.config = config
        self._world: World | None = None
        self._connected = False

    def attach(self, world: World) -> None:
        """Point the camera at a world; the simulated robot does this before it connects its cameras."""
        self._world = world

    @property
    def is_connected(self) -> bool:
        return self._connected

    @staticmethod
    def find_cameras() -> list[dict[str, Any]]:
        """A simulated camera is not plugged in anywhere, so there is nothing to find."""
        return []

    @check_if_already_connected
    def connect(self, warmup: bool = True) -> None:
        """Check that there is a world to look at.

        Raises:
            DeviceNotConnectedError: if no simulated robot owns this camera.
        """
        if self._world is None:
            raise DeviceNotConnectedError(
                "A softgrasp_sim camera looks at a simulated rig, but the robot it belongs to is not "
                "simulated. Use it with --robot.type=ur3_dexhand_sim."
            )
        self._connected = True

    @check_if_not_connected
    def read(self) -> NDArray[np.uint8]:
        """Draw the present state: uint8 (height, width, 3), RGB."""
        return self._draw()

    @check_if_not_connected
    def async_read(self, timeout_ms: float = 200) -> NDArray[np.uint8]:
        """The same as `read`: the present state is always the newest frame."""
        return self._draw()

    @check_if_not_connected
    def read_latest(self, max_age_ms: int = 500) -> NDArray[np.uint8]:
        """The same as `read`: the present state is never stale."""
        return self._draw()

    def _draw(self) -> NDArray[np.uint8]:
        assert self._world is not None
        assert self.height is not None
        assert self.width is not None
        return self._world.render(self.height, self.width)

    def disconnect(self) -> None:
        self._connected = False
