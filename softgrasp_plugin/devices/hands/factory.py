"""From a configuration to a hand; imports the driver it needs and no other."""

import numpy as np

from ...grasping.closure_limiter import MAX_CLOSURE_SPEED
from ...joints import JOINTS, NUM_JOINTS
from ..feel import FeelChannel
from .calibration import HandCalibration
from .config import (
    DynamixelHandConfig,
    HandConfig,
    InspireConfig,
    InspireModbusRtuHandConfig,
    InspireModbusTcpHandConfig,
    InspireSerialHandConfig,
)
from .link import HandLink
from .polled_hand import PolledHand


def make_hand(
    config: HandConfig,
    channel: FeelChannel,
    calibration: HandCalibration | None = None,
    *,
    max_closure_speed: float = MAX_CLOSURE_SPEED,
) -> PolledHand:
    """Build the hand that a configuration describes; nothing is opened yet.

    Args:
        config: which hand, and where.
        channel: where its samples are published for a glove in this process.
        calibration: as returned by `PolledHand.calibrate`, or None before there is one.
        max_closure_speed: closure per second, whatever moves the hand.

    Raises:
        ValueError: for a type of hand without a driver, or motors that cannot feel.
    """
    return PolledHand(
        make_link(config, max_closure_speed),
        channel,
        calibration,
        rate_hz=config.rate_hz,
        max_closure_speed=max_closure_speed,
        stale_after_s=config.stale_after_s,
        measures_torque=config.measures_torque,
    )


def make_link(config: HandConfig, max_closure_speed: float = MAX_CLOSURE_SPEED) -> HandLink:
    """The wire and the driver that a configuration describes.

    Args:
        config: which hand, and where.
        max_closure_speed: closure per second, for a hand with a speed limit of its own; where its configured
            speed is slower, that holds.

    Raises:
        ValueError: see `make_hand`.
    """
    if isinstance(config, DynamixelHandConfig):
        return _dynamixel(config)
    if isinstance(config, InspireConfig):
        return _inspire(config, max_closure_speed)
    return config.make_link(max_closure_speed)


def _dynamixel(config: DynamixelHandConfig) -> HandLink:
    from ..dynamixel import ForceMotorsBus
    from ..dynamixel.bus import motor_table
    from .dynamixel_hand import DynamixelHand

    bus = ForceMotorsBus(
        config.port,
        motor_table(JOINTS, config.ids, config.models),
        device="Dynamixel hand",
        baudrate=config.baudrate,
        fast_sync_read=config.fast_sync_read,
    )
    lever_arms = np.broadcast_to(np.array(config.lever_arm_m), (NUM_JOINTS,))
    return DynamixelHand(bus, lever_arms, config.max_force_n)


def _inspire(config: InspireConfig, max_closure_speed: float) -> HandLink:
    from .inspire_hand import InspireHand, Registers
    from .rh56_registers import FULL_TRAVEL_S

    registers: Registers
    if isinstance(config, InspireSerialHandConfig):
        from .inspire_serial import InspireSerial

        registers = InspireSerial(config.port, config.hand_id, config.baudrate, config.reply_timeout_s)
    elif isinstance(config, InspireModbusRtuHandConfig):
        from .inspire_modbus import InspireModbusRtu

        registers = InspireModbusRtu(
            config.port,
            config.hand_id,
            config.baudrate,
            config.reply_timeout_s,
            config.byte_registers,
            config.low_byte_first,
        )
    elif isinstance(config, InspireModbusTcpHandConfig):
        from .inspire_modbus import InspireModbusTcp

        registers = InspireModbusTcp(
            config.host,
            config.tcp_port,
            config.hand_id,
            config.reply_timeout_s,
            config.byte_registers,
            config.low_byte_first,
        )
    else:
        raise ValueError(f"There is no driver for a hand of type {type(config).__name__}.")
    return InspireHand(
        registers,
        config.hand_id,
        max_force_n=config.max_force_n,
        speed=min(config.speed, max_closure_speed * FULL_TRAVEL_S),
    )
