"""A real hand: a link to it, a thread that polls it, and the feel channel its samples go to."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...grasping.closure_limiter import LONGEST_STEP_S
from ...joints import NUM_JOINTS, FloatArray
from ..errors import DeviceNotCalibratedError
from ..feel import FeelChannel
from ..hand_sample import HandSample
from ..polling import STALE_AFTER_S, Poller
from .calibration import FreeAirForce, FreeAirSweep, HandCalibration, measure_free_air, move
from .limited_link import LimitedLink
from .link import Ask, HandLink, confirmed

_RECENT_S = 0.3
"""A glove takes a sample at most 0.15 s old; it comes back in an action within one more tick of a loop."""


@dataclass(frozen=True)
class _Command:
    """Closure (6,) and force limit (6,) in newtons above free air, as asked for at a time in seconds."""

    closure: FloatArray
    force_n: FloatArray
    asked_at: float


class PolledHand:
    """A `Hand` whose port belongs to a thread of its own.

    The thread sends the newest command, measures, and publishes the sample to the feel channel, at its own
    rate; `read` and `write` never wait for the wire. If the hand falls silent for `stale_after_s`, or fails,
    both raise, and nothing is published any more.

    A command moves the hand for `LONGEST_STEP_S` (two polls at least), at no more than `max_closure_speed`;
    one that was not carried out by then is forgotten, and the hand holds. So a program that stalls does not
    go on moving a hand, and one that was stopped and goes on does not make up for it.

    Args:
        link: the hand's wire.
        channel: where samples are published for the glove.
        calibration: from `calibrate`, or None if there has not been one.
        rate_hz: how often the hand is polled, if it is fast enough.
        max_closure_speed: closure per second, whatever moves the hand.
        stale_after_s: silence after which `read` raises.
        sweep: how `calibrate` measures the free-air force.
        clock: seconds; stamps the samples.
        measures_torque: False ignores the forces that the link gives; samples then have none.
    """

    def __init__(
        self,
        link: HandLink,
        channel: FeelChannel,
        calibration: HandCalibration | None,
        *,
        rate_hz: float,
        max_closure_speed: float,
        stale_after_s: float = STALE_AFTER_S,
        sweep: FreeAirSweep | None = None,
        clock: Callable[[], float] = time.monotonic,
        measures_torque: bool = True,
    ) -> None:
        self.calibration = calibration
        self._measures_torque = measures_torque
        self._link = link
        self._channel = channel
        self._limited = LimitedLink(link, max_closure_speed, stale_after_s, clock)
        sweep = sweep if sweep is not None else FreeAirSweep()
        self._sweep = replace(sweep, timeout_s=sweep.timeout_s + 1.0 / max_closure_speed)
        self._clock = clock
        self._command_lasts_s = max(LONGEST_STEP_S, 2.0 / rate_hz)
        self._command: _Command | None = None
        self._done: _Command | None = None
        self._free_air_n: FloatArray = np.zeros(NUM_JOINTS)
        self._recent: tuple[HandSample, ...] = ()
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

    @property
    def max_closure_speed(self) -> float:
        """Closure per second, whatever moves the hand."""
        return self._limited.limiter.max_closure_speed

    @property
    def strongest_grip(self) -> FloatArray:
        """The highest torque (6,) in newtons: the hand's `max_force_n`, of which the free-air force is
        part.
        """
        most = self._link.max_force_n - np.maximum(self._free_air_n, 0.0)
        return np.asarray(np.maximum(most, 0.0))

    def adopt(self, calibration: HandCalibration) -> None:
        """Use a calibration from a file.

        Raises:
            ValueError: if it cannot be this hand's.
        """
        if (problem := self._mismatch(calibration)) is not None:
            raise ValueError(problem)
        self.calibration = calibration

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
        except BaseException:  # a Ctrl-C too, which may find the thread at work
            self.disconnect()
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

    def recent_torques(self) -> FloatArray:
        """The torques (n, 6) in newtons of the last `_RECENT_S` seconds, the newest last."""
        recent = self._recent  # replaced, never changed, by the hand's thread
        return np.array([sample.torque for sample in recent]).reshape(-1, NUM_JOINTS)

    def write(self, closure: FloatArray, torque_limit: FloatArray | None = None) -> None:
        """Command closures (6,); the hand's thread sends them with its next poll.

        Args:
            closure: shape (6,), clipped to 0…1.
            torque_limit: shape (6,), newtons above the free-air force; None for the hand's `max_force_n`,
                which the limit never exceeds, free-air force included.

        Raises:
            ValueError: for values that are not six or not finite; the hand keeps its last command.
            DeviceError: as `read`.
        """
        most = self._link.max_force_n
        limit = np.full(NUM_JOINTS, most) if torque_limit is None else torque_limit
        for name, values in (("closure", closure), ("torque_limit", limit)):
            if np.shape(values) != (NUM_JOINTS,) or not np.isfinite(values).all():
                raise ValueError(f"{self}: {name} must be {NUM_JOINTS} finite numbers; got {values}.")
        self._require_calibration()
        self._poller.check()
        self._command = _Command(np.clip(closure, 0.0, 1.0), np.clip(limit, 0.0, most), self._clock())

    def step_towards(self, closure: FloatArray) -> FloatArray:
        """How far towards closures (6,) the hand may be told to go right now, shape (6,).

        Raises:
            DeviceError: as `read`.
        """
        self._require_calibration()
        self._poller.check()
        step = self._limited.limiter.step(np.clip(closure, 0.0, 1.0), self._clock())
        return self.read().closure if step is None else step

    def calibrate(self, ask: Ask = input) -> HandCalibration:
        """Find out the hand's range and its free-air force, guided by the user.

        The hand moves by itself, no faster than `max_closure_speed`. Without torque sensing there is no
        free-air force to find, and only what the link itself needs is asked and moved.

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
        limit = np.full(NUM_JOINTS, self._link.max_force_n)

        def drive(closure: FloatArray) -> None:
            self._limited.start()
            move(self._limited, closure, limit, self._sweep)

        motors = self._link.calibrate(ask, drive)
        if not self._measures_torque:
            self.calibration = HandCalibration(FreeAirForce.none(), motors, self._kind)
            self._start(self.calibration)
            return self.calibration
        if not confirmed(ask, f"{self}: empty the hand and keep clear; it will open and close now. Go on?"):
            raise DeviceNotCalibratedError(
                self._link.device,
                "the calibration was refused.",
                "Run lerobot-calibrate again when it may move.",
            )
        self._link.start(motors, limit)
        self._limited.start()
        free_air = measure_free_air(self._limited, limit, self._sweep)
        self.calibration = HandCalibration(free_air, motors, self._kind)
        self._begin()
        return self.calibration

    @property
    def _kind(self) -> str:
        """Whose calibration fits: one without the free-air force must never serve a hand that feels."""
        return self._link.kind + ("" if self._measures_torque else ", torque not measured")

    def _start(self, calibration: HandCalibration) -> None:
        if (problem := self._mismatch(calibration)) is not None:
            raise DeviceNotCalibratedError(self._link.device, problem, "Run lerobot-calibrate again.")
        self._link.start(calibration.motors, np.full(NUM_JOINTS, self._link.max_force_n))
        self._begin()

    def _begin(self) -> None:
        self._limited.start()
        self._command = None
        self._free_air_n = np.zeros(NUM_JOINTS)
        self._recent = ()
        self._poller.start()

    def _mismatch(self, calibration: HandCalibration) -> str | None:
        if calibration.hand not in ("", self._kind):
            return f"It is the calibration of {calibration.hand}, and this is {self._kind}."
        return self._link.mismatch(calibration.motors)

    def _poll(self) -> HandSample:
        assert self.calibration is not None
        sent = self._send()
        timestamp = self._clock()
        closure, force = self._limited.measure()
        # Only now is it known that the hand was there to hear it.
        self._done = sent if sent is not None else self._done
        self._free_air_n = self.calibration.free_air.at(closure)
        torque = force - self._free_air_n if self._measures_torque else np.full(NUM_JOINTS, np.nan)
        sample = HandSample(closure, torque, timestamp, self._measures_torque)
        self._recent = (*(old for old in self._recent if timestamp - old.timestamp <= _RECENT_S), sample)
        self._channel.publish(sample)
        return sample

    def _send(self) -> _Command | None:
        """Make a step of the newest command; returns it if that was the last step."""
        command = self._command
        if command is None or command is self._done:
            return None
        if self._clock() - command.asked_at > self._command_lasts_s:
            return None
        # The device compares its raw sensor with the limit; the free-air force is no part of the grip.
        limit = command.force_n + np.maximum(self._free_air_n, 0.0)
        return command if self._limited.command(command.closure, limit) else None

    def _require_calibration(self) -> None:
        if self.calibration is None:
            raise DeviceNotCalibratedError(
                self._link.device,
                "it has not been calibrated.",
                "Run lerobot-calibrate with the same robot.id.",
            )
