import time
from collections.abc import Iterator

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.errors import DeviceSilentError
from softgrasp_plugin.devices.gloves.config import DogloveConfig
from softgrasp_plugin.devices.gloves.doglove import Doglove
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.encoder_board import EncoderBoardEmulator
from softgrasp_plugin.joints import JOINTS, THUMB_SWING


@pytest.fixture
def board() -> Iterator[EncoderBoardEmulator]:
    with EncoderBoardEmulator() as board:
        yield board


@pytest.fixture
def motors() -> Iterator[DynamixelBusEmulator]:
    config = DogloveConfig(port="-")
    emulated = [
        EmulatedMotor(motor.id, motor.model, JOINTS.index(joint)) for joint, motor in config.motors.items()
    ]
    with DynamixelBusEmulator(emulated) as bus:
        yield bus


def calibration(swing_encoder: int = 0) -> dict[str, MotorCalibration]:
    ids = DogloveConfig(port="-").motors
    ranges = {joint: MotorCalibration(ids[joint].id, 0, 0, 1024, 3072) for joint in JOINTS[:THUMB_SWING]}
    return {**ranges, JOINTS[THUMB_SWING]: MotorCalibration(swing_encoder, 1, 0, 2000, 6000)}


def test_swing_comes_from_the_encoder_board(motors, board) -> None:
    board.degrees[3] = 30.0
    glove = Doglove(DogloveConfig(port=motors.port, encoder_port=board.port, swing_encoder=3), calibration(3))
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
    board.faults.silent = True
    with pytest.raises(DeviceSilentError, match=r"encoder board on .*silent"):
        read_for_five_seconds(glove)
    glove.disconnect()


def test_without_a_board_the_swing_stays_open(motors) -> None:
    glove = Doglove(DogloveConfig(port=motors.port), calibration())
    glove.connect()
    assert glove.read().angle[THUMB_SWING] == 0.0
    glove.disconnect()


def test_calibrates_after_a_pause_and_across_the_sensors_zero(motors, board, monkeypatch) -> None:
    """A person needs longer before each ENTER than a frame stays fresh."""
    glove = Doglove(DogloveConfig(port=motors.port, encoder_port=board.port), {})
    glove.connect()
    poses = iter([(0.0, 350.0), (1.0, 50.0)])

    def wear(_: str) -> None:
        bent, board.degrees[0] = next(poses)
        for joint in range(5):
            motors.plant.move(joint, bent)
        time.sleep(0.5)

    monkeypatch.setattr("builtins.input", wear)
    swing = glove.calibrate()[JOINTS[THUMB_SWING]]
    assert (swing.drive_mode, swing.homing_offset) == (0, 0)
    assert swing.range_max - swing.range_min == 6000
    for degrees, share in ((5.0, 0.25), (355.0, 1 / 12)):
        board.degrees[0] = degrees
        time.sleep(0.3)
        assert glove.read().angle[THUMB_SWING] == pytest.approx(share, abs=0.01)
    glove.disconnect()


def test_a_sample_is_as_old_as_the_boards_last_word(motors, board, monkeypatch) -> None:
    glove = Doglove(DogloveConfig(port=motors.port, encoder_port=board.port), calibration())
    glove.connect()
    degrees, _ = glove._board.latest()
    long_ago = time.monotonic() - 5.0
    monkeypatch.setattr(glove._board, "latest", lambda: (degrees, long_ago))
    assert glove.read().timestamp == long_ago
    glove.disconnect()


def test_swing_cannot_have_two_sources() -> None:
    with pytest.raises(ValueError, match="thumb_swing"):
        DogloveConfig(port="-", encoder_port="/dev/ttyACM0", follow={"thumb_swing": "thumb_bend"})
