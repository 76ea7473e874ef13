"""Cameras of a robot: which keys they have, and what is refused."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from lerobot.cameras.configs import CameraConfig
from lerobot.cameras.opencv import OpenCVCameraConfig
from lerobot.cameras.zmq import ZMQCameraConfig
from lerobot.datasets import LeRobotDataset
from lerobot.utils.feature_utils import build_dataset_frame, hw_to_dataset_features

from softgrasp_plugin.devices.errors import DeviceFaultError
from softgrasp_plugin.robots.cameras import camera_features, read_cameras

SIZE = {"width": 64, "height": 48, "fps": 30}


def realsense(**options: object) -> CameraConfig:
    """Its configuration needs no pyrealsense2."""
    module = importlib.import_module("lerobot.cameras.realsense.configuration_realsense")
    return module.RealSenseCameraConfig(serial_number_or_name="042222071234", **SIZE, **options)


class DepthCamera:
    """The part of LeRobot's RealSense camera that a robot reads."""

    def __init__(self, height: int = 48, width: int = 64) -> None:
        self._shape = (height, width)

    def read_latest(self, max_age_ms: int = 500) -> np.ndarray:
        return np.full((*self._shape, 3), 128, np.uint8)

    def read_latest_depth(self, max_age_ms: int = 500) -> np.ndarray:
        return np.full((*self._shape, 1), 1234, np.uint16)


def test_depth_is_observed_beside_the_picture_as_by_lerobots_own_robots() -> None:
    assert camera_features({"side": realsense(use_depth=True)}) == {
        "side": (48, 64, 3),
        "side_depth": (48, 64, 1),
    }
    assert camera_features({"side": realsense(use_depth=True, use_rgb=False)}) == {"side_depth": (48, 64, 1)}
    assert camera_features({"side": realsense()}) == {"side": (48, 64, 3)}
    assert camera_features({"side": OpenCVCameraConfig(index_or_path=0, **SIZE)}) == {"side": (48, 64, 3)}


def test_depth_survives_the_dataset(tmp_path: Path) -> None:
    shapes = camera_features({"side": realsense(use_depth=True)})
    features = hw_to_dataset_features(shapes, "observation")
    dataset = LeRobotDataset.create("softgrasp/depth", 30, features=features, root=tmp_path / "depth")
    for _ in range(3):
        pictures = read_cameras({"side": DepthCamera()}, shapes)  # type: ignore[dict-item]
        dataset.add_frame({**build_dataset_frame(features, pictures, "observation"), "task": "grasp"})
    dataset.save_episode()
    dataset.finalize()
    again = LeRobotDataset("softgrasp/depth", root=tmp_path / "depth")
    assert again.meta.depth_keys == ["observation.images.side_depth"]
    depth = again[0]["observation.images.side_depth"].numpy()
    assert np.abs(depth - 1234).max() < 15, "millimetres"


def test_two_cameras_never_share_a_key() -> None:
    cameras = {"side": realsense(use_depth=True), "side_depth": OpenCVCameraConfig(index_or_path=0, **SIZE)}
    with pytest.raises(ValueError, match="two cameras are recorded as 'side_depth'"):
        camera_features(cameras)


def test_an_option_that_the_camera_does_not_follow_is_refused() -> None:
    config = ZMQCameraConfig(server_address="127.0.0.1", color_mode="bgr", **SIZE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'side' does not follow color_mode=bgr"):
        camera_features({"side": config})


def test_pictures_of_another_size_are_refused() -> None:
    shapes = camera_features({"side": realsense()})
    with pytest.raises(
        DeviceFaultError, match=r"'side': sends pictures of shape \(24, 64, 3\), not \(48, 64"
    ):
        read_cameras({"side": DepthCamera(height=24)}, shapes)  # type: ignore[dict-item]
