"""What runs in the arm's helper process: the servo stream at 125 or 500 Hz, and `ur_rtde`.

A process of its own, because `ur_rtde` can block or crash the process it lives in when the link breaks, and
because no Python thread beside a recording loop keeps 500 Hz. It speaks with `URArm` over a pipe, in tuples
whose first element says what they are:

* to here: ``("config", URArmConfig)`` once, then ``("lift", height in metres)``; ``("stop", None)`` or the
  pipe's end means: stop and hang up.
* from here: ``("moving",)`` and ``("ready",)`` as a heartbeat, ``("fault", class, arguments)`` as the last
  word.
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
from .ur_plan import plan_approach, plan_lift

HEARTBEAT_S = 0.05

_ARRIVED_RAD = 0.02
_ARRIVED_SHARE = 1e-4
_APPROACH_MARGIN_S = 3.0


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
            link.close()
        else:
            link.close()
    except Exception as error:  # the other end raises it where the arm is used
        _report(connection, error)


def _report(connection: Connection, error: Exception) -> None:
    arguments = (
        (error.device, error.problem, error.remedy) if isinstance(error, DeviceError) else (str(error),)
    )
    kind = type(error) if isinstance(error, DeviceError | ImportError) else RuntimeError
    with contextlib.suppress(OSError):
        connection.send(("fault", kind, arguments))


def _run(connection: Connection, config: URArmConfig, link: Link) -> None:
    link.check()
    link.set_tool()
    lift = plan_lift(link, config)
    approach = plan_approach(link, config)
    link.arm_watchdog()
    stream = ServoStream(link, config, connection)
    if stream.approach(approach):
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

    def approach(self, path: JointPath) -> bool:
        """Move to the end of `path`; False if the pipe closed meanwhile.

        Raises:
            DeviceError: if the arm stops, or does not arrive in time.
        """
        length = float(path.stations[-1])
        speed, acceleration = self._config.approach_speed_rad_s, self._config.approach_acceleration_rad_s2
        limiter = SpeedLimiter(0.0, speed, acceleration)
        deadline = time.monotonic() + length / speed + speed / acceleration + _APPROACH_MARGIN_S
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
                return False
        return True

    def lift(self, path: JointPath) -> None:
        """Follow the commanded height along `path` until the pipe closes.

        Raises:
            DeviceError: if the arm stops.
        """
        limiter = SpeedLimiter(0.0, self._config.max_speed_m_s, self._config.max_acceleration_m_s2)
        ramp, commanded = TargetRamp(0.0), 0.0
        while self._height is not None:
            if self._height != commanded:
                commanded = self._height
                ramp.command(commanded, time.monotonic())
            self._tick(path, limiter.step(ramp.at(time.monotonic()), self._period), "ready")

    def _distance(self, path: JointPath) -> float:
        return float(np.abs(self._link.joints - path.joints[-1]).max())

    def _tick(self, path: JointPath, position: float, state: str) -> None:
        self._link.check()
        self._link.check_program()
        self._link.servo(path.at(position), self._period)
        now = time.monotonic()
        if now >= self._beat_due:
            self._beat_due = now + HEARTBEAT_S
            self._connection.send((state,))
        self._due = max(self._due + self._period, now)
        self._listen_until(self._due)

    def _listen_until(self, due: float) -> None:
        try:
            while self._connection.poll(max(due - time.monotonic(), 0.0)):
                _, self._height = self._connection.recv()
        except EOFError:
            self._height = None


if __name__ == "__main__":
    main()
