"""The robot with its real drivers, over emulated wires."""

import importlib.util
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import draccus
import numpy as np
import pytest
from lerobot.cameras.opencv import OpenCVCameraConfig  # noqa: F401 the stock commands register it too
from lerobot.robots.config import RobotConfig
from lerobot.robots.utils import make_robot_from_config
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from softgrasp_plugin.devices.arms.config import URArmConfig
from softgrasp_plugin.devices.errors import (
    DeviceError,
    DeviceFaultError,
    DeviceLostError,
    DeviceNotCalibratedError,
)
from softgrasp_plugin.devices.feel import feel_channel
from softgrasp_plugin.devices.hands import rh56_registers as rh56
from softgrasp_plugin.devices.hands.config import DynamixelHandConfig, InspireSerialHandConfig
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.joints import CLOSURE_KEYS, NUM_JOINTS, STATE_KEYS, TORQUE_KEYS
from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand
from tests.emulators.ur_process import GRASP_JOINTS, URControllerProcess

from .emulated_ur3 import FakeArm, act, calibration, closures


def test_parses_and_is_built_as_the_stock_commands_do(tmp_path: Path) -> None:
    @dataclass
    class Command:
        robot: RobotConfig

    options = {
        "type": "ur3_dexhand",
        "calibration_dir": str(tmp_path),
        "hand.type": "dynamixel",
        "hand.port": "/dev/ttyUSB0",
        "hand.models": "[xm430-w350]",
        "hand.max_force_n": "3",
        "arm.type": "ur",
        "arm.host": "192.168.0.2",
        "arm.grasp_joints": str(list(GRASP_JOINTS)),
        "cameras": "{side: {type: opencv, index_or_path: 0, width: 640, height: 480, fps: 30}}",
        "torque.mode": "limit",
        "lift.height_m": "0.05",
    }
    config = draccus.parse(Command, args=[f"--robot.{key}={value}" for key, value in options.items()]).robot
    assert isinstance(config, UR3DexHandConfig)
    assert isinstance(config.hand, DynamixelHandConfig)
    assert isinstance(config.arm, URArmConfig)
    robot = make_robot_from_config(config)
    assert isinstance(robot, UR3DexHand)
    assert tuple(robot.observation_features) == (*STATE_KEYS, "side")
    assert robot.observation_features["side"] == (480, 640, 3)
    assert tuple(robot.action_features) == STATE_KEYS
    assert not robot.is_calibrated
    with pytest.raises(DeviceNotConnectedError):
        robot.get_observation()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lower_after_s": 0.0}, "lower_after_s"),
        ({"lower_after_s": float("inf")}, "lower_after_s"),
        ({"max_closure_speed": float("nan")}, "max_closure_speed"),
        ({"max_closure_speed": 1e308}, "max_closure_speed"),
        (
            {"lift": LiftConfig(height_m=0.2)},
            r"lift\.height_m=0.2 is more than --robot\.arm\.max_height_m=0.15",
        ),
        ({"lift": LiftConfig(speed_m_s=0.2)}, r"lift\.speed_m_s"),
    ],
)
def test_refuses_what_the_devices_may_not_do(options: dict, message: str) -> None:
    arm = URArmConfig(host="192.168.0.2", grasp_joints=GRASP_JOINTS)
    with pytest.raises(ValueError, match=message):
        UR3DexHandConfig(hand=InspireSerialHandConfig(port="/dev/ttyUSB0"), arm=arm, **options)


def test_observes_commands_and_publishes_what_is_felt(robot: UR3DexHand, plant: FirstOrderJoints) -> None:
    assert tuple(robot.get_observation()) == STATE_KEYS
    act(robot, 0.6, lambda: bool(np.abs(closures(robot) - 0.6).max() < 0.01))
    plant.object_closure = 0.55
    act(robot, 0.6, lambda: robot.get_observation()[TORQUE_KEYS[0]] > 0.5)
    felt = feel_channel(robot.config.rig).latest()
    assert felt is not None
    assert felt.torque[0] > 0.5
    assert 0.0 <= time.monotonic() - felt.timestamp < 0.5
    with pytest.raises(DeviceAlreadyConnectedError):
        robot.connect()


