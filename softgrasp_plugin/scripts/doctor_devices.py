"""Whether configured devices answer, are calibrated, and keep their rates."""

import math
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median
from typing import Any

from lerobot.cameras.camera import Camera

from ..devices.arms.config import URArmConfig
from ..devices.errors import DeviceError
from ..devices.gloves.config import MINIMUM_RATE_HZ
from ..robots.ur3_dexhand import UR3DexHand
from ..teleoperators.force_glove import ForceGlove
from .doctor_checks import Finding, Level

_RTDE_PORT = 30004
_LINK_TIMEOUT_S = 2.0
_LOOK_EVERY_S = 0.01
_NEARLY = 0.8
_JITTER = 0.97
"""A loop that is configured at the minimum rate is measured a little below it."""
_OLD_TORQUE_S = 0.05
_TROUBLES = (OSError, ValueError, RuntimeError, ImportError)
"""What drivers raise; every `DeviceError` is an `OSError`."""


class DeviceCheck:
    """Connects what is configured, one device after the other, and watches hand and glove work together.

    The hand holds where it is, the glove is felt but not led, and the arm is not moved.

    Args:
        robot: an unconnected robot, or None.
        teleop: an unconnected glove, or None.
        listen_s: how long rates are measured.
    """

    def __init__(self, robot: UR3DexHand | None, teleop: ForceGlove | None, listen_s: float) -> None:
        self._robot = robot
        self._teleop = teleop
        self._listen_s = listen_s

    def __call__(self) -> Iterator[Finding]:
        robot, teleop = self._robot, self._teleop
        with ExitStack() as stack:
            hand_works = glove_works = False
            if robot is not None:
                yield from _check_calibration(robot, "robot")
                yield from self._connect(stack, str(robot.hand), robot.hand)
                hand_works = robot.hand.is_connected and robot.is_calibrated
            if teleop is not None:
                yield from _check_calibration(teleop, "teleop")
                yield from self._connect(stack, "glove", teleop, calibrate=False)
                glove_works = teleop.is_connected and teleop.is_calibrated
            if hand_works or glove_works:
                yield from self._listen(robot if hand_works else None, teleop if glove_works else None)
        if robot is not None:
            for name, camera in robot.cameras.items():
                yield from _check_camera(name, camera, self._listen_s)
            if isinstance(robot.config.arm, URArmConfig):
                yield _check_arm(robot.config.arm.host)

    def _connect(self, stack: ExitStack, name: str, device: Any, **options: bool) -> Iterator[Finding]:
        try:
            device.connect(**options)
        except _TROUBLES as error:
            yield _red(name, error)
        else:
            stack.callback(device.disconnect)
            yield Finding(Level.GREEN, name, "answers")

    def _listen(self, robot: UR3DexHand | None, teleop: ForceGlove | None) -> Iterator[Finding]:
        hand_ages, torque_ages, delays = [], [], []
        end = time.monotonic() + self._listen_s
        while time.monotonic() < end:
            time.sleep(_LOOK_EVERY_S)
            if robot is not None:
                hand_ages.append(robot.hand.age_s)
            if teleop is not None and teleop.health is not None:
                torque_ages.append(teleop.health.torque_age_s)
                delays.append(teleop.health.feedback_delay_s)
        if robot is not None:
            yield _judge_rate(str(robot.hand), robot.hand.rate_hz, robot.config.hand.rate_hz, 0.0)
            yield _judge_age("newest reading of the hand", hand_ages, robot.config.hand.stale_after_s)
        health = None if teleop is None else teleop.health
        if teleop is not None and health is not None:
            if health.error is not None:
                yield _red("glove", health.error)
            yield _judge_rate("glove", health.rate_hz, teleop.config.glove.rate_hz, MINIMUM_RATE_HZ)
            if robot is not None:
                stale_after_s = teleop.config.feedback.stale_after_s
                yield _judge_age("newest torque of the glove", torque_ages, stale_after_s)
                # A contact that begins right after the hand was asked waits for the next time.
                period_s = 1.0 / max(robot.hand.rate_hz, 1.0)
                yield _judge_age("contact to feedback", [period_s + s for s in delays], stale_after_s)


