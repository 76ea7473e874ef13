"""A rig at your desk: hand and glove on emulated wires, and between them the simulated world in real time.

    glove wire ⇄ emulated motors ⇄ simulated finger, of a simulated person who sees the simulated object
    hand wire  ⇄ emulated motors ⇄ simulated hand, which grasps the object

Whoever connects both wires (`lerobot-record` with the real drivers) closes the loop: bent fingers close the
hand, and what the hand touches the fingers feel. Nothing here knows Algorithm 1 or the mapping's other side.
"""

import math
import threading
import time
from collections.abc import Callable

import numpy as np
from lerobot.motors import MotorCalibration

from ..devices.gloves.config import GloveConfig
from ..devices.hands.calibration import FreeAirForce, HandCalibration
from ..devices.hands.config import (
    DynamixelHandConfig,
    HandConfig,
    InspireModbusRtuHandConfig,
    InspireModbusTcpHandConfig,
    InspireSerialHandConfig,
)
from ..devices.realtime import prefer_this_thread
from ..grasping.lift import LiftConfig, LiftSupervisor
from ..grasping.mapping import PAPER_MAPPING
from ..joints import JOINTS, NUM_JOINTS, FloatArray
from ..simulation.clock import FEEDBACK_RATE
from ..simulation.operator import OperatorModel, OperatorPhase
from ..simulation.world import World
from .arm import EmulatedArm
from .camera import EmulatedCamera
from .device_types import HAND_TYPES
from .dynamixel import DynamixelBusEmulator, EmulatedMotor
from .modbus import RH56ModbusServer, RH56RtuEmulator, RH56TcpEmulator
from .rh56 import RH56Registers, RH56SerialEmulator
from .worn_glove import CLOSED_TICK, MOTOR_MODEL, OPEN_TICK, worn_glove

HandWire = DynamixelBusEmulator | RH56SerialEmulator | RH56RtuEmulator | RH56TcpEmulator

HAND_LEVER_ARM_M = 0.07

_TICK_S = 1.0 / FEEDBACK_RATE
_SERVO_LAG_S = 0.03
_UNUSED_AFTER_S = 0.5
_LED_AFTER_S = 0.2
_OPENING_SPEED = 0.5
_OPEN_FOR_S = 1.0
_DOWN_M = 0.002
# One computer drives the devices and is the devices: slower than a real rig, with the same limits.
_HAND_RATE_HZ = 100.0


class Lead:
    """Whether somebody leads the hand: its goals have been written for a while, as a control loop does.

    A driver that connects writes a few goals at once, and one that only reads writes none. A person who began
    to grasp then would be ahead of the hand when the loop starts, and it would jump at the object.

    Args:
        goal_writes: number of goals written so far.
    """

    def __init__(self, goal_writes: Callable[[], int]) -> None:
        self._goal_writes = goal_writes
        self._seen = 0
        self._since = self._latest = -math.inf

    def look(self) -> bool:
        """Look again; at least twice a second."""
        now, number = time.monotonic(), self._goal_writes()
        if number != self._seen:
            if now - self._latest > _UNUSED_AFTER_S:
                self._since = now
            self._seen, self._latest = number, now
        return now - self._latest < _UNUSED_AFTER_S and self._latest - self._since > _LED_AFTER_S


class WiredJoints:
    """A `Plant` whose joints live in the world: the wire's thread writes commands and reads measurements.

    Args:
        position: shape (6,), where the joints are.
    """

    def __init__(self, position: FloatArray) -> None:
        self._lock = threading.Lock()
        self._target, self._limit_n = position.copy(), np.zeros(NUM_JOINTS)
        self._measured: tuple[FloatArray, FloatArray] = (position, np.zeros(NUM_JOINTS))

    @property
    def commanded(self) -> tuple[FloatArray, FloatArray]:
        """Targets (6,) and force limits (6,) in newtons; a joint with limit 0 is limp."""
        with self._lock:
            return self._target.copy(), self._limit_n.copy()

    def command(self, joint: int, closure: float, force_limit_n: float) -> None:
        with self._lock:
            self._target[joint], self._limit_n[joint] = closure, force_limit_n

    def measure(self) -> tuple[FloatArray, FloatArray]:
        return self._measured

    def place(self, position: FloatArray, force_n: FloatArray) -> None:
        """Tell where the joints are (6,) and what they feel (6,), in newtons."""
        self._measured = (position, force_n)