def test_a_jump_in_the_command_is_carried_out_at_the_configured_speed(robot: UR3DexHand) -> None:
    robot.hand._limited.limiter.max_closure_speed = 0.5
    robot.send_action({})
    sent = robot.send_action(dict.fromkeys(CLOSURE_KEYS, 1.0))
    assert 0.0 < sent[CLOSURE_KEYS[0]] <= 0.5 * 0.1 + 1e-9
    act(robot, 1.0, lambda: bool(closures(robot).min() > 0.2))


def test_a_bad_action_leaves_the_hand_where_it_was_told_to_be(robot: UR3DexHand) -> None:
    act(robot, 0.3, lambda: bool(np.abs(closures(robot) - 0.3).max() < 0.01))
    with pytest.raises(ValueError, match="not finite"):
        robot.send_action(dict.fromkeys(CLOSURE_KEYS, float("nan")))
    assert closures(robot) == pytest.approx(np.full(NUM_JOINTS, 0.3), abs=0.02)


def test_lifts_what_it_grasps_and_comes_down_when_it_lets_go(
    robot: UR3DexHand, plant: FirstOrderJoints
) -> None:
    plant.object_closure = 0.5
    arm = robot.arm
    assert isinstance(arm, FakeArm)
    act(robot, 0.55, lambda: robot.lift_phase == "holding")
    assert max(arm.heights) == pytest.approx(0.1)
    assert np.diff(arm.heights).min() >= 0.0
    act(robot, 0.1, lambda: robot.lift_phase == "grasping")
    robot.send_action({})
    assert arm.heights[-1] == 0.0
    act(robot, 0.55, lambda: robot.lift_phase == "holding")


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("rtde_control") is None, reason="ur_rtde is not installed (extra: ur)"
)
def test_an_arm_comes_no_faster_than_it_was_told_to_lift(
    config: UR3DexHandConfig, plant: FirstOrderJoints
) -> None:
    """Up, down, and down again at the next connect, measured at the controller."""
    (config.calibration_dir / "hand.json").write_text(calibration().to_json())
    lift = LiftConfig(settle_s=0.2, height_m=0.03, speed_m_s=0.04)
    plant.object_closure = 0.5
    with URControllerProcess() as controller:
        arm = URArmConfig(
            host=controller.host, grasp_joints=GRASP_JOINTS, max_height_m=0.03, approach_speed_rad_s=1.0
        )
        robot = UR3DexHand(replace(config, arm=arm, lift=lift))
        heights: list[tuple[float, float]] = []
        watching = threading.Event()

        def watch() -> None:
            while not watching.wait(0.02):
                heights.append((time.monotonic(), controller.ask("state")["height_m"]))

        robot.connect()
        thread = threading.Thread(target=watch)
        thread.start()
        try:
            act(robot, 0.55, lambda: robot.lift_phase == "holding")
            act(robot, 0.1, lambda: robot.lift_phase == "lowering")
            act(robot, 0.1, lambda: robot.lift_phase == "grasping")
            act(robot, 0.55, lambda: robot.lift_phase == "holding")
            robot.disconnect()
            robot.connect()
        finally:
            watching.set()
            thread.join()
            robot.disconnect()
    times, height = np.array(heights).T
    assert np.ptp(height) == pytest.approx(0.03, abs=0.004)
    assert height[-1] == pytest.approx(height[0], abs=0.005), "connecting brought it down"
    span = 10
    speed = (height[span:] - height[:-span]) / (times[span:] - times[:-span])
    assert np.abs(speed).max() <= 0.04 * 1.15, "servoJ's smoothing and this clock add a little"


