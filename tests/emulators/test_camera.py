"""The emulated cameras, read by LeRobot's own camera classes."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lerobot.cameras.zmq import ZMQCamera, ZMQCameraConfig

from softgrasp_plugin.emulators.camera import CAMERA_NAME, EmulatedCamera
from softgrasp_plugin.emulators.realsense import SERIAL_NUMBER
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig
from softgrasp_plugin.simulation.world import World
from tests.commands.emulated import has_realsense, lerobot_command, running

HEIGHT, WIDTH = 48, 64

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("zmq") is None, reason="pyzmq is not installed (lerobot[pyzmq-dep])"
)


@pytest.fixture
def camera() -> Iterator[EmulatedCamera]:
    with EmulatedCamera(object_id=1, width=WIDTH, height=HEIGHT, fps=30) as camera:
        yield camera


def read(camera: EmulatedCamera, world: World) -> np.ndarray:
    """A picture of the world as LeRobot's camera reads it; pictures on their way may be older ones."""
    config = ZMQCameraConfig(
        server_address="127.0.0.1",
        port=camera.port,
        camera_name=CAMERA_NAME,
        width=WIDTH,
        height=HEIGHT,
        fps=30,
    )
    client = ZMQCamera(config)
    client.connect(warmup=False)
    try:
        for _ in range(10):
            camera.show(world)
            picture = client.async_read(timeout_ms=5000)
    finally:
        client.disconnect()
    return picture


def test_lerobots_camera_sees_the_world_as_it_is(camera: EmulatedCamera) -> None:
    world = World(object_id=1, seed=3)
    before = read(camera, world)
    assert np.abs(before.astype(int) - world.render(HEIGHT, WIDTH)).mean() < 8, "the colours are right"
    world.command_lift(0.1)
    for _ in range(30):
        world.step()
    after = read(camera, world)
    assert np.abs(after.astype(int) - world.render(HEIGHT, WIDTH)).mean() < 8
    assert np.abs(after.astype(int) - before).mean() > 3, "the arm has moved"


def test_a_camera_without_its_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"lerobot\[pyzmq-dep\]"):
        EmulatedCamera(object_id=1, width=WIDTH, height=HEIGHT, fps=30)


def test_a_camera_that_does_not_start_is_told() -> None:
    with pytest.raises(RuntimeError, match="did not start"):
        EmulatedCamera(object_id=99, width=WIDTH, height=HEIGHT, fps=30)


@pytest.mark.slow
@pytest.mark.skipif(not has_realsense(), reason="pyrealsense2 is not installed")
def test_lerobot_finds_the_emulated_realsense(tmp_path: Path) -> None:
    config = EmulateConfig(
        camera="realsense", camera_width=WIDTH, camera_height=HEIGHT, output_dir=tmp_path / "emulated"
    )
    with emulated_rig(config) as rig:
        pictures = tmp_path / "pictures"
        command = lerobot_command(
            "lerobot-find-cameras", config, rig, "realsense", f"--output-dir={pictures}", "--record-time-s=1"
        )
        with running(command, tmp_path) as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output[-3000:]
    assert f"Id: {SERIAL_NUMBER}" in output
    assert "Intel RealSense D435I" in output
    assert list(pictures.glob("*.png"))
