"""What LeRobot's cameras show a robot: pictures, and depth where a camera measures it.

Depth is recorded as LeRobot's own robots record it: `<camera>_depth` beside `<camera>`, uint16 (H, W, 1),
millimetres.
"""

from typing import Any

import numpy as np
from lerobot.cameras.camera import Camera
from lerobot.cameras.configs import CameraConfig, ColorMode
from numpy.typing import NDArray

from ..devices.errors import DeviceFaultError, DeviceSilentError

PICTURE_TOO_OLD_MS = 500
"""A camera whose newest picture is older has stopped. Said to every camera: their own defaults differ."""

_DEPTH = "_depth"


def camera_features(cameras: dict[str, CameraConfig]) -> dict[str, tuple[int, int, int]]:
    """Shapes (H, W, channels) of what is observed, by key.

    Args:
        cameras: their configurations, by name.

    Raises:
        ValueError: if an option is set that a camera does not follow, or two cameras share a key.
    """
    features: dict[str, tuple[int, int, int]] = {}
    for name, config in cameras.items():
        if config.type == "zmq" and getattr(config, "color_mode", None) == ColorMode.BGR:
            raise ValueError(
                f"--robot.cameras: the zmq camera {name!r} does not follow color_mode=bgr: LeRobot's "
                "ZMQCamera passes channels on as they arrive. Leave it at rgb and let the sender swap them."
            )
        # LeRobot's RobotConfig has seen to it that a robot's cameras have both.
        assert config.height is not None
        assert config.width is not None
        if getattr(config, "use_rgb", True):
            _add(features, name, (config.height, config.width, 3))
        if getattr(config, "use_depth", False):
            _add(features, name + _DEPTH, (config.height, config.width, 1))
    return features


def _add(features: dict[str, tuple[int, int, int]], key: str, shape: tuple[int, int, int]) -> None:
    if key in features:
        raise ValueError(f"--robot.cameras: two cameras are recorded as {key!r}; rename one.")
    features[key] = shape


def read_cameras(
    cameras: dict[str, Camera], shapes: dict[str, tuple[int, int, int]]
) -> dict[str, NDArray[np.uint8] | NDArray[np.uint16]]:
    """The newest picture of every camera, by key; waits for none.

    Args:
        cameras: connected cameras, by name.
        shapes: what `camera_features` said.

    Raises:
        DeviceSilentError: if a camera's newest picture is older than half a second, or it has stopped.
        DeviceFaultError: if a picture has another size than configured.
    """
    pictures = {}
    for name, camera in cameras.items():
        if name in shapes:
            pictures[name] = _read(name, camera.read_latest, shapes[name])
        if name + _DEPTH in shapes:
            pictures[name + _DEPTH] = _read(name, camera.read_latest_depth, shapes[name + _DEPTH])
    return pictures


def _read(name: str, read_latest: Any, shape: tuple[int, int, int]) -> NDArray[Any]:
    try:
        picture: NDArray[Any] = read_latest(max_age_ms=PICTURE_TOO_OLD_MS)
    except (TimeoutError, RuntimeError) as error:  # too old, or LeRobot's reading thread has ended
        raise DeviceSilentError(
            f"The camera {name!r}",
            f"sends no pictures ({error}).",
            "Check its cable, use a USB 3 port of its own, and see that nothing else reads it.",
        ) from error
    if picture.shape != shape:
        raise DeviceFaultError(
            f"The camera {name!r}",
            f"sends pictures of shape {picture.shape}, not {shape}.",
            "Give it the width and height that it really has.",
        )
    return picture
