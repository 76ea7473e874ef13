"""The glove of an emulated rig, by type: its wires, and the configuration and calibration that go with it."""

import socket
from dataclasses import dataclass

from lerobot.motors import MotorCalibration

from ..devices.gloves.config import (
    BridgeGloveConfig,
    DogloveConfig,
    DynamixelGloveConfig,
    GloveConfig,
    GloveMotorConfig,
)
from ..joints import JOINTS, THUMB_SWING, FloatArray
from .bridge_glove import BridgeGloveEmulator
from .device_types import GLOVE_TYPES
from .dynamixel import DynamixelBusEmulator, EmulatedMotor
from .encoder_board import EncoderBoardEmulator
from .plant import Plant

MOTOR_MODEL = "xl330-m288"
OPEN_TICK, CLOSED_TICK = 1024, 3072

_LEVER_ARM_M = 0.08
# One computer drives the devices and is the devices: slower than a real rig, with the same limits.
_RATE_HZ = 125.0
_SWING_OPEN_DEG, _SWING_RANGE_DEG = 340.0, 60.0
"""The encoder of DOGlove's swing passes its zero on the way."""


@dataclass(frozen=True)
class WornGlove:
    """A glove on its wires.

    Attributes:
        wire: what the driver speaks with.
        config: the configuration that reaches it.
        calibration: what `lerobot-calibrate` finds out about a wearer who uses the whole range.
        address: where the driver finds it, in words.
        board: the encoder board of a DOGlove.
    """

    wire: DynamixelBusEmulator | BridgeGloveEmulator
    config: GloveConfig
    calibration: dict[str, MotorCalibration]
    address: str
    board: EncoderBoardEmulator | None = None

    def place(self, angle: FloatArray) -> None:
        """Tell the sensors that are on no motor where the fingers are (6,)."""
        if self.board is not None:
            swing = _SWING_OPEN_DEG + float(angle[THUMB_SWING]) * _SWING_RANGE_DEG
            self.board.degrees[0] = swing % 360.0

    def close(self) -> None:
        """Unplug it."""
        self.wire.close()
        if self.board is not None:
            self.board.close()


def worn_glove(glove_type: str, fingers: Plant) -> WornGlove:
    """A glove of that type on somebody's fingers.

    Args:
        glove_type: one of `GLOVE_TYPES`.
        fingers: six joints.

    Raises:
        ValueError: for an unknown type.
    """
    match glove_type:
        case "dynamixel":
            return _exoskeleton(fingers)
        case "doglove":
            return _doglove(fingers)
        case "bridge":
            return _bridge(fingers)
    raise ValueError(f"The glove is one of {', '.join(GLOVE_TYPES)}; got {glove_type!r}.")


def _exoskeleton(fingers: Plant) -> WornGlove:
    motors = {
        joint: GloveMotorConfig(id=1 + i, model=MOTOR_MODEL, lever_arm_m=_LEVER_ARM_M)
        for i, joint in enumerate(JOINTS)
    }
    bus = _bus(motors, fingers)
    config = DynamixelGloveConfig(port=bus.port, motors=motors, rate_hz=_RATE_HZ)
    return WornGlove(bus, config, _whole_range(motors), bus.port)


def _doglove(fingers: Plant) -> WornGlove:
    motors = DogloveConfig(port="-").motors
    bus, board = _bus(motors, fingers), EncoderBoardEmulator()
    config = DogloveConfig(port=bus.port, motors=motors, encoder_port=board.port, rate_hz=_RATE_HZ)
    swing = MotorCalibration(
        id=config.swing_encoder,
        drive_mode=0,
        homing_offset=0,
        range_min=round(100 * _SWING_OPEN_DEG),
        range_max=round(100 * (_SWING_OPEN_DEG + _SWING_RANGE_DEG)),
    )
    calibration = {**_whole_range(motors), JOINTS[THUMB_SWING]: swing}
    return WornGlove(bus, config, calibration, f"{bus.port} and {board.port}", board)


def _bridge(fingers: Plant) -> WornGlove:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    program = BridgeGloveEmulator((host, port), plant=fingers)
    program.start()
    return WornGlove(program, BridgeGloveConfig(udp_port=port, rate_hz=_RATE_HZ), {}, f"{host}:{port}")


def _bus(motors: dict[str, GloveMotorConfig], fingers: Plant) -> DynamixelBusEmulator:
    emulated = [
        EmulatedMotor(motor.id, motor.model, JOINTS.index(joint), OPEN_TICK, CLOSED_TICK, motor.lever_arm_m)
        for joint, motor in motors.items()
    ]
    return DynamixelBusEmulator(emulated, fingers)


def _whole_range(motors: dict[str, GloveMotorConfig]) -> dict[str, MotorCalibration]:
    return {
        joint: MotorCalibration(
            id=motor.id, drive_mode=0, homing_offset=0, range_min=OPEN_TICK, range_max=CLOSED_TICK
        )
        for joint, motor in motors.items()
    }
