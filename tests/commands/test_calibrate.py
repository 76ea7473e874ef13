"""`lerobot-calibrate` over emulated wires, as somebody at a keyboard uses it."""

import json
import time
from pathlib import Path

import pytest

from softgrasp_plugin.devices.hands.calibration import HandCalibration
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from tests.devices.gloves.conftest import GloveBus

from .front_door import A_MOMENT_S, calibrate

pytestmark = pytest.mark.slow

OFFSET_N = 2.5
"""What force sensors read in free air; 216 to 330 g were measured on one RH56."""


def test_a_hand_notes_what_its_sensors_read_in_free_air(home: Path, tmp_path: Path) -> None:
    plant = FirstOrderJoints(time_constant_s=0.02, offset_n=OFFSET_N)
    with RH56SerialEmulator(RH56Registers(plant)) as wire:
        calibrate(
            home,
            "--robot.type=ur3_dexhand",
            "--robot.id=rh56",
            f"--robot.calibration_dir={tmp_path}",
            "--robot.hand.type=inspire_serial",
            f"--robot.hand.port={wire.port}",
            answers=[("zero its force sensors", lambda: "n"), ("empty the hand", lambda: "y")],
        )
    calibration = HandCalibration.from_json((tmp_path / "rh56.json").read_text())
    assert calibration.free_air.force_n == pytest.approx(OFFSET_N, abs=0.1)


def test_a_glove_learns_the_range_of_its_wearer(home: Path, tmp_path: Path) -> None:
    bus = GloveBus()
    bus.bend(0.1)

    def stretch() -> str:
        time.sleep(A_MOMENT_S)
        return ""

    def bend() -> str:
        bus.bend(0.9)
        return stretch()

    with bus.bus:
        motors = "{index_bend: {id: 1}, thumb_bend: {id: 2, model: xc330-m288}}"
        calibrate(
            home,
            "--teleop.type=force_glove",
            "--teleop.id=me",
            f"--teleop.calibration_dir={tmp_path}",
            "--teleop.glove.type=dynamixel",
            f"--teleop.glove.port={bus.bus.port}",
            f"--teleop.glove.motors={motors}",
            answers=[("ENTER", stretch), ("ENTER", bend)],
        )
        assert bus.currents == [0, 0]
    entries = json.loads((tmp_path / "me.json").read_text())
    assert entries["index_bend"]["range_min"] == pytest.approx(1024 + 0.1 * 2048, abs=2)
    assert entries["index_bend"]["range_max"] == pytest.approx(1024 + 0.9 * 2048, abs=2)
    assert entries["thumb_bend"]["drive_mode"] == 1, "its motor is mounted the other way round"