def _check_calibration(device: UR3DexHand | ForceGlove, kind: str) -> Iterator[Finding]:
    if device.is_calibrated:
        yield Finding(Level.GREEN, f"calibration of {kind}", str(device.calibration_fpath))
    else:
        yield Finding(
            Level.RED,
            f"calibration of {kind}",
            f"there is no usable {device.calibration_fpath}.",
            f"lerobot-calibrate with the same --{kind}.type, --{kind}.id and device options.",
        )


def _judge_rate(name: str, rate_hz: float, wanted_hz: float, minimum_hz: float) -> Finding:
    text = f"{rate_hz:.0f} Hz, {wanted_hz:.0f} Hz configured"
    remedy = "Set the adapter's latency timer, raise the baud rate, or configure a lower rate_hz."
    if rate_hz < max(_JITTER * minimum_hz, 1.0):
        return Finding(Level.RED, f"rate of {name}", text, remedy)
    if rate_hz < _NEARLY * wanted_hz:
        return Finding(Level.AMBER, f"rate of {name}", text, remedy)
    return Finding(Level.GREEN, f"rate of {name}", text)


def _judge_age(name: str, ages_s: list[float], stale_after_s: float) -> Finding:
    ages_s = [age for age in ages_s if math.isfinite(age)]
    if not ages_s:
        return Finding(
            Level.RED, name, "the glove has heard nothing from the hand.", "Use the same rig name for both."
        )
    worst = max(ages_s)
    text = f"median {1e3 * median(ages_s):.0f} ms, worst {1e3 * worst:.0f} ms"
    remedy = f"Beyond {1e3 * stale_after_s:.0f} ms there is no force; relieve the computer, check cables."
    if worst > stale_after_s:
        return Finding(Level.RED, name, text, remedy)
    if worst > _OLD_TORQUE_S:
        return Finding(Level.AMBER, name, text, remedy)
    return Finding(Level.GREEN, name, text)


def _check_camera(name: str, camera: Camera, listen_s: float) -> Iterator[Finding]:
    subject = f"camera {name}"
    with _connected(camera) as error:
        if error is not None:
            yield _red(subject, error)
            return
        started, frames = time.monotonic(), 0
        read: Any = camera.async_read if getattr(camera, "use_rgb", True) else camera.async_read_depth
        try:
            while time.monotonic() - started < listen_s:
                read(timeout_ms=1000)
                frames += 1
        except (TimeoutError, RuntimeError) as trouble:
            yield _red(subject, trouble)
            return
        rate_hz = frames / (time.monotonic() - started)
    finding = _judge_rate(subject, rate_hz, float(camera.fps or rate_hz), 0.0)
    more_light = "Give it more light (automatic exposure lowers the rate) and a USB 3 port of its own."
    yield Finding(finding.level, finding.subject, finding.text, more_light if finding.remedy else "")


@contextmanager
def _connected(camera: Camera) -> Iterator[Exception | None]:
    try:
        camera.connect()
    except _TROUBLES as error:
        yield error
        return
    try:
        yield None
    finally:
        camera.disconnect()


def _check_arm(host: str) -> Finding:
    try:
        socket.create_connection((host, _RTDE_PORT), _LINK_TIMEOUT_S).close()
    except OSError as error:
        return Finding(
            Level.RED,
            f"UR arm at {host}",
            f"its RTDE port {_RTDE_PORT} does not answer ({error}).",
            "Check that it is switched on, its cable, and the address (teach pendant: Settings, Network).",
        )
    return Finding(Level.GREEN, f"UR arm at {host}", "its RTDE port answers (the arm was not moved)")


def _red(subject: str, error: BaseException) -> Finding:
    if isinstance(error, DeviceError):
        return Finding(Level.RED, subject, f"{error.device}: {error.problem}", error.remedy)
    return Finding(Level.RED, subject, str(error), "See docs/hardware.md.")
