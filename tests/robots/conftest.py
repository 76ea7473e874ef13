"""The robot with its real drivers, over emulated wires."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from softgrasp_plugin.devices.hands.config import InspireSerialHandConfig
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand

from .emulated_ur3 import FakeArm, calibration


@pytest.fixture
def plant() -> FirstOrderJoints:
    return FirstOrderJoints(time_constant_s=0.01)


@pytest.fixture
def wire(plant: FirstOrderJoints) -> Iterator[RH56SerialEmulator]:
    with RH56SerialEmulator(RH56Registers(plant)) as wire:
        yield wire


@pytest.fixture
def config(request: pytest.FixtureRequest, wire: RH56SerialEmulator, tmp_path: Path) -> UR3DexHandConfig:
    hand = InspireSerialHandConfig(port=wire.port, rate_hz=200.0, reply_timeout_s=0.1, stale_after_s=0.5)
    return UR3DexHandConfig(
        id="hand",
        calibration_dir=tmp_path,
        hand=hand,
        rig=request.node.name,
        lift=LiftConfig(settle_s=0.2, speed_m_s=0.15),
        lower_after_s=0.2,
        max_closure_speed=10.0,
    )


@pytest.fixture
def robot(config: UR3DexHandConfig) -> Iterator[UR3DexHand]:
    (config.calibration_dir / "hand.json").write_text(calibration().to_json())
    robot = UR3DexHand(config)
    robot.arm = FakeArm()
    robot.connect()
    yield robot
    if robot.is_connected:
        robot.disconnect()
