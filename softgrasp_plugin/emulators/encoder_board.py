"""The DOGlove's encoder board: sixteen joint encoders that speak unasked on a pseudo-terminal."""

import numpy as np

from ..devices.gloves.encoder_frames import NUM_ENCODERS, encode_frame
from ..joints import FloatArray
from .wire import Faults, SerialEmulator


class EncoderBoardEmulator(SerialEmulator):
    """Sends a frame every 10 ms, whether somebody listens or not.

    Args:
        faults: how the line misbehaves.

    Attributes:
        degrees: (16,) angles that the encoders measure, 0…360.
    """

    def __init__(self, faults: Faults | None = None) -> None:
        self.degrees: FloatArray = np.full(NUM_ENCODERS, 10.0)
        super().__init__(lambda _: [], faults, self._speak)

    def _speak(self) -> bytes:
        return encode_frame(self.degrees)
