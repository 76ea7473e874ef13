"""DOGlove (TEA-Lab, arXiv 2502.07730): five force-feedback motors, and an encoder board that measures the
thumb's swing.

The published DOGlove code reads the motors and never drives them; the force feedback here is ours.
"""

import logging
import math
import time

import serial
from lerobot.motors import MotorCalibration

from ...joints import JOINTS, THUMB_SWING, FloatArray
from ..errors import DeviceLostError, DeviceSilentError
from .calibration import unwrapped
from .config import DogloveConfig
from .encoder_frames import BAUDRATE, EncoderFrames
from .motor_glove import MotorGlove
from .protocol import GloveSample

logger = logging.getLogger(__name__)

_SWING = JOINTS[THUMB_SWING]
_COUNTS_PER_DEGREE = 100
_COUNTS_PER_TURN = 360 * _COUNTS_PER_DEGREE
_FIRST_FRAME_TIMEOUT_S = 1.0
_STALE_AFTER_S = 0.15


class Doglove(MotorGlove):
    """A `MotorGlove` whose thumb swing comes from the encoder board, where its port is configured."""

    config: DogloveConfig

    def __init__(self, config: DogloveConfig, calibration: dict[str, MotorCalibration]) -> None:
        self._board: EncoderBoard | None = None
        if config.encoder_port is not None:
            self._board = EncoderBoard(config.encoder_port)
        super().__init__(config, calibration)

    def connect(self) -> None:
        super().connect()
        if self._board is not None:
            try:
                self._board.connect()
            except BaseException:
                super().disconnect()
                raise

    def disconnect(self) -> None:
        try:
            super().disconnect()
        finally:
            if self._board is not None:
                self._board.disconnect()

    def read(self) -> GloveSample:
        """Read the motors, and the newest frame of the encoder board; the sample is as old as the older of
        both.

        Raises:
            DeviceError: if either does not answer.
        """
        sample = super().read()
        if self._board is None or self._ranges is None:
            return sample
        counts, heard_at = self._swing_counts(self._board)
        entry = self._calibration[_SWING]
        counts = unwrapped(counts, (entry.range_min + entry.range_max) // 2, _COUNTS_PER_TURN)
        sample.angle[THUMB_SWING] = self._ranges.normalise({_SWING: counts})[THUMB_SWING]
        return GloveSample(sample.angle, min(sample.timestamp, heard_at))

    @property
    def _measured_joints(self) -> tuple[str, ...]:
        return self._joints if self._board is None else (*self._joints, _SWING)

    @property
    def _ids(self) -> dict[str, int]:
        return {**super()._ids, _SWING: self.config.swing_encoder}

    @property
    def _wraps(self) -> dict[str, int]:
        return {_SWING: _COUNTS_PER_TURN}

    def _read_counts(self) -> dict[str, int]:
        counts = super()._read_counts()
        if self._board is not None:
            counts[_SWING] = self._swing_counts(self._board)[0]
        return counts

    def _swing_counts(self, board: "EncoderBoard") -> tuple[int, float]:
        degrees, heard_at = board.latest()
        return round(float(degrees[self.config.swing_encoder]) * _COUNTS_PER_DEGREE), heard_at


class EncoderBoard:
    """The board on its own serial port, which speaks unasked.

    Args:
        port: serial port, such as /dev/ttyACM0.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        self.frames = EncoderFrames()
        self._serial: serial.Serial | None = None
        self._newest: tuple[FloatArray, float] | None = None
        self._looked_at = -math.inf

    def __str__(self) -> str:
        return f"DOGlove encoder board on {self.port}"

    def connect(self) -> None:
        """Open the port and wait for a frame.

        Raises:
            DeviceError: if it does not open, or nothing valid comes.
        """
        try:
            self._serial = serial.Serial(self.port, BAUDRATE, timeout=0, exclusive=True)
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from error
        deadline = time.monotonic() + _FIRST_FRAME_TIMEOUT_S
        self._look()
        while self._newest is None:
            if time.monotonic() > deadline:
                self.disconnect()
                raise self._silent("it sends no valid frame.")
            time.sleep(0.005)
            self._look()

    def disconnect(self) -> None:
        if self._serial is not None:
            self._serial.close()
        self._serial, self._newest = None, None

    def latest(self) -> tuple[FloatArray, float]:
        """The newest angles (16,) in degrees, and when they came at the earliest; after a pause, waits for a
        frame for at most 150 ms.

        Raises:
            DeviceSilentError: if they are older than 150 ms.
            DeviceLostError: if the port failed.
        """
        self._look()
        deadline = time.monotonic() + _STALE_AFTER_S
        while self._newest is None or time.monotonic() - self._newest[1] > _STALE_AFTER_S:
            if time.monotonic() > deadline:
                raise self._silent("it has been silent for more than 150 ms.")
            time.sleep(0.002)
            self._look()
        return self._newest

    def _look(self) -> None:
        if self._serial is None:
            raise self._silent("it is not connected.")
        now = time.monotonic()
        try:
            if now - self._looked_at > _STALE_AFTER_S:
                # What waited while nobody looked is of unknown age.
                self._serial.reset_input_buffer()
                self.frames.forget()
                self._looked_at = now
            data = self._serial.read(self._serial.in_waiting)
        except (serial.SerialException, OSError) as error:
            raise self._lost(error) from error
        frames = self.frames.feed(data)
        if frames:
            # It came at some time since the last look; a sample's age is never understated.
            self._newest = frames[-1], self._looked_at
        self._looked_at = now

    def _lost(self, error: Exception) -> DeviceLostError:
        return DeviceLostError(
            str(self), f"the port failed ({error}).", "Check its cable and the name of the port."
        )

    def _silent(self, problem: str) -> DeviceSilentError:
        return DeviceSilentError(
            str(self), problem, "Check its cable, its power and --teleop.glove.encoder_port."
        )
