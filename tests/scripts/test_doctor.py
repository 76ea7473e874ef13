import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import draccus
import pytest

from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.scripts import doctor_checks, doctor_software
from softgrasp_plugin.scripts.doctor_checks import (
    DISTRIBUTION,
    Finding,
    Level,
    check_plugins,
    check_realsense,
    check_serial_ports,
)
from softgrasp_plugin.scripts.doctor_config import DoctorConfig, examine, report
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig

from ..policies.small import small_policy
from ..policies.synthetic import make_dataset

QUICK_S = 0.5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "emulated"


@pytest.fixture
def rig(folder: Path) -> Iterator[EmulatedRig]:
    with emulated_rig(EmulateConfig(output_dir=folder)) as rig:
        yield rig


@pytest.fixture
def config(rig: EmulatedRig, folder: Path) -> DoctorConfig:
    config: DoctorConfig = draccus.parse(DoctorConfig, config_path=folder / "rig.json", args=[])
    return replace(config, listen_s=QUICK_S)


def by_subject(config: DoctorConfig) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(config)}


def run_doctor(*cameras: str, python_path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command with a robot whose hand is not there."""
    paths = [str(python_path or ""), os.environ.get("PYTHONPATH", "")]
    robot = ["--robot.type=ur3_dexhand", "--robot.hand.type=inspire_serial", "--robot.hand.port=/dev/none"]
    return subprocess.run(
        [sys.executable, "-m", "softgrasp_plugin.scripts.doctor", *robot, *cameras],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_the_error_that_lerobot_swallows_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = "lerobot_robot_broken_for_the_doctor"
    (tmp_path / f"{broken}.py").write_text("import a_module_that_is_not_there\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    findings = {finding.subject: finding for finding in check_plugins([broken, "numpy", DISTRIBUTION])}
    assert set(findings) == {f"plugin {broken}", f"plugin {DISTRIBUTION}"}
    assert findings[f"plugin {DISTRIBUTION}"].level is Level.GREEN
    finding = findings[f"plugin {broken}"]
    assert finding.level is Level.RED
    assert "No module named 'a_module_that_is_not_there'" in finding.text
    assert f"{broken}.py:1" in finding.text
    assert finding.remedy


def test_a_plugin_under_another_name_is_not_found_by_lerobot() -> None:
    finding = only(check_plugins(["lerobot-robot-softgrasp"]))
    assert finding.level is Level.RED
    assert "do not find it" in finding.text


def test_our_distribution_is_installed_under_the_name_that_lerobot_looks_for() -> None:
    assert importlib.metadata.metadata(DISTRIBUTION)["Name"] == DISTRIBUTION
    assert not [finding for finding in check_plugins() if finding.level is Level.RED]


def test_a_realsense_library_without_libusb_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "libusb-1.0.so.0: cannot open shared object file: No such file or directory"
    (tmp_path / "pyrealsense2.py").write_text(f"raise ImportError({message!r})\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pyrealsense2", raising=False)
    finding = only(check_realsense(needed=False))
    assert finding.level is Level.RED
    assert "libusb-1.0.so.0" in finding.text
    assert "libusb-1.0-0" in finding.remedy


def test_a_realsense_camera_without_its_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert only(check_realsense(needed=False)).level is Level.GREEN
    finding = only(check_realsense(needed=True))
    assert finding.level is Level.RED
    assert "[realsense]" in finding.remedy


def test_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks.list_ports, "comports", list)
    assert only(check_serial_ports([])).level is Level.GREEN
    missing = only(check_serial_ports(["/dev/ttyUSB_none"]))
    assert missing.level is Level.RED
    assert "lerobot-find-port" in missing.remedy
    port = tmp_path / "ttyUSB7"
    port.touch()
    assert only(check_serial_ports([str(port), str(port)])).level is Level.GREEN
    monkeypatch.setattr(doctor_checks, "latency_timer_ms", lambda _: 16)
    slow = only(check_serial_ports([str(port)]))
    assert slow.level is Level.AMBER
    assert "16 ms" in slow.text
    assert "latency_timer" in slow.remedy
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "dialout" in only(check_serial_ports([str(port)])).remedy


def test_the_report_counts_and_its_exit_code_is_one_where_something_is_red(
    capsys: pytest.CaptureFixture[str],
) -> None:
    green, amber = Finding(Level.GREEN, "a", "well"), Finding(Level.AMBER, "b", "slow", "hurry")
    assert report([green, amber]) == 0
    assert report([green, Finding(Level.RED, "c", "gone", "look for it")]) == 1
    printed = capsys.readouterr().out
    assert "1 green, 1 amber, 0 red" in printed
    assert "red    c: gone\n       → look for it" in printed


def test_answering_devices_and_their_rates(config: DoctorConfig, rig: EmulatedRig) -> None:
    findings = by_subject(config)
    assert findings["glove"].level is Level.GREEN
    hand = f"Dynamixel hand on {rig.hand_wire.port}"
    assert findings[hand].level is Level.GREEN
    for subject in (
        f"rate of {hand}",
        "rate of glove",
        "newest reading of the hand",
        "newest torque of the glove",
        "contact to feedback",
        "priority",
    ):
        assert subject in findings
    assert f"{rig.glove_config.rate_hz:.0f} Hz configured" in findings["rate of glove"].text
    assert "median" in findings["contact to feedback"].text
    assert findings["calibration of robot"].level is Level.GREEN
    assert not rig.glove_force_n.any()


def test_uncalibrated_devices_are_told_how_to_be_calibrated(config: DoctorConfig) -> None:
    assert config.robot is not None
    config.robot.id = config.teleop.id = "nobody"  # type: ignore[union-attr]
    findings = by_subject(config)
    for kind in ("robot", "teleop"):
        finding = findings[f"calibration of {kind}"]
        assert finding.level is Level.RED
        assert f"--{kind}.id" in finding.remedy
    assert findings["glove"].level is Level.GREEN, "it answers all the same"
    assert "rate of glove" not in findings


def test_a_silent_hand_and_a_missing_arm_are_red(config: DoctorConfig, rig: EmulatedRig) -> None:
    from softgrasp_plugin.devices.arms.config import URArmConfig

    rig.hand_wire.faults.silent = True
    config.robot.arm = URArmConfig(host="127.81.9.7", grasp_joints=(0.0,) * 6)  # type: ignore[union-attr]
    findings = by_subject(config)
    hand = findings[f"Dynamixel hand on {rig.hand_wire.port}"]
    assert hand.level is Level.RED
    assert hand.remedy
    arm = findings["UR arm at 127.81.9.7"]
    assert arm.level is Level.RED
    assert "30004" in arm.text


def test_priority_that_is_refused_is_amber_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "prefer_this_thread", lambda: False)
    finding = doctor_checks.check_priority()
    assert finding.level is Level.AMBER
    assert "rtprio" in finding.remedy
    monkeypatch.setattr(doctor_checks, "prefer_this_thread", lambda: True)
    assert doctor_checks.check_priority().level is Level.GREEN


@pytest.mark.slow
def test_the_command_knows_lerobots_cameras() -> None:
    """A camera that is not there is red; unknown options would end the command before it looked."""
    result = run_doctor(
        "--robot.cameras={side: {type: opencv, index_or_path: 63, width: 64, height: 48, fps: 30}}"
    )
    assert result.returncode == 1, result.stdout
    assert "red    camera side: " in result.stdout


@pytest.mark.slow
def test_the_command_explains_a_realsense_library_without_libusb(tmp_path: Path) -> None:
    """Such a library ends every command of LeRobot; LeRobot looks for its metadata, Python for its module."""
    (tmp_path / "pyrealsense2.py").write_text("raise ImportError('libusb-1.0.so.0: cannot open it')\n")
    metadata = tmp_path / "pyrealsense2-2.56.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pyrealsense2\nVersion: 2.56.0\n")
    result = run_doctor(python_path=tmp_path)
    assert result.returncode == 1, result.stdout
    assert "libusb-1.0.so.0" in result.stdout
    assert "apt-get install libusb-1.0-0" in result.stdout
    assert "Traceback" not in result.stdout


def test_what_it_finds_as_json_for_a_report(capsys: pytest.CaptureFixture[str]) -> None:
    bad = Finding(Level.RED, "c", "gone", "look for it")
    assert report([Finding(Level.GREEN, "a", "well"), bad], as_json=True) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["findings"][1] == {"level": "red", "subject": "c", "text": "gone", "remedy": "look for it"}
    assert {"python", "lerobot", "mujoco"} <= set(printed["system"])


def test_the_software_is_looked_at() -> None:
    findings = by_subject(DoctorConfig())
    for subject in ("video", "camera of the simulation", "ImageNet weights", "simulated grasp"):
        assert findings[subject].level is not Level.RED
    assert "N felt" in findings["simulated grasp"].text


def test_torchcodec_without_ffmpeg_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torchcodec.py").write_text("raise RuntimeError('a page of tracebacks')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torchcodec", raising=False)
    finding = doctor_software.check_video()
    assert finding.level is Level.AMBER
    assert "page" not in finding.text
    assert "ffmpeg" in finding.remedy


def test_the_limits_in_force_are_said(config: DoctorConfig) -> None:
    findings = by_subject(config)
    assert "max_force_n" in findings["limits of the robot"].text
    assert "max_torque" in findings["limits of the glove"].text


def test_a_dataset_and_a_policy_that_do_not_fit(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "d", episodes=1, frames=4, height=24, width=32, video=False)
    policy = small_policy("softgrasp")
    policy.config.dataset_fps = 20.0
    policy.save_pretrained(tmp_path / "p")
    found = list(examine(DoctorConfig(dataset=str(root), policy=str(tmp_path / "p"))))
    texts = [finding.text for finding in found if finding.level is Level.RED]
    assert len(texts) == 1
    assert "asked 20 times per second, but the dataset has 30" in texts[0]
    assert any("12 columns, units as expected" in finding.text for finding in found)
    assert any("normalisation" in finding.text for finding in found)


def test_degrees_where_closures_belong_are_named(tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "d", episodes=1, frames=4, height=24, width=32, video=False)
    stats = json.loads((root / "meta" / "stats.json").read_text())
    stats["action"]["max"][0] = 90.0
    (root / "meta" / "stats.json").write_text(json.dumps(stats))
    found = list(examine(DoctorConfig(dataset=str(root))))
    (red,) = [finding for finding in found if finding.level is Level.RED]
    assert "little_bend.pos" in red.text


def test_a_policy_that_is_none_is_one_line(tmp_path: Path) -> None:
    finding = only(examine(DoctorConfig(policy=str(tmp_path))))
    assert finding.level is Level.RED


def test_a_simulated_robot_needs_no_doctor() -> None:
    finding = by_subject(DoctorConfig(robot=UR3DexHandSimConfig()))["--robot.type=ur3_dexhand_sim"]
    assert finding.level is Level.GREEN


def test_a_measuring_time_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="listen_s"):
        DoctorConfig(listen_s=0.0)


def test_six_columns_are_a_hand_without_torque_sensing(tmp_path: Path) -> None:
    root = make_dataset(
        tmp_path / "d", episodes=1, frames=4, height=24, width=32, video=False, measures_torque=False
    )
    findings = list(examine(DoctorConfig(dataset=str(root))))
    said = [finding for finding in findings if "torque" in finding.text]
    assert [finding.level for finding in said] == [Level.GREEN] * 2
    assert all("--policy.modalities" in finding.text for finding in said)
