"""The whole arm: our driver, its helper process, the real `ur_rtde`, and an emulated controller in a third
process.
"""

import dataclasses
import importlib.util
import logging
import math
import os
import signal
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from softgrasp_plugin.devices.arms import ur as ur_module
from softgrasp_plugin.devices.arms.bench_mount import BenchMount
from softgrasp_plugin.devices.arms.config import NoArmConfig, URArmConfig
from softgrasp_plugin.devices.arms.factory import make_arm
from softgrasp_plugin.devices.arms.ur import URArm
from softgrasp_plugin.devices.errors import DeviceError, DeviceFaultError, DeviceLostError
from tests.emulators.ur_process import GRASP_JOINTS, URControllerProcess, own_address

pytestmark = pytest.mark.slow

needs_ur_rtde = pytest.mark.skipif(
    importlib.util.find_spec("rtde_control") is None, reason="ur_rtde is not installed (extra: ur)"
)


@pytest.fixture(scope="module")
def controller() -> Iterator[URControllerProcess]:
    with URControllerProcess() as controller:
        yield controller


@pytest.fixture
def arm(controller) -> Iterator[URArm]:
    controller.ask("recover")
    arm = URArm(URArmConfig(host=controller.host, grasp_joints=GRASP_JOINTS))
    arm.connect()
    yield arm
    arm.disconnect()


def command_until_fault(arm: URArm, height_m: float = 0.0) -> tuple[Exception, float]:
    start = time.monotonic()
    while time.monotonic() - start < 5.0:
        try:
            arm.command_lift(height_m)
        except DeviceError as error:
            return error, time.monotonic() - start
        time.sleep(0.01)
    raise AssertionError("no fault within 5 s")


@needs_ur_rtde
def test_goes_to_the_grasp_pose_lifts_and_leaves_servo_mode(arm, controller, caplog) -> None:
    state = controller.ask("state")
    assert state["joints"] == pytest.approx(GRASP_JOINTS, abs=0.02)
    assert state["payload"] == pytest.approx([0.8, 0.0, 0.0, 0.06])
    assert state["tcp"] == pytest.approx([0, 0, 0.15, 0, 0, 0])
    assert state["watchdog_s"] == pytest.approx(0.2)
    bottom = state["height_m"]
    for step in range(46):
        arm.command_lift(0.1 * min(step / 30, 1.0))
        time.sleep(1 / 30)
    deadline = time.monotonic() + 5
    while abs(controller.ask("state")["height_m"] - bottom - 0.1) > 2e-3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with caplog.at_level(logging.INFO):
        arm.disconnect()
    assert "stands." in caplog.text, "read back"
    state = controller.ask("state")
    assert not state["servoing"]
    assert not state["playing"]
    assert not arm.is_connected


@needs_ur_rtde
@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        ("protective_stop", DeviceFaultError, r"UR arm \(ur3\) at 127.*: protective stop.*teach pendant"),
        ("silence", DeviceLostError, r"UR arm \(ur3\) at 127.*: nothing heard for .*network cable"),
        ("hang_up", DeviceLostError, r"UR arm \(ur3\) at 127.*: .*network cable"),
    ],
)
def test_faults_are_reported_and_nothing_blocks(arm, controller, fault, kind, message) -> None:
    controller.ask(fault)
    error, reported_after_s = command_until_fault(arm)
    assert isinstance(error, kind)
    assert reported_after_s < 0.5
    with pytest.raises(kind, match=message):
        arm.command_lift(0.1)
    assert arm.fault is error
    arm.disconnect()


@needs_ur_rtde
@pytest.mark.parametrize("fault", ["protective_stop", "silence", "hang_up"])
def test_an_arm_that_vanishes_in_the_lift_is_known_within_half_a_second(
    arm, controller, fault, caplog
) -> None:
    arm.command_lift(0.15)
    time.sleep(0.4)
    assert controller.ask(fault)["peak_joint_speed"] > 0.05, "it was on its way"
    error, reported_after_s = command_until_fault(arm, 0.15)
    assert isinstance(error, DeviceError)
    assert reported_after_s < 0.5
    arm.disconnect()
    said = "UR arm (ur3) at" in caplog.text and "could not be verified" in caplog.text
    assert said == (fault != "protective_stop"), "nobody says of a lost arm that it stands"


