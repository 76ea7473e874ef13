"""Configuration of the gloves, by type: `--teleop.glove.type=dynamixel | doglove | bridge`."""

import abc
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import draccus

from ...bounds import require_within
from ...joints import JOINTS, THUMB_SWING

if TYPE_CHECKING:  # these load PyTorch, which takes seconds
    from lerobot.motors import MotorCalibration

    from .protocol import WearableGlove

MINIMUM_RATE_HZ = 100.0
"""Below this a held finger feels the steps of the loop."""

HOLDS = ("contact", "follow")


@dataclass(kw_only=True)
class GloveConfig(draccus.ChoiceRegistry, abc.ABC):
    """A force-feedback glove.

    Attributes:
        rate_hz: how often the glove is read and its force renewed, at least 100.
    """

    rate_hz: float = 200.0

    @property
    def type(self) -> str:
        return str(self.get_choice_name(self.__class__))

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if the glove would run slower than 100 Hz.
        """
        require_within("glove.rate_hz", self.rate_hz, MINIMUM_RATE_HZ, 1000.0, "Hz")

    def make_glove(self, calibration: "dict[str, MotorCalibration]") -> "WearableGlove":
        """The driver of a glove that this package does not know: another package's configuration brings it
        (docs/extend.md).

        Args:
            calibration: the wearer's range by joint; empty where there is none yet.

        Raises:
            ValueError: if there is none.
        """
        raise ValueError(
            f"No driver for gloves of type {self.type!r}; known types: {', '.join(self.get_known_choices())}."
        )


@dataclass(kw_only=True)
class GloveMotorConfig:
    """One motor of an exoskeleton.

    Attributes:
        id: its Dynamixel id.
        model: its model, as LeRobot spells it; it must measure current.
        lever_arm_m: from the motor's axis to the fingertip it pushes on, metres: force × lever arm = torque.
        max_current_ma: the most the motor is ever given, whatever force is asked for. The default is about
            1.3 N at 80 mm on an XL330-M288; raise it only after a first run at the default.
    """

    id: int
    model: str = "xl330-m288"
    lever_arm_m: float = 0.08
    max_current_ma: float = 300.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if one is out of range.
        """
        require_within("id of a motor", self.id, 0, 252)
        require_within(
            "lever_arm_m, from the motor's axis to the fingertip,", self.lever_arm_m, 0.005, 0.3, "m"
        )
        require_within("max_current_ma", self.max_current_ma, 0, 2000, "mA", above_low=True)


