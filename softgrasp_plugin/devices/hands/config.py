"""Configuration of the hands, by type: `--robot.hand.type=inspire_serial | inspire_modbus_rtu | …`."""

import abc
from dataclasses import dataclass, field

import draccus

from ...joints import NUM_JOINTS
from ..polling import STALE_AFTER_S

MAXIMUM_FORCE_N = 30.0


@dataclass(kw_only=True)
class HandConfig(draccus.ChoiceRegistry, abc.ABC):
    """A six-joint hand.

    Attributes:
        rate_hz: how often the hand is read, if it is fast enough; its thread does not wait for LeRobot's
            loop.
        max_force_n: no joint is ever allowed more than this, in newtons at the fingertip. Start low.
        stale_after_s: a hand that has been silent for so long stops the episode.
    """

    rate_hz: float
    max_force_n: float = 8.0
    stale_after_s: float = STALE_AFTER_S

    @property
    def type(self) -> str:
        return str(self.get_choice_name(self.__class__))

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        if not 10.0 <= self.rate_hz <= 1000.0:
            raise ValueError(f"rate_hz must lie in 10…1000, got {self.rate_hz}.")
        if not 0.0 < self.max_force_n <= MAXIMUM_FORCE_N:
            raise ValueError(
                f"max_force_n must lie in (0, {MAXIMUM_FORCE_N:.0f}] newtons, got {self.max_force_n}."
            )
        if not 0.0 < self.stale_after_s <= 1.0:
            raise ValueError(f"stale_after_s must lie in (0, 1] seconds, got {self.stale_after_s}.")


@dataclass(kw_only=True)
class InspireConfig(HandConfig):
    """What every Inspire RH56 has in common.

    Attributes:
        hand_id: 1…254, as set in the hand.
        speed: 0…1, share of the fingers' full speed (closing takes 0.6 to 0.8 s at 1).
        reply_timeout_s: how long a reply may take before the request is repeated.
    """

    rate_hz: float = 60.0
    hand_id: int = 1
    speed: float = 0.5
    reply_timeout_s: float = 0.03

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        super().__post_init__()
        if not 1 <= self.hand_id <= 254:
            raise ValueError(f"hand_id must lie in 1…254, got {self.hand_id}.")
        if not 0.0 < self.speed <= 1.0:
            raise ValueError(f"speed must lie in (0, 1], got {self.speed}.")
        if not 0.001 <= self.reply_timeout_s <= 1.0:
            raise ValueError(f"reply_timeout_s must lie in 0.001…1 seconds, got {self.reply_timeout_s}.")


@HandConfig.register_subclass("inspire_serial")
@dataclass(kw_only=True)
class InspireSerialHandConfig(InspireConfig):
    """An RH56 over its native serial protocol (RS485, or RS232 on the classic).

    Attributes:
        port: serial port, such as /dev/ttyUSB0.
        baudrate: as set in the hand.
    """

    port: str
    baudrate: int = 115_200


@dataclass(kw_only=True)
class InspireModbusConfig(InspireConfig):
    """What Modbus leaves open; both to be checked on your device, with one finger made to stall.

    Attributes:
        byte_registers: registers that hold a block of six bytes, 3 or 6.
        low_byte_first: with 3, whether the first of two bytes is the low one.
    """

    byte_registers: int = 3
    low_byte_first: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        super().__post_init__()
        if self.byte_registers not in (3, NUM_JOINTS):
            raise ValueError(f"byte_registers is 3 or 6, got {self.byte_registers}.")


@HandConfig.register_subclass("inspire_modbus_rtu")
@dataclass(kw_only=True)
class InspireModbusRtuHandConfig(InspireModbusConfig):
    """An RH56 over Modbus RTU (RS485).

    Attributes:
        port: serial port, such as /dev/ttyUSB0.
        baudrate: as set in the hand.
    """

    port: str
    baudrate: int = 115_200


@HandConfig.register_subclass("inspire_modbus_tcp")
@dataclass(kw_only=True)
class InspireModbusTcpHandConfig(InspireModbusConfig):
    """An RH56 over Modbus TCP.

    Attributes:
        host: its address; the manual's default is 192.168.11.210, some firmware uses 192.168.123.211.
        tcp_port: its port.
    """

    host: str
    tcp_port: int = 6000
    reply_timeout_s: float = 0.05

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        super().__post_init__()
        if not 0 < self.tcp_port < 65536:
            raise ValueError(f"tcp_port must lie in 1…65535, got {self.tcp_port}.")


@HandConfig.register_subclass("dynamixel")
@dataclass(kw_only=True)
class DynamixelHandConfig(HandConfig):
    """Six Dynamixel motors in current-based position mode; lists are in the order of `joints.JOINTS`.

    Attributes:
        port: serial port, such as /dev/ttyUSB0.
        ids: of the six motors.
        models: one model for all of them, or six, as LeRobot spells them; they must measure current.
        lever_arm_m: one for all, or six: from the motor's axis to the fingertip, in metres.
        baudrate: bits per second, as set in the motors (factory 57 600).
        fast_sync_read: true or false to force it; null to use it where the firmware has it.
    """

    rate_hz: float = 200.0
    port: str
    ids: list[int] = field(default_factory=lambda: [1, 2, 3, 4, 5, 6])
    models: list[str] = field(default_factory=lambda: ["xl330-m288"])
    lever_arm_m: list[float] = field(default_factory=lambda: [0.07])
    baudrate: int = 1_000_000
    fast_sync_read: bool | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if a list has the wrong length or a value is out of range.
        """
        super().__post_init__()
        if len(self.ids) != NUM_JOINTS or len(set(self.ids)) != NUM_JOINTS:
            raise ValueError(f"ids must be {NUM_JOINTS} different numbers, got {self.ids}.")
        if not all(0 <= motor_id <= 252 for motor_id in self.ids):
            raise ValueError(f"A Dynamixel id lies in 0…252, got {self.ids}.")
        for name in ("models", "lever_arm_m"):
            if len(getattr(self, name)) not in (1, NUM_JOINTS):
                raise ValueError(f"{name} must have 1 or {NUM_JOINTS} entries, got {getattr(self, name)}.")
        if not all(0.005 <= arm <= 0.3 for arm in self.lever_arm_m):
            raise ValueError(f"lever_arm_m must lie in 0.005…0.3 metres, got {self.lever_arm_m}.")