def test_stock_calibrate_stores_what_the_next_command_loads(
    config: UR3DexHandConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = UR3DexHand(config)
    robot.arm = arm = FakeArm()
    robot.connect(calibrate=False)
    assert not robot.is_calibrated
    assert not arm.is_connected, "an arm does not move for a calibration"
    with pytest.raises(DeviceNotCalibratedError, match="lerobot-calibrate"):
        robot.get_observation()
    monkeypatch.setattr(robot.hand, "calibrate", calibration)
    monkeypatch.setattr(robot, "configure", lambda: None)
    robot.calibrate()
    robot.disconnect()
    again = UR3DexHand(config)
    assert again.is_calibrated
    assert again.hand.calibration is not None
    np.testing.assert_array_equal(again.hand.calibration.free_air.force_n, calibration().free_air.force_n)


def test_a_calibration_file_of_something_else_is_refused(config: UR3DexHandConfig) -> None:
    path = config.calibration_dir / "hand.json"
    path.write_text('{"index_bend": {"id": 1}}')
    with pytest.raises(ValueError, match=r"hand\.json.*lerobot-calibrate"):
        UR3DexHand(config)


def test_an_arm_that_refuses_leaves_nothing_connected(robot: UR3DexHand) -> None:
    robot.disconnect()

    def refuse() -> None:
        raise DeviceFaultError("UR3 at 192.168.0.2", "it stands in a protective stop.", "Unlock it.")

    robot.arm.connect = refuse  # type: ignore[method-assign]
    with pytest.raises(DeviceFaultError, match="Unlock"):
        robot.connect()
    assert not robot.is_connected
    assert not robot.hand.is_connected
    assert feel_channel(robot.config.rig).latest() is None


def test_an_arm_that_stops_ends_the_episode_and_the_hand_holds(
    robot: UR3DexHand, plant: FirstOrderJoints
) -> None:
    plant.object_closure = 0.5
    act(robot, 0.55, lambda: robot.lift_phase == "holding")
    robot.arm.fault = DeviceFaultError("UR3 at 192.168.0.2", "protective stop.", "Unlock it.")  # type: ignore[attr-defined]
    with pytest.raises(DeviceFaultError, match="UR3 at"):
        robot.send_action({})
    robot.disconnect()
    assert not robot.is_connected
    assert plant.measure()[0] == pytest.approx(np.full(NUM_JOINTS, 0.55), abs=0.02), "it holds"
    assert plant.measure()[1].min() > 1.0


def test_a_hand_unplugged_in_mid_episode_is_named_and_disconnects(
    robot: UR3DexHand, wire: RH56SerialEmulator
) -> None:
    wire.close()
    with pytest.raises(DeviceError, match=r"Inspire hand.*/dev/.*cable"):
        act(robot, 0.2, lambda: False)
    robot.disconnect()
    assert not robot.is_connected
    assert not robot.arm.is_connected


def test_a_silent_hand_is_never_read_as_fresh(robot: UR3DexHand, wire: RH56SerialEmulator) -> None:
    wire.faults.silent = True
    with pytest.raises(DeviceError, match="silent"):
        act(robot, 0.2, lambda: False)
    wire.faults.silent = False


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("OpenCVCamera(0) latest frame is too old: 800.0 ms"),
        RuntimeError("OpenCVCamera(0) read thread is not running."),
    ],
)
def test_a_camera_without_pictures_is_named(robot: UR3DexHand, error: Exception) -> None:
    class FrozenCamera:
        is_connected = False

        def read_latest(self, max_age_ms: int) -> None:
            assert max_age_ms == 500, "whatever the camera's own default"
            raise error

    robot.cameras = {"side": FrozenCamera()}  # type: ignore[dict-item]
    robot._camera_shapes = {"side": (480, 640, 3)}
    with pytest.raises(DeviceError, match=r"camera.*OpenCVCamera\(0\).*cable"):
        robot.get_observation()


