"""A force-feedback glove that SoftGrasp has never heard of, as a plugin of its own: see docs/extend.md.

`Sdk` stands for the vendor's library: it reads six bends and takes six brake forces. A glove whose program
runs elsewhere, or in another language, needs none of this: see bridge_glove.py.
"""

import time
from dataclasses import dataclass

import numpy as np

from softgrasp_plugin.devices.errors import DeviceLostError
from softgrasp_plugin.devices.gloves.config import GloveConfig
from softgrasp_plugin.devices.gloves.protocol import GloveSample
from softgrasp_plugin.joints import NUM_JOINTS

STRONGEST_N = 4.0


class Sdk:
    """The vendor's library, pretended."""

    def __init__(self) -> None:
        self.bend = [0.0] * NUM_JOINTS
        self.brake = [0.0] * NUM_JOINTS

    def read(self) -> list[float]:
        return self.bend


@GloveConfig.register_subclass("my_glove")
@dataclass(kw_only=True)
class MyGloveConfig(GloveConfig):
    """`--teleop.type=force_glove --teleop.glove.type=my_glove`."""

    def make_glove(self, calibration) -> "MyGlove":
        return MyGlove(Sdk())


class MyGlove:
    """A `WearableGlove`: `GloveThread` calls it at `rate_hz` with what the hand feels, and releases it at the
    end, whatever ends the program.
    """

    is_calibrated = True  # its own software scales the bends to the wearer, 0 straight … 1 bent

    def __init__(self, sdk: Sdk) -> None:
        self._sdk = sdk
        self.is_connected = False

    def __str__(self) -> str:
        return "my glove"

    def connect(self) -> None:
        self.is_connected = True
        self.release()

    def disconnect(self) -> None:
        self.release()  # nobody may be left with a glove that pulls
        self.is_connected = False

    def read(self) -> GloveSample:
        if not self.is_connected:
            raise DeviceLostError("my glove", "is not connected.", "Connect it first.")
        return GloveSample(angle=np.clip(self._sdk.read(), 0.0, 1.0), timestamp=time.monotonic())

    def render(self, torque, angle) -> None:
        """A brake holds a finger back wherever it is; so `angle` is not needed, only the newtons are."""
        self._sdk.brake = np.clip(torque, 0.0, STRONGEST_N).tolist()

    def lead(self, torque, angle) -> None:
        """A brake cannot move a finger: in a DAgger hand-over the wearer goes to the hand's pose alone."""
        self.release()

    def release(self) -> None:
        self._sdk.brake = [0.0] * NUM_JOINTS

    def calibrate(self) -> dict:
        return {}
