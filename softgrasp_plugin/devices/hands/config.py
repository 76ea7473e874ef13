"""Configuration of the hands, by type: `--robot.hand.type=inspire_serial | inspire_modbus_rtu | …`."""

import abc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import draccus

from ...bounds import require_within
from ...joints import NUM_JOINTS
from ..polling import STALE_AFTER_S

if TYPE_CHECKING:  # loads PyTorch, which takes seconds
    from .link import HandLink

MAXIMUM_FORCE_N = 30.0


@dataclass(kw_only=True)
class HandConfig(draccus.ChoiceRegistry, abc.ABC):
    """A six-joint hand.

    Attributes:
        rate_hz: how often the hand is read, if it is fast enough; its thread does not wait for LeRobot's
            loop.
        max_force_n: no joint is ever allowed more than this, in newtons at the fingertip. Start low.
        stale_after_s: a hand that has been silent for so long stops the episode.
        measures_torque: False for a hand without torque sensing, or whose sensing cannot be trusted: only its
            six closures are recorded, the glove stays free, and no arm is lifted by what the hand feels.
    """

    rate_hz: float
    max_force_n: float = 8.0
    stale_after_s: float = STALE_AFTER_S
    measures_torque: bool = True

    @property
    def type(self) -> str:
        return str(self.get_choice_name(self.__class__))

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        require_within("hand.rate_hz", self.rate_hz, 10.0, 1000.0, "Hz")
        require_within("hand.max_force_n", self.max_force_n, 0.0, MAXIMUM_FORCE_N, "N", above_low=True)
        require_within("hand.stale_after_s", self.stale_after_s, 0.0, 1.0, "s", above_low=True)

    def make_link(self, max_closure_speed: float) -> "HandLink":
        """The driver of a hand that this package does not know: another package's configuration brings it
        (docs/extend.md).

        Args:
            max_closure_speed: closure per second, for a hand with a speed limit of its own; `PolledHand`
                keeps to it in any case.

        Raises:
            ValueError: if there is none.
        """
        raise ValueError(f"There is no driver for a hand of type {type(self).__name__}.")


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
        _require_whole("hand.hand_id", self.hand_id, 1, 254)
        require_within("hand.speed", self.speed, 0.0, 1.0, above_low=True)
        require_within("hand.reply_timeout_s", self.reply_timeout_s, 0.001, 1.0, "s")


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

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        super().__post_init__()
        _require_baudrate(self.baudrate)


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
        if isinstance(self.byte_registers, bool) or self.byte_registers not in (3, NUM_JOINTS):
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

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        super().__post_init__()
        _require_baudrate(self.baudrate)


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
        _require_whole("hand.tcp_port", self.tcp_port, 1, 65535)


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
        _require_baudrate(self.baudrate)
        for i, motor_id in enumerate(self.ids):
            _require_whole(f"hand.ids[{i}]", motor_id, 0, 252)
        for name in ("models", "lever_arm_m"):
            if len(getattr(self, name)) not in (1, NUM_JOINTS):
                raise ValueError(f"{name} must have 1 or {NUM_JOINTS} entries, got {getattr(self, name)}.")
        for i, arm in enumerate(self.lever_arm_m):
            require_within(f"hand.lever_arm_m[{i}]", arm, 0.005, 0.3, "m")


def _require_whole(name: str, value: int, low: int, high: int) -> None:
    require_within(name, value, low, high)
    if value != int(value):
        raise ValueError(f"{name} must be a whole number, got {value}.")


def _require_baudrate(value: int) -> None:
    _require_whole("hand.baudrate", value, 9600, 10_000_000)