@dataclass(kw_only=True)
class MotorGloveConfig(GloveConfig):
    """What every glove with Dynamixel motors has in common.

    Attributes:
        port: serial port, such as /dev/ttyUSB0.
        baudrate: bits per second, as set in the motors.
        motors: the joints that have a motor, 1 to 6 of them.
        follow: joints without a motor that copy the angle of one that has one, such as {ring_bend:
            middle_bend}. A joint in neither table stays open.
        hold: what a motor does while force is rendered. `contact` keeps its goal where the contact began and
            lets it move only towards straight, so that the finger may open freely and feels the whole force
            when it bends on. `follow` sends Algorithm 1's Âm as it is in every tick; where Âm = Am a finger
            then feels only the servo's lag.
        position_p_gain: Position_P_Gain of the motors while they render force, 0…16383.
        bus_watchdog_ms: the motors stop by themselves when the computer has been silent for so long; 0
            switches this off. In steps of 20 ms.
    """

    port: str
    baudrate: int = 1_000_000
    motors: dict[str, GloveMotorConfig]
    follow: dict[str, str] = field(default_factory=dict)
    hold: str = "contact"
    position_p_gain: int = 800
    bus_watchdog_ms: int = 500

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for an unknown joint, an id used twice, or a value out of range.
        """
        super().__post_init__()
        unknown = [name for name in (*self.motors, *self.follow, *self.follow.values()) if name not in JOINTS]
        if unknown:
            raise ValueError(f"Unknown joints {unknown}; the joints are {', '.join(JOINTS)}.")
        if not self.motors:
            raise ValueError("A glove needs at least one motor, such as motors: {index_bend: {id: 1}}.")
        ids = [motor.id for motor in self.motors.values()]
        if len(set(ids)) != len(ids):
            raise ValueError(f"Every motor needs an id of its own, got {ids}.")
        for joint, leader in self.follow.items():
            if joint in self.motors or leader not in self.motors:
                raise ValueError(
                    f"follow: {joint} cannot follow {leader}; a joint without a motor follows one with a "
                    f"motor ({', '.join(self.motors)})."
                )
        if self.hold not in HOLDS:
            raise ValueError(f"hold is one of {', '.join(HOLDS)}; got {self.hold!r}.")
        require_within("baudrate", self.baudrate, 9600, 4_500_000)
        require_within("position_p_gain", self.position_p_gain, 1, 16383)
        require_within("bus_watchdog_ms", self.bus_watchdog_ms, 0, 127 * 20, "ms")
        if self.bus_watchdog_ms % 20:
            raise ValueError(
                f"bus_watchdog_ms is a multiple of 20 from 0 to 2540, got {self.bus_watchdog_ms}."
            )


@GloveConfig.register_subclass("dynamixel")
@dataclass(kw_only=True)
class DynamixelGloveConfig(MotorGloveConfig):
    """An exoskeleton with one to six Dynamixel motors."""


def _doglove_motors() -> dict[str, GloveMotorConfig]:
    # Ids and models as in the DOGlove's parts list and firmware: two XC330-M288-T, three XL330-M288-T.
    return {
        "little_bend": GloveMotorConfig(id=4),
        "ring_bend": GloveMotorConfig(id=3),
        "middle_bend": GloveMotorConfig(id=2),
        "index_bend": GloveMotorConfig(id=1, model="xc330-m288"),
        "thumb_bend": GloveMotorConfig(id=0, model="xc330-m288"),
    }


@GloveConfig.register_subclass("doglove")
@dataclass(kw_only=True)
class DogloveConfig(MotorGloveConfig):
    """A DOGlove (arXiv 2502.07730): five motors, and sixteen joint encoders on a second port.

    Check on your device: which two motors are the XC330, the encoder of the thumb's swing, the lever arms.

    Attributes:
        encoder_port: serial port of the encoder board; None leaves the thumb's swing open.
        swing_encoder: the encoder, 0…15, that measures the thumb's swing.
    """

    baudrate: int = 3_000_000
    motors: dict[str, GloveMotorConfig] = field(default_factory=_doglove_motors)
    encoder_port: str | None = None
    swing_encoder: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: if the thumb's swing has two sources, or a value is out of range.
        """
        super().__post_init__()
        require_within("swing_encoder", self.swing_encoder, 0, 15)
        swing = JOINTS[THUMB_SWING]
        if self.encoder_port is not None and (swing in self.motors or swing in self.follow):
            raise ValueError(
                f"{swing} is measured by the encoder board; take it out of motors and follow, or drop "
                "encoder_port."
            )


@GloveConfig.register_subclass("bridge")
@dataclass(kw_only=True)
class BridgeGloveConfig(GloveConfig):
    """A glove behind a program of your own, which speaks to us in UDP datagrams (`bridge_messages`).

    Attributes:
        bind: the address we listen on. The messages are not authenticated, so anything but loopback belongs
            on a network that you trust, and then `peer` must be given.
        udp_port: the port we listen on.
        peer: the only address we take messages from; None for any program on this computer.
    """

    bind: str = "127.0.0.1"
    udp_port: int = 5910
    peer: str | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for an address or port that is none, or an open address without a peer.
        """
        super().__post_init__()
        require_within("udp_port", self.udp_port, 0, 65535)
        for name in ("bind", "peer"):
            value = getattr(self, name)
            if value is not None:
                try:
                    ipaddress.IPv4Address(value)
                except ValueError as error:
                    raise ValueError(
                        f"{name} must be an IPv4 address such as 127.0.0.1, got {value!r}."
                    ) from error
        if self.peer is None and not ipaddress.IPv4Address(self.bind).is_loopback:
            raise ValueError(
                f"bind={self.bind} is reachable from the network; name the one computer that may send with "
                "peer=…, or bind to 127.0.0.1."
            )
