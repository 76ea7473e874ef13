"""What runs in the emulated camera's process: scenes come in on standard input, pictures go out over ZMQ."""

import argparse
import base64
import json
import sys
import threading
import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import zmq

from ..simulation.engine import mujoco
from ..simulation.world import World
from .camera import CAMERA_NAME

_JPEG_QUALITY = 95
_REPEAT_S = 0.2
"""A world that stands still is seen all the same. LeRobot's camera, moreover, has to be receiving pictures to
end well: it closes its socket under a thread that still waits for one, and ZMQ then aborts the process.
"""


class Newest:
    """The newest line of standard input; older ones are dropped, as a camera drops frames."""

    def __init__(self) -> None:
        self._line: str | None = None
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def has_ended(self) -> bool:
        """Whether there will be no more lines."""
        return self._ended

    def wait(self, timeout_s: float) -> str | None:
        """The next line that nobody has had; None if there is none within the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._line is not None or self._ended, timeout_s)
            line, self._line = self._line, None
            return line

    def _listen(self) -> None:
        for line in sys.stdin:
            with self._changed:
                self._line = line
                self._changed.notify()
        with self._changed:
            self._ended = True
            self._changed.notify()


def draw(world: World, scene: dict[str, Any], height: int, width: int) -> str:
    """The picture of a scene as LeRobot's image server sends it: JPEG, in base64.

    Args:
        world: of the same object; takes on the scene's state.
        scene: `seed` of the episode, joint positions `qpos`, and `squash_m` of the object.
        height: rows of the picture.
        width: columns.
    """
    if world.seed != scene["seed"]:
        world.reset(seed=scene["seed"])
    world.data.qpos[:] = scene["qpos"]
    mujoco.mj_kinematics(world.model, world.data)
    world.touch = replace(world.touch, squash_m=np.array(scene["squash_m"]))
    # LeRobot's server and camera swap no channels: what goes in as RGB comes out as RGB.
    _, jpeg = cv2.imencode(".jpg", world.render(height, width), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return base64.b64encode(jpeg.tobytes()).decode()


def main() -> None:
    """Draw until standard input ends."""
    parser = argparse.ArgumentParser(description="An emulated camera.")
    for name in ("object_id", "width", "height"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    world = World(options.object_id)
    context = zmq.Context()
    publisher = context.socket(zmq.PUB)
    publisher.setsockopt(zmq.LINGER, 0)
    publisher.setsockopt(zmq.SNDHWM, 1)
    print(publisher.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    scenes, picture = Newest(), None
    while not scenes.has_ended:
        line = scenes.wait(_REPEAT_S)
        if line is not None:
            picture = draw(world, json.loads(line), options.height, options.width)
        if picture is not None:
            message = {"timestamps": {CAMERA_NAME: time.time()}, "images": {CAMERA_NAME: picture}}
            publisher.send_string(json.dumps(message))
    context.destroy()


if __name__ == "__main__":
    main()
