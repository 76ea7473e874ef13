"""What runs in the arm's helper process: the servo stream at 125 or 500 Hz, and `ur_rtde`.

A process of its own, because `ur_rtde` can block or crash the process it lives in when the link breaks, and
because no Python thread beside a recording loop keeps 500 Hz. It speaks with `URArm` over a pipe, in tuples
whose first element says what they are:

* to here: ``("config", URArmConfig)`` once, then ``("lift", height in metres)``; ``("stop", None)`` or the
  pipe's end means: stop and hang up.
* from here: ``("moving",)`` and ``("ready",)`` as a heartbeat, ``("fault", class, arguments)`` where it
  failed, and as the last word, unless the link is lost, ``("stopped", whether the arm was seen to stand)``.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np

from ..errors import DeviceError, DeviceFaultError, DeviceLostError
from ..realtime import prefer_this_thread
from .config import RATES_HZ, URArmConfig
from .motion import JointPath, SpeedLimiter, TargetRamp
from .ur_link import Link, URLink, arm_name
from .ur_plan import PathLimits, approach_limits, plan_approach, plan_lift

HEARTBEAT_S = 0.05

_ARRIVED_RAD = 0.02
_ARRIVED_SHARE = 1e-6
_APPROACH_MARGIN_S = 3.0

_LONGEST_BRAKE_S = 0.5
"""A stop takes no longer, also where `max_acceleration_m_s2` would."""

_FOLLOWS_RAD, _FOLLOWS_S = 0.2, 0.5
"""An arm lags behind its servo target by less than this angle and the way of this time: servoJ's smoothing
and a state that is `link_timeout_s` old are inside, a joint that stands or reads nonsense is not.
"""


def main() -> None:
    """Serve one arm over the pipe whose descriptor is the argument, then leave at once: the threads and
    destructors of ur_rtde do not survive a lost link.
    """
    prefer_this_thread(inherited=True)  # ur_rtde has threads of its own
    try:
        serve(Connection(int(sys.argv[1])))
    finally:
        os._exit(0)


def serve(connection: Connection, open_link: Callable[[URArmConfig], Link] = URLink) -> None:
    """Serve one arm until the other end of the pipe stops it or closes, or the arm fails."""
    _, config = connection.recv()
    try:
        link = open_link(config)
        try:
            _run(connection, config, link)
        except DeviceLostError:
            # Hanging up would block; the controller's watchdog stops the arm.
            raise
        except DeviceError as error:
            _report(connection, error)
            _say(connection, "stopped", link.close())
        else:
            _say(connection, "stopped", link.close())
    except Exception as error:  # the other end raises it where the arm is used
        _report(connection, error)


def _report(connection: Connection, error: Exception) -> None:
    arguments = (
        (error.device, error.problem, error.remedy) if isinstance(error, DeviceError) else (str(error),)
    )
    kind = type(error) if isinstance(error, DeviceError | ImportError) else RuntimeError
    _say(connection, "fault", kind, arguments)


def _say(connection: Connection, *words: object) -> None:
    with contextlib.suppress(OSError):
        connection.send(words)


def _run(connection: Connection, config: URArmConfig, link: Link) -> None:
    link.check()
    link.set_tool()
    lift = plan_lift(link, config)
    approach = plan_approach(link, config)
    limits = approach_limits(link, config, approach)
    link.arm_watchdog()
    stream = ServoStream(link, config, connection)
    if stream.approach(approach, limits):
        stream.lift(lift)


class ServoStream:
    """Sends servo targets at the controller's rate, watches the arm, and listens to the pipe."""

    def __init__(self, link: Link, config: URArmConfig, connection: Connection) -> None:
        self._link = link
        self._config = config
        self._connection = connection
        self._period = 1.0 / RATES_HZ[config.model]
        self._due = self._beat_due = time.monotonic()
        self._height: float | None = 0.0

    def approach(self, path: JointPath, limits: PathLimits) -> bool:
        """Move to the end of `path`; False, and at rest, if the pipe closed meanwhile.

        Raises:
            DeviceError: if the arm stops, does not follow, or does not arrive in time.
        """
        length = float(path.stations[-1])
        limiter = SpeedLimiter(0.0, limits.speed, limits.acceleration)
        self._tolerance = _FOLLOWS_RAD + _FOLLOWS_S * limits.speed
        deadline = (
            time.monotonic() + length / limits.speed + limits.speed / limits.acceleration + _APPROACH_MARGIN_S
        )
        while abs(limiter.position - length) > _ARRIVED_SHARE or self._distance(path) > _ARRIVED_RAD:
            if time.monotonic() > deadline:
                raise DeviceFaultError(
                    arm_name(self._config),
                    "it did not reach the grasp pose "
                    f"(joints now: {np.round(self._link.joints, 2).tolist()}).",
                    "Look at the speed slider of the teach pendant, and whether something is in the way.",
                )
            self._tick(path, limiter.step(length, self._period), "moving")
            if self._height is None:
                self._brake(path, limiter, limits.acceleration)
                return False
        return True

    def lift(self, path: JointPath) -> None:
        """Follow the commanded height along `path` until the pipe closes, then come to rest.

        Raises:
            DeviceError: if the arm stops, or does not follow.
        """
        speed, acceleration = self._config.max_speed_m_s, self._config.max_acceleration_m_s2
        limiter = SpeedLimiter(0.0, speed, acceleration)
        self._tolerance = _FOLLOWS_RAD + _FOLLOWS_S * path.steepest * speed
        ramp, commanded = TargetRamp(0.0), 0.0
        while self._height is not None:
            if self._height != commanded:
                commanded = self._height
                # The last thing before the wire: whatever was asked for, the target stays inside.
                height = min(max(commanded, 0.0), self._config.max_height_m)
                ramp.command(height, time.monotonic())
            self._tick(path, limiter.step(ramp.at(time.monotonic()), self._period), "ready")
        self._brake(path, limiter, acceleration)

    def _brake(self, path: JointPath, limiter: SpeedLimiter, deceleration: float) -> None:
        """Come to rest on the path, although nobody listens any more."""
        deceleration = max(deceleration, abs(limiter.velocity) / _LONGEST_BRAKE_S)
        while limiter.velocity != 0.0:
            self._servo(path, limiter.brake(deceleration, self._period))
            time.sleep(max(self._due - time.monotonic(), 0.0))

    def _distance(self, path: JointPath) -> float:
        return float(np.abs(self._link.joints - path.joints[-1]).max())

    def _tick(self, path: JointPath, position: float, state: str) -> None:
        self._servo(path, position)
        now = time.monotonic()
        if now >= self._beat_due:
            self._beat_due = now + HEARTBEAT_S
            _say(self._connection, state)
        self._listen_until(self._due)

    def _servo(self, path: JointPath, position: float) -> None:
        self._link.check()
        self._link.check_program()
        target = path.at(position)
        behind = np.abs(self._link.joints - target)
        if not (behind <= self._tolerance).all():
            raise DeviceFaultError(
                arm_name(self._config),
                f"joint {int(behind.argmax())} reads {behind.max():.2f} rad from where it was told to be "
                f"(joints now: {np.round(self._link.joints, 2).tolist()}).",
                "Look whether the arm is held, and compare the joint angles on the teach pendant.",
            )
        self._link.servo(target, self._period)
        self._due = max(self._due + self._period, time.monotonic())

    def _listen_until(self, due: float) -> None:
        try:
            while self._connection.poll(max(due - time.monotonic(), 0.0)):
                _, self._height = self._connection.recv()
        except (EOFError, OSError):  # a reset, where the other end died with words of ours unread
            self._height = None


if __name__ == "__main__":
    main()