class WiredOperator(OperatorModel):
    """The simulated person, whose glove is driven through a wire and not by Algorithm 1 in here.

    Args:
        world: the world to grasp in.
        wire: the joints of the glove.

    Attributes:
        pose: glove angles (6,) that the person takes while they wait, as for a calibration; None for an open
            hand.
    """

    def __init__(self, world: World, wire: WiredJoints) -> None:
        super().__init__(world)
        self.pose: FloatArray | None = None
        self._wire = wire
        self._open_since_s = 0.0

    def _tick(self) -> None:
        angle, limit_n = self._wire.commanded
        self.glove.render(limit_n, angle)
        if self.is_active and not self.done:
            self._open_since_s = 0.0
            self._advance_phase()
            self._intention = self._intend()
        else:
            self._let_go()
        self.glove.advance(self._intention, _TICK_S)
        self._wire.place(self.glove.angle, self.glove.felt_torque)

    @property
    def has_tried(self) -> bool:
        """Whether the fingers have moved since the trial began."""
        return self.phase is not OperatorPhase.PREPARING

    @property
    def has_let_go(self) -> bool:
        """Whether the fingers have been open for a second."""
        return self._open_since_s >= _OPEN_FOR_S

    def _let_go(self) -> None:
        wanted = self._mapping.inverse(self._world.initial_closure) if self.pose is None else self.pose
        way = wanted - self._intention
        step = _OPENING_SPEED * _TICK_S
        self._intention = self._intention + np.clip(way, -step, step)
        self._open_since_s = self._open_since_s + _TICK_S if np.abs(way).max() <= step else 0.0


