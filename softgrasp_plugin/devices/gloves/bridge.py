"""A glove behind a program of the user's own, over UDP: for Dexmo, SenseGlove, HaptX and whatever else has no
Python driver.
"""

import logging
import math
import select
import socket
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from lerobot.motors import MotorCalibration

from ...bounds import require_within
from ...grasping.force_feedback import MAX_TORQUE_N
from ...joints import JOINTS, NUM_JOINTS, FloatArray
from ..errors import DeviceLostError, DeviceSilentError
from .bridge_messages import (
    MAX_BYTES,
    VALID_MS,
    FeedbackMessage,
    GloveMessage,
    encode_feedback,
    parse_glove,
)
from .calibration import RangeTable, ask_open_and_bent, check_entry
from .config import BridgeGloveConfig
from .protocol import GloveSample
from .rendering import beyond_range, shifted_to

logger = logging.getLogger(__name__)

_COUNTS = 10_000
"""LeRobot's calibration file holds integers: angles are stored in ten-thousandths."""

_MOST_PER_LOOK = 256
"""Datagrams taken at once, of whatever origin: a flood must not keep the glove's tick. It is what a socket
buffer of the usual size holds.
"""

_FIRST_MESSAGE_TIMEOUT_S = 5.0
_RELEASE_TIMEOUT_S = 0.3
_RELEASE_INTERVAL_S = 0.02
_SILENCE_S = VALID_MS / 1e3
"""A program silent for so long may be replaced by another one, and what waited in the socket meanwhile is
void.
"""

_GONE = (ConnectionRefusedError, ConnectionResetError)
"""The system's answer to an earlier feedback message whose addressee is gone (Windows: reset); silence tells
the rest.
"""


