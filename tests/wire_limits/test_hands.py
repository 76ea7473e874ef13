"""No action passes a limit of a hand: not on any wire, and not after silence, pushes, pauses and restarts."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import DeviceError
from softgrasp_plugin.devices.hands.calibration import FreeAirForce, HandCalibration
from softgrasp_plugin.devices.hands.config import (
    DynamixelHandConfig,
    HandConfig,
    InspireModbusRtuHandConfig,
    InspireModbusTcpHandConfig,
    InspireSerialHandConfig,
)
from softgrasp_plugin.emulators.dynamixel import DynamixelBusEmulator, EmulatedMotor
from softgrasp_plugin.emulators.modbus import RH56ModbusServer, RH56RtuEmulator, RH56TcpEmulator
from softgrasp_plugin.emulators.rh56 import RH56Registers, RH56SerialEmulator
from softgrasp_plugin.emulators.rig import motor_calibration
from softgrasp_plugin.emulators.wire import Faults
from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.joints import NUM_JOINTS
from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand

from .actions import SEED, ActionSource, share
from .conftest import rest
from .meter import MeteredHand

HANDS = ("inspire_serial", "inspire_modbus_rtu", "inspire_modbus_tcp", "dynamixel")
MAX_FORCE_N, SPEED, LONGEST_STEP_S = 4.0, 1.5, 0.1
OPTIONS = {"rate_hz": 200.0, "max_force_n": MAX_FORCE_N, "stale_after_s": 0.3}


@dataclass
class Wire:
    """A hand's configuration, how its wire misbehaves, and how its supply is switched off and on."""

    config: HandConfig
    faults: Faults
    power_cycle: Callable[[], None]


@contextlib.contextmanager
def wired(hand_type: str, joints: MeteredHand) -> Iterator[Wire]:
    if hand_type == "dynamixel":
        motors = [EmulatedMotor(1 + i, "xl330-m288", i) for i in range(NUM_JOINTS)]
        with DynamixelBusEmulator(motors, joints) as bus:

            def power_cycle() -> None:
                for motor in motors:
                    motor.reset()

            yield Wire(DynamixelHandConfig(port=bus.port, **OPTIONS), bus.faults, power_cycle)
        return
    registers = RH56Registers(joints)

    def switch_off_and_on() -> None:
        registers.__init__(joints)  # type: ignore[misc]

    options = {**OPTIONS, "reply_timeout_s": 0.03}
    server = RH56ModbusServer(registers)
    if hand_type == "inspire_serial":
        with RH56SerialEmulator(registers) as line:
            yield Wire(InspireSerialHandConfig(port=line.port, **options), line.faults, switch_off_and_on)
    elif hand_type == "inspire_modbus_rtu":
        with RH56RtuEmulator(server) as rtu:
            yield Wire(InspireModbusRtuHandConfig(port=rtu.port, **options), rtu.faults, switch_off_and_on)
    else:
        with RH56TcpEmulator(server) as tcp:
            config = InspireModbusTcpHandConfig(host=tcp.host, tcp_port=tcp.port, **options)
            yield Wire(config, tcp.faults, switch_off_and_on)


def calibration(hand_type: str) -> HandCalibration:
    ends = np.array([np.zeros(NUM_JOINTS), np.ones(NUM_JOINTS)])
    motors = motor_calibration() if hand_type == "dynamixel" else {}
    return HandCalibration(FreeAirForce(ends, np.zeros_like(ends)), motors)


@pytest.mark.parametrize("hand_type", HANDS)
@pytest.mark.parametrize("torque_mode", ["ignore", "limit", "track"])
def test_no_action_passes_a_limit(hand_type: str, torque_mode: str, tmp_path: Path) -> None:
    joints = MeteredHand(MAX_FORCE_N, SPEED, LONGEST_STEP_S)
    joints.object_closure = 0.5 if torque_mode == "track" else None  # there is something to feel, then
    source = ActionSource(SEED)
    (tmp_path / "hand.json").write_text(calibration(hand_type).to_json())
    with wired(hand_type, joints) as wire:
        robot = UR3DexHand(
            UR3DexHandConfig(
                id="hand",
                calibration_dir=tmp_path,
                hand=wire.config,
                rig=str(tmp_path),
                torque=TorqueCommandConfig(mode=torque_mode),
                lift=LiftConfig(settle_s=0.2),
                max_closure_speed=SPEED,
            )
        )
        session = Session(robot, joints, wire, source)
        try:
            for _ in range(share(0.07)):
                session.act()
                session.disturb()
                rest(source.random)
        finally:
            session.end()
    assert joints.violations == []
    assert joints.commands > 20, "the hand was hardly commanded"
    assert session.faulty == []


class Session:
    """Somebody who drives the robot, restarts it when it fails, and disturbs it between."""

    def __init__(self, robot: UR3DexHand, joints: MeteredHand, wire: Wire, source: ActionSource) -> None:
        self.robot, self.joints, self.wire, self.source = robot, joints, wire, source
        self.faulty: list[str] = []
        self._failures = 0
        self._quiet_until = 0.0

    def act(self) -> None:
        action, wrong = self.source.next()
        try:
            if not self.robot.is_connected:
                self._connect()
            self.robot.send_action(action)
            self._failures = 0
            if wrong:
                self.faulty.append(f"nonsense was taken for an action: {action}")
        except (ValueError, TypeError) as error:
            if wrong is False:
                self.faulty.append(f"{error!r} for the proper {action}")
        except DeviceError:
            # A stock command ends here; somebody starts it again at once, or goes on trying.
            self._failures += 1
            if self._failures > 10 or self.source.random.random() < 0.1:
                self.end()
        except Exception as error:
            self.faulty.append(f"{error!r} for {action}")

    def disturb(self) -> None:
        random, faults = self.source.random, self.wire.faults
        if time.monotonic() > self._quiet_until:
            faults.silent = faults.deaf = False
        match random.choices(
            ("nothing", "noise", "silent", "deaf", "push", "power", "restart"), (80, 8, 3, 3, 3, 1, 1)
        )[0]:
            case "noise":
                name = random.choice(("drop", "corrupt", "wrong_id", "late"))
                setattr(faults, name, random.randint(1, 3))
                faults.late_s = random.uniform(0.0, 0.05)
            case "silent" | "deaf" as name:
                setattr(faults, name, True)
                self._quiet_until = time.monotonic() + random.uniform(0.01, 0.4)
            case "push":
                self.joints.push(random.randrange(NUM_JOINTS), random.random())
            case "power":
                # A device that starts is silent for longer than a request is tried again.
                self.wire.power_cycle()
                faults.silent = faults.deaf = True
                self._quiet_until = time.monotonic() + 0.25
            case "restart":
                self.end()

    def end(self) -> None:
        if self.robot.is_connected:
            self.robot.disconnect()

    def _connect(self) -> None:
        self.wire.faults.silent = self.wire.faults.deaf = False
        self.robot.connect()
        self.joints.forget()
