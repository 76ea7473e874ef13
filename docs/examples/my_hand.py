"""A hand that SoftGrasp has never heard of, as a plugin of its own: see docs/extend.md.

The hand is a controller on the network that understands two lines of text: `measure`, and `go` with six
closures and six limits; to both it answers six closures and six forces. Put your hand's own protocol in
their place.
"""

import socket
from dataclasses import dataclass

import numpy as np

from softgrasp_plugin.devices.errors import DeviceLostError, DeviceSilentError
from softgrasp_plugin.devices.hands.config import HandConfig
from softgrasp_plugin.devices.hands.plausible import PossibleReadings, closure_margin
from softgrasp_plugin.joints import NUM_JOINTS


@HandConfig.register_subclass("my_hand")
@dataclass(kw_only=True)
class MyHandConfig(HandConfig):
    """`--robot.hand.type=my_hand --robot.hand.host=…`; force and rate limits are those of every hand."""

    host: str
    tcp_port: int = 7000
    rate_hz: float = 100.0

    def make_link(self, max_closure_speed: float) -> "MyHand":
        return MyHand(self)


class MyHand:
    """A `HandLink`: `PolledHand` gives it a thread, limits its speed and hands its forces to the glove."""

    kind = "my hand"  # goes into the calibration file, so that another hand's is refused

    def __init__(self, config: MyHandConfig) -> None:
        self.device = f"my hand at {config.host}:{config.tcp_port}"
        self.max_force_n = config.max_force_n
        self._address = (config.host, config.tcp_port)
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def open(self) -> None:
        try:
            self._socket = socket.create_connection(self._address, timeout=0.5)
        except OSError as error:
            raise DeviceLostError(self.device, f"cannot be reached ({error}).", "Switch it on.") from error

    def close(self) -> None:
        if self._socket is not None:  # the hand goes on holding its last command
            self._socket.close()
        self._socket = None

    def start(self, motors, force_limit_n) -> None:
        closure, _ = self.measure()
        self.command(closure, force_limit_n)  # hold where it is

    def measure(self):
        numbers = np.array([float(word) for word in self._ask("measure").split()])
        return numbers[:NUM_JOINTS], numbers[NUM_JOINTS:]  # closure 0 open … 1 closed, newtons

    def command(self, closure, force_limit_n) -> None:
        limit = np.minimum(force_limit_n, self.max_force_n)  # the last thing before the wire
        self._ask(" ".join(["go", *(f"{value:.5f}" for value in (*closure, *limit))]))

    def repeat_limits(self) -> None:
        """Every `go` carries its limits, so there are none that the hand could have forgotten."""

    def possible(self) -> PossibleReadings:
        return PossibleReadings(np.full(NUM_JOINTS, 30.0), closure_margin())

    def mismatch(self, motors) -> str | None:
        return None

    def calibrate(self, ask, drive) -> dict:
        return {}  # its joints know their range; the free-air forces are measured by PolledHand

    def _ask(self, line: str) -> str:
        if self._socket is None:
            raise DeviceLostError(self.device, "is not connected.", "Connect the robot first.")
        try:
            self._socket.sendall(line.encode() + b"\n")
            answer = self._socket.recv(1024).decode()
        except OSError as error:
            raise DeviceSilentError(self.device, f"does not answer ({error}).", "Check its cable.") from error
        if not answer:
            raise DeviceLostError(self.device, "closed the connection.", "Switch it off and on.")
        return answer
