from collections.abc import Iterator

import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.gloves.config import DynamixelGloveConfig, GloveMotorConfig
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.joints import JOINTS

INDEX, THUMB = JOINTS.index("index_bend"), JOINTS.index("thumb_bend")


class GloveBus:
    """Two motors, index and thumb, the thumb's mounted the other way round; and the glove's configuration for
    them.
    """

    def __init__(self) -> None:
        self.plant = FirstOrderJoints(6, time_constant_s=0.02)
        self.index = EmulatedMotor(1, "xl330-m288", INDEX, lever_arm_m=0.08)
        self.thumb = EmulatedMotor(2, "xc330-m288", THUMB, open_tick=3072, closed_tick=1024, lever_arm_m=0.08)
        self.bus = DynamixelBusEmulator([self.index, self.thumb], self.plant)
        self.calibration = {
            "index_bend": MotorCalibration(1, 0, 0, 1024, 3072),
            "thumb_bend": MotorCalibration(2, 1, 0, 1024, 3072),
        }

    def config(self, **options: object) -> DynamixelGloveConfig:
        motors = {
            "index_bend": GloveMotorConfig(id=1),
            "thumb_bend": GloveMotorConfig(id=2, model="xc330-m288"),
        }
        return DynamixelGloveConfig(port=self.bus.port, motors=motors, **options)  # type: ignore[arg-type]

    def bend(self, angle: float) -> None:
        self.plant.move(INDEX, angle)
        self.plant.move(THUMB, angle)

    @property
    def currents(self) -> list[int]:
        return [motor.get(102, 2) for motor in (self.index, self.thumb)]

    @property
    def goals(self) -> list[int]:
        return [motor.get(116, 4) for motor in (self.index, self.thumb)]

    @property
    def torque_on(self) -> list[int]:
        return [motor.get(64, 1) for motor in (self.index, self.thumb)]


@pytest.fixture
def glove_bus() -> Iterator[GloveBus]:
    bus = GloveBus()
    yield bus
    bus.bus.close()
