import os
import pty
import threading
import time
import tty
from collections.abc import Iterator

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.errors import DeviceSilentError
from softgrasp_plugin.devices.gloves.config import DogloveConfig
from softgrasp_plugin.devices.gloves.doglove import Doglove
from softgrasp_plugin.devices.gloves.encoder_frames import encode_frame
from softgrasp_plugin.joints import JOINTS, THUMB_SWING
from softgrasp_plugin.simulation.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor


class Board:
    """Sends frames 200 times a second while it is not silent."""

    def __init__(self) -> None:
        self.degrees = np.full(16, 10.0)
        self.silent = False
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.005):
            if not self.silent:
                try:
                    os.write(self._master, encode_frame(self.degrees))
                except BlockingIOError:
                    continue

    def close(self) -> None:
        self._done.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.fixture
def motors() -> Iterator[DynamixelBusEmulator]:
    config = DogloveConfig(port="-")
    emulated = [
        EmulatedMotor(motor.id, motor.model, JOINTS.index(joint)) for joint, motor in config.motors.items()
    ]
    with DynamixelBusEmulator(emulated) as bus:
        yield bus


def calibration() -> dict[str, MotorCalibration]:
    ranges = {joint: MotorCalibration(0, 0, 0, 1024, 3072) for joint in JOINTS[:THUMB_SWING]}
    return {**ranges, JOINTS[THUMB_SWING]: MotorCalibration(3, 1, 0, 2000, 6000)}


def test_swing_comes_from_the_encoder_board(motors, board) -> None:
    board.degrees[3] = 30.0
    glove = Doglove(DogloveConfig(port=motors.port, encoder_port=board.port, swing_encoder=3), calibration())
    glove.connect()
    angle = glove.read().angle
    np.testing.assert_allclose(angle, [0, 0, 0, 0, 0, 0.75], atol=1e-3)
    glove.disconnect()


def read_for_five_seconds(glove: Doglove) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        glove.read()


def test_a_silent_board_is_an_error(motors, board) -> None:
    glove = Doglove(DogloveConfig(port=motors.port, encoder_port=board.port), calibration())
    glove.connect()
    board.silent = True
    with pytest.raises(DeviceSilentError, match=r"encoder board on .*silent"):
        read_for_five_seconds(glove)
    glove.disconnect()


def test_without_a_board_the_swing_stays_open(motors) -> None:
    glove = Doglove(DogloveConfig(port=motors.port), calibration())
    glove.connect()
    assert glove.read().angle[THUMB_SWING] == 0.0
    glove.disconnect()


def test_swing_cannot_have_two_sources() -> None:
    with pytest.raises(ValueError, match="thumb_swing"):
        DogloveConfig(port="-", encoder_port="/dev/ttyACM0", follow={"thumb_swing": "thumb_bend"})
