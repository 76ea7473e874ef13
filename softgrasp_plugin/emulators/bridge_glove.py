"""A glove program for the bridge: six fingers on motors, speaking the messages of `bridge_messages`, and able
to misbehave.
"""

import socket
import threading
import time
from dataclasses import dataclass, field

import numpy as np

from ..devices.gloves.bridge_messages import (
    MAX_BYTES,
    FeedbackMessage,
    GloveMessage,
    encode_glove,
    parse_feedback,
)
from ..devices.realtime import prefer_this_thread
from ..joints import NUM_JOINTS, FloatArray
from .plant import Plant


@dataclass
class BridgeFaults:
    """How the program misbehaves.

    Attributes:
        is_silent: sends nothing.
        is_deaf: takes no feedback, so it confirms none.
        replay: sends its first message again instead of new ones.
        reading: sent as the angle of every joint instead of what is measured, whatever it is.
        extra: datagrams sent once, in order, before the next message.
    """

    is_silent: bool = False
    is_deaf: bool = False
    replay: bool = False
    reading: float | None = None
    extra: list[bytes] = field(default_factory=list)


class BridgeGloveEmulator:
    """Runs in a thread, as a context manager.

    Args:
        address: where the driver listens.
        rate_hz: messages per second.
        plant: the six joints that it moves; None for fingers that are where `angle` says.

    Attributes:
        angle: (6,) where the fingers are.
        faults: may be changed while the program runs.
    """

    def __init__(self, address: tuple[str, int], rate_hz: float = 200.0, plant: Plant | None = None) -> None:
        self._plant = plant
        self.faults = BridgeFaults()
        self.angle: FloatArray = np.zeros(NUM_JOINTS)
        self._address = address
        self._period = 1.0 / rate_hz
        self._feedback: FeedbackMessage | None = None
        self._feedback_at = 0.0
        self._first: bytes | None = None
        self._seq = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bridge glove emulator")

    def __enter__(self) -> "BridgeGloveEmulator":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to speak."""
        self._thread.start()

    def close(self) -> None:
        """End the program."""
        self._done.set()
        self._thread.join()
        self._socket.close()

    @property
    def force(self) -> FloatArray:
        """Newtons (6,) that the motors may press with now; none without a valid message."""
        feedback = self._feedback
        if feedback is None or time.monotonic() - self._feedback_at > feedback.valid_ms / 1e3:
            return np.zeros(NUM_JOINTS)
        return feedback.force.copy()

    def _run(self) -> None:
        # A real device does not compete for this computer's processor.
        prefer_this_thread()
        while not self._done.wait(self._period):
            self._listen()
            self._move()
            for datagram in self.faults.extra:
                self._send(datagram)
            self.faults.extra = []
            if not self.faults.is_silent:
                self._send(self._next())

    def _next(self) -> bytes:
        if self.faults.replay and self._first is not None:
            return self._first
        ack = None if self._feedback is None else self._feedback.seq
        angle = self.angle if self.faults.reading is None else np.full(NUM_JOINTS, self.faults.reading)
        message = encode_glove(GloveMessage(self._seq, angle, ack))
        self._seq += 1
        self._first = self._first or message
        return message

    def _move(self) -> None:
        if self._plant is None:
            return
        if self._feedback is not None:
            for joint, (angle, force_n) in enumerate(zip(self._feedback.angle, self.force, strict=True)):
                self._plant.command(joint, float(angle), float(force_n))
        self.angle = self._plant.measure()[0]

    def _listen(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(MAX_BYTES)
            except ConnectionRefusedError:
                continue
            except BlockingIOError:
                return
            if not self.faults.is_deaf:
                self._feedback, self._feedback_at = parse_feedback(datagram), time.monotonic()

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._address)
        except ConnectionRefusedError:
            # Nobody listens yet; the next message will tell.
            return