class BridgeGlove:
    """The `Glove` protocol over the messages of `bridge_messages`.

    One program at a time is listened to: the first to speak, until it has been silent for 150 ms. Late,
    reordered, malformed, oversized and foreign datagrams change nothing; those that get here are counted in
    `dropped`. While a program speaks, the system itself turns away what others send: a flood of it does not
    fill the socket's buffer, where the glove's own messages would find no room.

    Args:
        config: where to listen.
        calibration: the wearer's range as LeRobot stores it; empty to take the angles as they come.
        clock: seconds.

    Raises:
        ValueError: if the calibration cannot be a bridge glove's.
    """

    def __init__(
        self,
        config: BridgeGloveConfig,
        calibration: dict[str, MotorCalibration],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.dropped: Counter[str] = Counter()
        self._refusal = ""
        self._ranges: RangeTable | None = None
        if calibration:
            if set(calibration) != set(JOINTS):
                raise ValueError(f"a bridge glove's calibration has the joints {', '.join(JOINTS)}.")
            for joint, entry in calibration.items():
                check_entry(joint, entry, JOINTS.index(joint), _COUNTS)
                require_within(f"range_min of {joint}", entry.range_min, 0, _COUNTS)
                require_within(f"range_max of {joint}", entry.range_max, 0, _COUNTS)
            self._ranges = RangeTable(calibration)
        self._clock = clock
        self._socket: socket.socket | None = None
        # Kept beside the socket, which the glove's thread may be exchanging while others ask.
        self._port: int | None = None
        self._forget_peer()
        self._sent_seq = 0

    def __str__(self) -> str:
        return f"bridge glove on udp://{self.config.bind}:{self.udp_port}"

    @property
    def udp_port(self) -> int:
        """The port we listen on; differs from the configured one only where that is 0."""
        return self.config.udp_port if self._port is None else self._port

    @property
    def is_connected(self) -> bool:
        return self._port is not None

    @property
    def is_calibrated(self) -> bool:
        """Always: without a calibration the program's own angles are taken as they are."""
        return True

    def connect(self) -> None:
        """Open the port and wait for the glove program.

        Raises:
            DeviceError: if the port is taken, or no valid message comes within 5 s.
        """
        self._socket = self._listen(self.config.udp_port)
        self._port = int(self._socket.getsockname()[1])
        self._drained_at = self._clock()
        try:
            self._receive(_FIRST_MESSAGE_TIMEOUT_S)
        except BaseException:
            self._close()
            raise

    def disconnect(self) -> None:
        """Release every joint, then close the port; it is closed also where the release cannot be
        verified.
        """
        try:
            self.release()
        finally:
            self._close()

    def read(self) -> GloveSample:
        """The newest angles; waits for a message for at most 150 ms.

        Raises:
            DeviceError: if none came.
        """
        now = self._clock()
        if now - self._drained_at > _SILENCE_S:
            # A full socket buffer drops the newest datagrams, so after a pause its content may be arbitrarily
            # old.
            self._discard()
        self._take_waiting()
        if self._message is None or self._clock() - self._heard_at > _SILENCE_S:
            self._receive(_SILENCE_S)
        return GloveSample(np.clip(self._measured(), 0.0, 1.0), self._heard_at)

    def render(self, torque: FloatArray, angle: FloatArray) -> None:
        """Send T̂m (6,) in newtons, 10 at most, and Âm (6,)."""
        self._press(torque, shifted_to(np.asarray(angle, dtype=np.float64), self._measured()))

    def lead(self, torque: FloatArray, angle: FloatArray) -> None:
        """Send a position goal; the glove program cannot tell it from force, and need not."""
        self._press(torque, beyond_range(np.asarray(angle, dtype=np.float64), self._measured()))

    def release(self) -> None:
        """Tell the program to set every joint free, until it confirms.

        Raises:
            DeviceError: if it does not confirm within 0.3 s.
        """
        zero = np.zeros(NUM_JOINTS)
        first = self._send(zero, zero)
        deadline = self._clock() + _RELEASE_TIMEOUT_S
        while self._clock() < deadline:
            self._take_waiting(_RELEASE_INTERVAL_S)
            if self._message is not None and self._message.ack is not None and self._message.ack >= first:
                return
            self._send(zero, zero)
        raise DeviceLostError(
            str(self),
            f"the glove program did not confirm that every joint is free.{self._refusal}",
            "Take the glove's power away if it pulls, then look whether the program runs and returns our "
            '"seq" as its "ack".',
        )

    def calibrate(self) -> dict[str, MotorCalibration]:
        """Ask the wearer for an open and a bent hand; returns what LeRobot stores."""
        self._ranges = None
        calibration = ask_open_and_bent(
            JOINTS, dict(zip(JOINTS, range(NUM_JOINTS), strict=True)), self._read_counts
        )
        self._ranges = RangeTable(calibration)
        return calibration

    def _measured(self) -> FloatArray:
        """Angles (6,); outside [0, 1] where a finger has left the calibrated range."""
        if self._message is None:
            raise DeviceSilentError(str(self), "it has not spoken.", "Start the glove program.")
        angle = self._message.angle
        if self._ranges is None:
            return angle
        return self._ranges.measure(dict(zip(JOINTS, (angle * _COUNTS).tolist(), strict=True)))

    def _press(self, torque: FloatArray, angle: FloatArray) -> None:
        force = np.where(np.isfinite(torque), np.clip(torque, 0.0, MAX_TORQUE_N), 0.0)
        held = np.where(np.isfinite(angle), angle, self._measured())
        if self._ranges is not None:
            raw = self._ranges.denormalise(held)
            held = np.array([raw[joint] / _COUNTS for joint in JOINTS])
        self._send(force, np.clip(held, 0.0, 1.0))

    def _read_counts(self) -> dict[str, int]:
        return {
            joint: round(value * _COUNTS)
            for joint, value in zip(JOINTS, self.read().angle.tolist(), strict=True)
        }

    def _listen(self, port: int) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.bind((self.config.bind, port))
        except OSError as error:
            opened.close()
            raise DeviceLostError(
                str(self),
                f"cannot listen there ({error}).",
                "Is another recording running? Choose another --teleop.glove.udp_port.",
            ) from error
        return opened

    def _listen_to_everybody(self) -> None:
        """The program may have started anew, from a port of its own that nobody knows yet. An association
        cannot be taken back, so a new socket takes the port.
        """
        port = self.udp_port
        self._open_socket().close()
        self._socket, self._is_tied = None, False
        self._socket = self._listen(port)
        self._drained_at = self._clock()

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise DeviceLostError(str(self), "it is not connected.", "Call connect() first.")
        return self._socket

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = self._port = None
        self._forget_peer()

    def _forget_peer(self) -> None:
        self._peer: tuple[str, int] | None = None
        self._is_tied = False
        self._message: GloveMessage | None = None
        # A program that is new, or starts again, is believed after two messages in order: one may be a
        # straggler.
        self._candidate: tuple[tuple[str, int], int] | None = None
        self._heard_at = self._drained_at = -math.inf

    def _send(self, force: FloatArray, angle: FloatArray) -> int:
        opened = self._open_socket()
        self._sent_seq += 1
        if self._peer is None:
            raise ConnectionError(
                f"{self}: no glove program has spoken yet, so there is nobody to send force to."
            )
        datagram = encode_feedback(FeedbackMessage(self._sent_seq, force, angle))
        try:
            # A socket that is tied to its peer may refuse to be told an address.
            opened.send(datagram) if self._is_tied else opened.sendto(datagram, self._peer)
        except _GONE:
            self.dropped["refused"] += 1
        return self._sent_seq

    def _receive(self, timeout_s: float) -> None:
        deadline = self._clock() + timeout_s
        seen, self._refusal = self._message, ""
        while self._message is seen:
            left = deadline - self._clock()
            if left <= 0:
                dropped = (
                    ", ".join(f"{count} {reason}" for reason, count in self.dropped.items())
                    or "nothing else came"
                )
                raise DeviceSilentError(
                    str(self),
                    f"no message for {timeout_s:g} s (dropped so far: {dropped}).{self._refusal}",
                    "Correct what the glove program sends."
                    if self._refusal
                    else "Start the glove program and let it send there at 100 Hz or more; "
                    "docs/examples/bridge_glove.py is one that works.",
                )
            self._take_waiting(left)

    def _take_waiting(self, timeout_s: float = 0.0) -> None:
        """Take what waits, 256 datagrams at most, after waiting for a first one for at most `timeout_s`."""
        if self._is_tied and self._is_silent():
            self._listen_to_everybody()
        opened = self._open_socket()
        opened.settimeout(0.0)
        if timeout_s > 0.0 and not select.select([opened], [], [], 0.0)[0]:
            select.select([opened], [], [], timeout_s)
            self._drained_at = self._clock()  # until just now nothing waited
        looked_at = self._clock()
        for _ in range(_MOST_PER_LOOK):
            try:
                datagram, sender = opened.recvfrom(MAX_BYTES + 1)
            except BlockingIOError:
                self._drained_at = looked_at
                return
            except _GONE:
                self.dropped["refused"] += 1
                continue
            self._take(datagram, sender)

    def _take(self, datagram: bytes, sender: tuple[str, int]) -> None:
        silent = self._is_silent()
        if (self.config.peer is not None and sender[0] != self.config.peer) or (
            sender != self._peer and not silent
        ):
            self.dropped["foreign"] += 1
            return
        try:
            message = parse_glove(datagram)
        except Exception as error:  # whatever a stranger's bytes raise, they are refused and counted
            self._refusal = f" The last message was refused: {error}."
            if not self.dropped["malformed"]:
                logger.warning("%s: dropped a message from %s:%d: %s.", self, *sender, error)
            self.dropped["oversized" if len(datagram) > MAX_BYTES else "malformed"] += 1
            return
        if sender == self._peer and self._message is not None and message.seq > self._message.seq:
            self._accept(message, sender)
        elif not silent:
            self.dropped["reordered"] += 1
        elif (
            self._candidate is not None and sender == self._candidate[0] and message.seq > self._candidate[1]
        ):
            self._accept(message, sender)
        else:
            self._candidate = sender, message.seq

    def _is_silent(self) -> bool:
        return self._clock() - self._heard_at > _SILENCE_S

    def _accept(self, message: GloveMessage, sender: tuple[str, int]) -> None:
        if not self._is_tied:
            self._open_socket().connect(sender)
            self._is_tied = True
        # It came at some time since nothing waited last; a sample's age is never understated.
        self._peer, self._message, self._heard_at = sender, message, self._drained_at
        self._candidate = None

    def _discard(self) -> None:
        opened = self._open_socket()
        opened.settimeout(0.0)
        for _ in range(_MOST_PER_LOOK * 4):
            try:
                opened.recvfrom(MAX_BYTES + 1)
            except _GONE:
                continue
            except BlockingIOError:
                self._drained_at = self._clock()
                return
            self.dropped["late"] += 1
