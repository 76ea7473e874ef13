import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import draccus
import numpy as np
import pytest

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.hands.factory import make_hand
from softgrasp_plugin.emulators.device_types import HAND_TYPES
from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.grasping.mapping import PAPER_MAPPING
from softgrasp_plugin.joints import NUM_JOINTS, THUMB_BEND
from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
from softgrasp_plugin.scripts.doctor_config import DoctorConfig
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig
from softgrasp_plugin.teleoperators.config_force_glove import ForceGloveConfig


def wait_until(done) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline, "did not happen within 10 s"
        time.sleep(0.01)


@pytest.mark.parametrize("hand_type", HAND_TYPES)
def test_the_real_driver_moves_the_simulated_hand(hand_type: str) -> None:
    with EmulatedRig(hand_type=hand_type) as rig:
        hand = make_hand(rig.hand_config, FeelChannel(), rig.hand_calibration)
        hand.connect()
        start = hand.read().closure
        assert start == pytest.approx(rig.world.hand_sample().closure, abs=0.02)
        hand.write(start + np.array([0.1, 0, 0, 0, 0, 0]))
        wait_until(lambda: abs(hand.read().closure[0] - start[0] - 0.1) < 0.01)
        assert hand.read().closure[1:] == pytest.approx(start[1:], abs=0.02)
        hand.disconnect()
        wait_until(lambda: not rig.person.is_active)


@pytest.mark.parametrize("hand_type", HAND_TYPES)
def test_the_real_driver_feels_the_simulated_object(hand_type: str) -> None:
    with EmulatedRig(hand_type=hand_type) as rig:
        channel = FeelChannel()
        hand = make_hand(rig.hand_config, channel, rig.hand_calibration)
        hand.connect()

        def touches() -> bool:
            hand.write(PAPER_MAPPING(rig.person.glove.angle))
            return bool(hand.read().torque[THUMB_BEND] > 0.3)

        assert not hand.read().torque.any()
        wait_until(touches)
        felt = channel.latest()
        assert felt is not None
        assert felt.torque[THUMB_BEND] > 0.0
        assert rig.world.touch.force_n.any(), "the object itself is touched"
        hand.disconnect()


def test_the_person_waits_until_somebody_drives_the_hand() -> None:
    with EmulatedRig() as rig:
        wait_until(lambda: rig.world.time > 1.0)
        assert not rig.person.has_tried
        assert not rig.glove_force_n.any()


def test_the_files_make_lerobots_configurations(tmp_path: Path) -> None:
    with emulated_rig(EmulateConfig(output_dir=tmp_path, hand="inspire_serial")) as rig:
        config = draccus.parse(DoctorConfig, config_path=tmp_path / "rig.json", args=[])
        assert isinstance(config.robot, UR3DexHandConfig)
        assert config.robot.hand == rig.hand_config
        assert isinstance(config.teleop, ForceGloveConfig)
        assert config.teleop.glove == rig.glove_config
        record = json.loads((tmp_path / "record.json").read_text())
        assert record["robot"] == json.loads((tmp_path / "rig.json").read_text())["robot"]
        assert (tmp_path / f"{config.robot.id}.json").is_file()
        assert len(json.loads((tmp_path / f"{config.teleop.id}.json").read_text())) == NUM_JOINTS


@pytest.mark.parametrize("option", ["object", "hand", "glove", "arm"])
def test_unknown_choices_are_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"--{option} is one of"):
        EmulateConfig(**{option: "banana"})
    with pytest.raises(ValueError, match="banana"):
        EmulatedRig(hand_type="banana")
    with pytest.raises(ValueError, match="banana"):
        EmulatedRig(glove_type="banana")


def test_a_world_that_stops_is_not_passed_over() -> None:
    class NoArm:
        def height_m(self) -> float:
            raise ValueError("the arm is gone")

    rig = EmulatedRig(arm=NoArm())  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="stopped by itself"):
        rig.close()


def test_the_command_prints_what_to_try_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "softgrasp_plugin.scripts.emulate", f"--output_dir={tmp_path}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    printed = ""
    while "Ctrl-C" not in printed:
        line = process.stdout.readline()
        assert line, printed
        printed += line
    assert f"lerobot-record      --config_path={tmp_path}/record.json" in printed
    assert "/dev/" in printed
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert process.returncode == 0, rest
    assert "Unplugged" in rest
