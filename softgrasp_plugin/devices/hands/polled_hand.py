"""A real hand: a link to it, a thread that polls it, and the feel channel its samples go to."""

import time
from collections.abc import Callable

import numpy as np

from ...joints import NUM_JOINTS, FloatArray
from ..errors import DeviceNotCalibratedError
from ..feel import FeelChannel
from ..polling import STALE_AFTER_S, Poller
from .calibration import FreeAirSweep, HandCalibration, measure_free_air
from .link import Ask, HandLink, confirmed
from .protocol import HandSample


class PolledHand:
    """A `Hand` whose port belongs to a thread of its own.

    The thread sends the newest command, measures, and publishes the sample to the feel channel, at its own
    rate; `read` and `write` never wait for the wire. If the hand falls silent for `stale_after_s`, or fails,
    both raise, and nothing is published any more.

    Args:
        link: the hand's wire.
        channel: where samples are published for the glove.
        calibration: from `calibrate`, or None if there has not been one.
        rate_hz: how often the hand is polled, if it is fast enough.
        max_force_n: limit on every joint where a command gives none, and above which no command goes.
        stale_after_s: silence after which `read` raises.
        sweep: how `calibrate` measures the free-air force.
        clock: seconds; stamps the samples.
    """

    def __init__(
        self,
        link: HandLink,
        channel: FeelChannel,
        calibration: HandCalibration | None,
        *,
        rate_hz: float,
        max_force_n: float,
        stale_after_s: float = STALE_AFTER_S,
        sweep: FreeAirSweep | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calibration = calibration
        self._link = link
        self._channel = channel
        self._max_force_n = max_force_n
        self._sweep = sweep if sweep is not None else FreeAirSweep()
        self._clock = clock
        self._command: tuple[FloatArray, FloatArray] | None = None
        self._sent: tuple[FloatArray, FloatArray] | None = None
        self._free_air_n: FloatArray = np.zeros(NUM_JOINTS)
        self._poller: Poller[HandSample] = Poller(
            link.device, self._poll, rate_hz, stale_after_s=stale_after_s, clock=clock
        )

    def __str__(self) -> str:
        return self._link.device

    @property
    def is_connected(self) -> bool:
        return self._link.is_open

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a calibration; without one the hand can only be connected and calibrated."""
        return self.calibration is not None

    @property
    def rate_hz(self) -> float:
        """Polls per second, as measured; 0 while not polling."""
        return self._poller.rate_hz if self._poller.is_running else 0.0

    @property
    def age_s(self) -> float:
        """Age of the newest sample in seconds."""
        return self._poller.age_s

    def connect(self) -> None:
        """Open the link; if the hand is calibrated, hold every joint where it is and start polling.

        Raises:
            DeviceError: if the hand cannot be reached, or reports a fault; nothing stays open then.
        """
        if self.is_connected:
            return
        try:
            self._link.open()
            if self.calibration is not None:
                self._start(self.calibration)
        except BaseException:
            self._link.close()
            raise

    def disconnect(self) -> None:
        """Stop polling and close the link; the hand keeps holding what it holds."""
        try:
            self._poller.stop()
        finally:
            self._channel.clear()
            self._link.close()

    def read(self) -> HandSample:
        """The newest sample, at most `stale_after_s` old.

        Raises:
            DeviceSilentError: if the hand has been silent for longer.
            DeviceNotCalibratedError: without a calibration.
            DeviceError: if it was lost, or reports a fault.
        """
        self._require_calibration()
        return self._poller.latest()

    def write(self, closure: FloatArray, torque_limit: FloatArray | None = None) -> None:
        """Command closures (6,); the hand's thread sends them with its next poll.

        Args:
            closure: shape (6,), clipped to 0…1.
            torque_limit: shape (6,), newtons above the free-air force; None for `max_force_n`.

        Raises:
            ValueError: for values that are not six or not finite; the hand keeps its last command.
            DeviceError: as `read`.
        """
        limit = np.full(NUM_JOINTS, self._max_force_n) if torque_limit is None else torque_limit
        for name, values in (("closure", closure), ("torque_limit", limit)):
            if np.shape(values) != (NUM_JOINTS,) or not np.isfinite(values).all():
                raise ValueError(f"{self}: {name} must be {NUM_JOINTS} finite numbers; got {values}.")
        self._require_calibration()
        self._poller.check()
        self._command = (np.clip(closure, 0.0, 1.0), np.clip(limit, 0.0, self._max_force_n))

    def calibrate(self, ask: Ask = input) -> HandCalibration:
        """Find out the hand's range and its free-air force, guided by the user; the hand moves by itself.

        Args:
            ask: shows a prompt and returns what the user typed.

        Returns:
            The calibration, which the hand uses from now on.

        Raises:
            DeviceNotCalibratedError: if the user refuses, or a joint does not move as it should.
            DeviceError: if the hand is not connected, is lost, or reports a fault.
        """
        self._poller.stop()
        self._channel.clear()
        motors = self._link.calibrate(ask)
        if not confirmed(ask, f"{self}: empty the hand and keep clear; it will open and close now. Go on?"):
            raise DeviceNotCalibratedError(
                self._link.device,
                "the calibration was refused.",
                "Run lerobot-calibrate again when it may move.",
            )
        limit = np.full(NUM_JOINTS, self._max_force_n)
        self._link.start(motors, limit)
        calibration = HandCalibration(measure_free_air(self._link, limit, self._sweep), motors)
        self.calibration = calibration
        self._command = None
        self._poller.start()
        return calibration

    def _start(self, calibration: HandCalibration) -> None:
        self._link.start(calibration.motors, np.full(NUM_JOINTS, self._max_force_n))
        self._command = None
        self._poller.start()

    def _poll(self) -> HandSample:
        assert self.calibration is not None
        command = self._command
        if command is not None and command is not self._sent:
            # The device compares its raw sensor with the limit; the free-air force is no part of the grip.
            self._link.command(command[0], command[1] + np.maximum(self._free_air_n, 0.0))
            self._sent = command
        timestamp = self._clock()
        closure, force = self._link.measure()
        self._free_air_n = self.calibration.free_air.at(closure)
        sample = HandSample(closure=closure, torque=force - self._free_air_n, timestamp=timestamp)
        self._channel.publish(sample)
        return sample

    def _require_calibration(self) -> None:
        if self.calibration is None:
            raise DeviceNotCalibratedError(
                self._link.device,
                "it has not been calibrated.",
                "Run lerobot-calibrate with the same robot.id.",
            )
