from collections.abc import Iterator

import pytest

from softgrasp_plugin.devices.dynamixel import ForceMotorsBus
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator

from .dynamixel_rig import bus_on, emulated_motors


@pytest.fixture(params=[True, False], ids=["fast", "sync"])
def rig(request: pytest.FixtureRequest) -> Iterator[tuple[ForceMotorsBus, DynamixelBusEmulator]]:
    with DynamixelBusEmulator(emulated_motors()) as emulator:
        bus = bus_on(emulator, fast=request.param)
        bus.connect()
        yield bus, emulator
        bus.disconnect(disable_torque=False)