class EmulatedRig:
    """Opens the wires and runs the world in real time, in a thread, until `close`.

    While somebody leads the hand, the person in the glove grasps the object, holds it and lets it go,
    again and again, each time with another object of the same kind before them; else they wait with an open
    hand.

    Args:
        object_id: row of Table 2, 1…12, or a random object, 101…166.
        seed: decides everything that is random.
        hand_type: one of `HAND_TYPES`.
        glove_type: one of `GLOVE_TYPES`.
        arm: carries the hand; without one the hand lifts by itself as soon as it has grasped.
        camera: sees the world, of the same object.

    Raises:
        ValueError: for an unknown object or type of hand or glove.
    """

    def __init__(
        self,
        object_id: int = 1,
        seed: int = 0,
        hand_type: str = "dynamixel",
        glove_type: str = "dynamixel",
        arm: EmulatedArm | None = None,
        camera: EmulatedCamera | None = None,
    ) -> None:
        if hand_type not in HAND_TYPES:
            raise ValueError(f"The hand is one of {', '.join(HAND_TYPES)}; got {hand_type!r}.")
        self.world = World(object_id, seed, fps=FEEDBACK_RATE)
        self.trials = 0
        self._is_put_back = False
        self._seed = seed
        self._closure = self.world.initial_closure
        self._hand = WiredJoints(self._closure)
        self._fingers = WiredJoints(PAPER_MAPPING.inverse(self._closure))
        self.glove = worn_glove(glove_type, self._fingers)
        self.glove_wire = self.glove.wire
        self.person = WiredOperator(self.world, self._fingers)
        self._supervisor = LiftSupervisor(LiftConfig())
        self.arm = arm
        self.camera = camera
        self._ticks = 0
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self.hand_wire, goal_writes = _hand_wire(hand_type, self._hand)
        self._lead = Lead(goal_writes)
        self._thread = threading.Thread(target=self._run, name="emulated rig", daemon=True)
        self._thread.start()

    def __enter__(self) -> "EmulatedRig":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the world and unplug both wires.

        Raises:
            RuntimeError: if the world had stopped by itself.
        """
        self._stop.set()
        self._thread.join()
        self.hand_wire.close()
        self.glove.close()
        self.check()

    def check(self) -> None:
        """See that the world is still running.

        Raises:
            RuntimeError: if it has stopped by itself.
        """
        if self._failure is not None:
            raise RuntimeError("The emulated rig stopped by itself.") from self._failure

    @property
    def hand_config(self) -> HandConfig:
        """The configuration that reaches the hand."""
        if isinstance(self.hand_wire, DynamixelBusEmulator):
            return DynamixelHandConfig(
                port=self.hand_wire.port,
                models=[MOTOR_MODEL],
                lever_arm_m=[HAND_LEVER_ARM_M],
                rate_hz=_HAND_RATE_HZ,
            )
        if isinstance(self.hand_wire, RH56TcpEmulator):
            return InspireModbusTcpHandConfig(host=self.hand_wire.host, tcp_port=self.hand_wire.port)
        modbus = isinstance(self.hand_wire, RH56RtuEmulator)
        kind = InspireModbusRtuHandConfig if modbus else InspireSerialHandConfig
        return kind(port=self.hand_wire.port)

    @property
    def hand_address(self) -> str:
        """Where the hand is reached: a serial port, or host and TCP port."""
        wire = self.hand_wire
        return f"{wire.host}:{wire.port}" if isinstance(wire, RH56TcpEmulator) else wire.port

    @property
    def glove_config(self) -> GloveConfig:
        """The configuration that reaches the glove."""
        return self.glove.config

    @property
    def hand_calibration(self) -> HandCalibration:
        """What `lerobot-calibrate` would find out about the hand: sensors that read nothing in free air."""
        ends = np.array([np.zeros(NUM_JOINTS), np.ones(NUM_JOINTS)])
        has_motors = isinstance(self.hand_wire, DynamixelBusEmulator)
        return HandCalibration(
            FreeAirForce(ends, np.zeros_like(ends)), motor_calibration() if has_motors else {}
        )

    @property
    def glove_force_n(self) -> FloatArray:
        """Force (6,) that the glove's motors may press with now, newtons: what the driver lets the fingers
        feel.
        """
        return self._fingers.commanded[1]

    def _run(self) -> None:
        prefer_this_thread()
        try:
            due = time.monotonic()
            while not self._stop.wait(max(due - time.monotonic(), 0.0)):
                due = max(due + _TICK_S, time.monotonic())
                self._tick()
        except Exception as error:  # belongs to whoever calls `check` or `close`
            self._failure = error

    def _tick(self) -> None:
        target, limit_n = self._hand.commanded
        # A motor follows its goal smoothly; a step in the world's command would read as a touch.
        self._closure = self._closure + (target - self._closure) * (_TICK_S / _SERVO_LAG_S)
        self.world.command_hand(self._closure, limit_n)
        height_m = self._supervised_height() if self.arm is None else self.arm.height_m()
        is_down = height_m < _DOWN_M
        self.world.command_lift(0.0 if is_down else height_m)
        self.person.is_active = self._lead.look()
        self.world.step()
        sample = self.world.hand_sample()
        self._hand.place(sample.closure, sample.torque)
        self.glove.place(self.person.glove.angle)
        self._ticks += 1
        if self.camera is not None and self._ticks % (FEEDBACK_RATE // self.camera.fps) == 0:
            self.camera.show(self.world)
        # The hand that lifts by itself does not come down by itself.
        is_over = self.person.has_let_go and self.person.has_tried
        if is_over and (is_down or self.arm is None):
            self._next_trial()
        elif is_over and not self._is_put_back:
            # Nobody lets an open hand come down on what it has dropped.
            self.world.put_object_back()
            self._is_put_back = True

    def _next_trial(self) -> None:
        """Another object lies there, and the arm is back at the grasp pose."""
        self.trials += 1
        self._is_put_back = False
        self.world.reset(seed=self._seed + self.trials)
        self.person.reset(self.world.seed)
        self._supervisor.reset()

    def _supervised_height(self) -> float:
        sample = self.world.hand_sample()
        return self._supervisor.update(sample.closure, sample.torque, sample.timestamp)


def _hand_wire(hand_type: str, joints: WiredJoints) -> tuple[HandWire, Callable[[], int]]:
    """The wire of a hand, and how many goals have been written over it."""
    if hand_type == "dynamixel":
        bus = DynamixelBusEmulator(_motors(HAND_LEVER_ARM_M), joints)
        return bus, lambda: bus.goal_writes
    registers = RH56Registers(joints)
    if hand_type == "inspire_serial":
        return RH56SerialEmulator(registers), lambda: registers.goal_writes
    server = RH56ModbusServer(registers)
    if hand_type == "inspire_modbus_rtu":
        return RH56RtuEmulator(server), lambda: registers.goal_writes
    return RH56TcpEmulator(server), lambda: registers.goal_writes


def motor_calibration() -> dict[str, MotorCalibration]:
    """Range of six emulated motors, of a hand or a glove."""
    return {
        joint: MotorCalibration(
            id=1 + i, drive_mode=0, homing_offset=0, range_min=OPEN_TICK, range_max=CLOSED_TICK
        )
        for i, joint in enumerate(JOINTS)
    }


def _motors(lever_arm_m: float) -> list[EmulatedMotor]:
    return [
        EmulatedMotor(1 + i, MOTOR_MODEL, i, OPEN_TICK, CLOSED_TICK, lever_arm_m) for i in range(NUM_JOINTS)
    ]
