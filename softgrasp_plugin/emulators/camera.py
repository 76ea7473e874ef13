"""An emulated network camera that looks at the world, drawn in a process of its own.

Drawing in the rig's process would hold Python's lock for milliseconds while a wire has to answer. The
pictures go out over ZMQ, in the format that LeRobot's own `ZMQCamera` reads.
"""

import importlib.util
import json
import subprocess
import sys

from ..simulation.world import World

CAMERA_NAME = "side"
"""Under this name LeRobot's camera finds the pictures in a message."""


class EmulatedCamera:
    """Starts the camera; a context manager.

    Args:
        object_id: row of Table 2 of the object in its world.
        width: columns of a picture.
        height: rows.
        fps: pictures per second.

    Attributes:
        port: TCP port on 127.0.0.1 where the pictures are published.

    Raises:
        ImportError: if ZMQ is not installed.
        RuntimeError: if the camera does not start.
    """

    def __init__(self, object_id: int, width: int, height: int, fps: int) -> None:
        if importlib.util.find_spec("zmq") is None:
            raise ImportError(
                "The emulated camera sends its pictures over ZMQ. Install it with: "
                "pip install 'lerobot[pyzmq-dep]', or use --camera=none."
            )
        self.width, self.height, self.fps = width, height, fps
        module = f"{__package__}.camera_process"
        options = [f"--object_id={object_id}", f"--width={width}", f"--height={height}"]
        # Ctrl-C is for us, and we tell the camera.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline()
        if not port:
            self._process.kill()
            raise RuntimeError("The emulated camera did not start; its error is printed above.")
        self.port = int(port)

    def __enter__(self) -> "EmulatedCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Switch the camera off."""
        self._process.communicate()

    def show(self, world: World) -> None:
        """Let the camera see the world as it is now; does not wait for the picture.

        Raises:
            BrokenPipeError: if the camera has ended.
        """
        scene = {
            "seed": world.seed,
            "qpos": world.data.qpos.tolist(),
            "squash_m": world.touch.squash_m.tolist(),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(scene) + "\n")
        self._process.stdin.flush()