@needs_ur_rtde
def test_a_crashed_helper_is_a_lost_arm_and_not_our_crash(arm) -> None:
    # What ur_rtde's own reconnection was seen to do: it ends its process with a segmentation fault.
    assert arm._helper is not None
    os.kill(arm._helper._process.pid, signal.SIGSEGV)
    error, _ = command_until_fault(arm)
    assert "helper process died" in str(error)


@needs_ur_rtde
def test_a_hung_helper_is_a_lost_arm(arm) -> None:
    assert arm._helper is not None
    os.kill(arm._helper._process.pid, signal.SIGSTOP)
    error, _ = command_until_fault(arm)
    assert "silent for 0.4 s" in str(error)


@needs_ur_rtde
def test_nobody_at_the_address() -> None:
    arm = URArm(URArmConfig(host=own_address(), grasp_joints=GRASP_JOINTS))
    with pytest.raises(DeviceLostError, match=r"port 30004 \(RTDE\) does not open.*ping"):
        arm.connect()
    assert not arm.is_connected


def test_absent_ur_rtde_names_the_install_line(monkeypatch) -> None:
    monkeypatch.setattr(ur_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'lerobot_robot_softgrasp\[ur\]'.*arm.type=none"):
        URArm(URArmConfig(host="127.0.0.1", grasp_joints=GRASP_JOINTS)).connect()


def test_a_hand_on_a_bench_has_no_arm() -> None:
    arm = make_arm(NoArmConfig())
    assert isinstance(arm, BenchMount)
    arm.connect()
    arm.command_lift(0.1)
    arm.disconnect()
    assert not arm.is_connected


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"model": "ur5"}, "ur3, ur3e"),
        ({"grasp_joints": (0, -90, 90, 0, 0, 0)}, "57.3"),
        ({"max_speed_m_s": 1.0}, "max_speed_m_s"),
        ({"payload_kg": 5.0}, "3 kg"),
        ({"lookahead_s": 0.5}, "lookahead_s"),
        ({"up": (0.0, 1.0, 1.0)}, "length 1"),
        ({"watchdog_hz": 0.5}, "watchdog_hz"),
        ({"tcp": (0, 0, 1e308, 0, 0, 0)}, r"tcp\[2\]"),
        ({"payload_cog_m": (float("nan"), 0, 0)}, r"payload_cog_m\[0\]"),
    ],
)
def test_a_wrong_value_says_what_is_expected(options, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        URArmConfig(**{"host": "10.0.0.1", "grasp_joints": GRASP_JOINTS, **options})


NUMBERS = [field.name for field in dataclasses.fields(URArmConfig) if field.type in (float, "float")]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e308, -1e308, 10**400, True, "0.1", None])
@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_has_a_hard_bound(name, value) -> None:
    with pytest.raises(ValueError, match=rf"--robot\.arm\.{name} must be a number in"):
        URArmConfig(host="10.0.0.1", grasp_joints=GRASP_JOINTS, **{name: value})


def test_the_slower_limits_hold_where_two_apply() -> None:
    arm = URArmConfig(host="10.0.0.1", grasp_joints=GRASP_JOINTS)
    slow = arm.no_faster_than(0.03, 0.15)
    assert (slow.max_speed_m_s, slow.max_acceleration_m_s2) == (0.03, 0.15)
    assert arm.no_faster_than(0.2, 9.0) == arm
    assert NoArmConfig().no_faster_than(0.03, 0.15) == NoArmConfig()


@pytest.mark.parametrize(("asked", "sent"), [(0.05, 0.05), (0.5, 0.15), (1e308, 0.15), (-0.2, 0.0)])
def test_the_highest_lift_is_not_passed_on_higher(asked, sent) -> None:
    heights: list[float] = []
    arm = URArm(URArmConfig(host="10.0.0.1", grasp_joints=GRASP_JOINTS))
    arm._helper = SimpleNamespace(command_lift=heights.append)  # type: ignore[assignment]
    arm.command_lift(asked)
    assert heights == [sent]
    for nonsense in (math.nan, math.inf):
        with pytest.raises(ValueError, match="must be finite"):
            arm.command_lift(nonsense)