def test_disconnect_goes_on_where_a_device_fails(robot: UR3DexHand, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise DeviceLostError("UR3 at 192.168.0.2", "its helper died.", "Start again.")

    robot.arm.disconnect = fail  # type: ignore[method-assign]
    robot.disconnect()
    assert not robot.hand.is_connected
    assert "helper died" in caplog.text


def test_a_silence_saves_up_no_motion(
    config: UR3DexHandConfig, wire: RH56SerialEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[float] = []
    write = wire.registers.write

    def noted(address: int, data: bytes) -> None:
        if address == rh56.ANGLE_SET:
            sent.append(1.0 - int.from_bytes(data[:2], "little", signed=True) / rh56.ANGLE_OPEN)
        write(address, data)

    monkeypatch.setattr(wire.registers, "write", noted)
    config.max_closure_speed = 0.5
    (config.calibration_dir / "hand.json").write_text(calibration().to_json())
    robot = UR3DexHand(config)
    robot.connect()
    act(robot, 0.0, lambda: len(sent) > 1)
    wire.faults.silent = True
    refused, began = 0, time.monotonic()
    while time.monotonic() - began < 1.2:
        try:
            robot.send_action(dict.fromkeys(CLOSURE_KEYS, 1.0))
        except DeviceError:
            refused += 1
            assert robot._commanded.max() <= 1.0
        time.sleep(0.02)
    assert refused > 5
    wire.faults.silent = False
    time.sleep(0.3)
    act(robot, 1.0, lambda: bool(closures(robot).min() > 0.15))
    robot.disconnect()
    assert np.abs(np.diff(sent)).max() <= 0.5 * 0.1 + 1.5 / rh56.ANGLE_OPEN


def test_an_action_that_was_refused_is_not_the_last_command(
    robot: UR3DexHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot.send_action(dict.fromkeys(CLOSURE_KEYS, 0.1))

    def refuse(*_: object) -> None:
        raise DeviceLostError("the hand", "it is gone.", "Plug it in.")

    with monkeypatch.context() as patch:
        patch.setattr(robot.hand, "write", refuse)
        with pytest.raises(DeviceLostError):
            robot.send_action(dict.fromkeys(CLOSURE_KEYS, 0.9))
    assert robot._commanded == pytest.approx(np.full(NUM_JOINTS, 0.1))


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), 1e308, 60.0, True, "2.5"])
def test_speeds_no_hand_should_have_are_refused(speed: float) -> None:
    with pytest.raises(ValueError, match=r"--robot\.max_closure_speed must be a number in"):
        UR3DexHandConfig(hand=InspireSerialHandConfig(port="/dev/ttyUSB0"), max_closure_speed=speed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (calibration().to_json().replace("1.0", "25.0"), "got 25"),
        (calibration().to_json()[:60], "no calibration of a hand"),
        (
            calibration().to_json().replace('"hand": ""', '"hand": "Inspire RH56, hand_id 7"'),
            "hand_id 7, and this",
        ),
    ],
)
def test_a_calibration_that_no_hand_or_another_has_is_refused_by_file(
    config: UR3DexHandConfig, text: str, message: str
) -> None:
    (config.calibration_dir / "hand.json").write_text(text)
    with pytest.raises(ValueError, match=rf"hand\.json.*{message}.*lerobot-calibrate"):
        UR3DexHand(config)


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"torque": TorqueCommandConfig(mode="limit")}, r"set --robot\.torque\.mode=ignore"),
        ({"torque": TorqueCommandConfig(mode="track")}, r"set --robot\.torque\.mode=ignore"),
        (
            {"arm": URArmConfig(host="127.0.0.1", grasp_joints=tuple(GRASP_JOINTS))},
            r"Use --robot\.arm\.type=none",
        ),
    ],
)
def test_what_needs_torque_is_refused_of_a_hand_without(options: dict[str, object], remedy: str) -> None:
    hand = InspireSerialHandConfig(port="/dev/null", measures_torque=False)
    with pytest.raises(ValueError, match=rf"--robot\.hand\.measures_torque=false.*{remedy}"):
        UR3DexHandConfig(hand=hand, **options)  # type: ignore[arg-type]


def test_a_hand_without_torque_sensing_is_a_robot_of_six_columns(tmp_path: Path) -> None:
    with RH56SerialEmulator(RH56Registers(FirstOrderJoints(time_constant_s=0.01))) as wire:
        hand = InspireSerialHandConfig(
            port=wire.port, rate_hz=100.0, reply_timeout_s=0.1, stale_after_s=1.0, measures_torque=False
        )
        robot = UR3DexHand(UR3DexHandConfig(hand=hand, calibration_dir=tmp_path, id="numb"))
        robot.connect(calibrate=False)
        try:
            robot.hand.calibrate(lambda _: "n")
            robot.configure()
            assert tuple(robot.get_observation()) == tuple(robot.action_features) == CLOSURE_KEYS
            for _ in range(10):
                sent = robot.send_action(dict.fromkeys(CLOSURE_KEYS, 0.3))
                time.sleep(0.02)
            assert tuple(sent) == CLOSURE_KEYS
            assert robot.get_observation()["index_bend.pos"] > 0.05
            assert robot.lift_phase == "grasping"
        finally:
            robot.disconnect()
