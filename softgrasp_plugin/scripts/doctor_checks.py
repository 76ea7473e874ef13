"""What can be wrong with a computer before any device is asked."""

import importlib
import importlib.metadata
import importlib.util
import os
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from serial.tools import list_ports

from ..devices.realtime import prefer_this_thread
from ..devices.serial_link import RECOMMENDED_LATENCY_MS, latency_remedy, latency_timer_ms

DISTRIBUTION = "lerobot_robot_softgrasp"
PLUGIN_PREFIXES = (
    "lerobot_robot_",
    "lerobot_camera_",
    "lerobot_teleoperator_",
    "lerobot_policy_",
    "lerobot_env_",
)
"""How LeRobot recognises a plugin: by the name of its distribution, underscores included."""


class Level(StrEnum):
    """How bad a finding is."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        level: green is well, amber works but not as it should, red does not work.
        subject: what was looked at.
        text: what was found.
        remedy: what to do about it.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""


def check_versions() -> Iterator[Finding]:
    """Whether LeRobot is there in a version that this plugin is made for."""
    version = importlib.metadata.version("lerobot")
    if version.split(".")[:2] == ["0", "6"]:
        yield Finding(Level.GREEN, "LeRobot", f"version {version}")
    else:
        yield Finding(
            Level.AMBER,
            "LeRobot",
            f"version {version}; this plugin is made for 0.6",
            "pip install 'lerobot>=0.6.1,<0.7'",
        )


def check_plugins(names: Iterable[str] | None = None) -> Iterator[Finding]:
    """Import every plugin as LeRobot does, and show the error that LeRobot only logs.

    Args:
        names: names of the installed distributions; those of this environment if None.
    """
    if names is None:
        names = sorted({str(found.metadata["Name"]) for found in importlib.metadata.distributions()})
    plugins = [name for name in names if name.startswith(PLUGIN_PREFIXES)]
    for name in plugins:
        try:
            importlib.import_module(name)
        except Exception as error:  # LeRobot goes on without the plugin, whatever it was
            place = traceback.extract_tb(error.__traceback__)[-1]
            yield Finding(
                Level.RED,
                f"plugin {name}",
                f"cannot be imported, so LeRobot goes on without it: {type(error).__name__}: {error} "
                f"({place.filename}:{place.lineno})",
                f"pip install --force-reinstall {name}, or uninstall it if you do not need it.",
            )
        else:
            yield Finding(Level.GREEN, f"plugin {name}", "found and imported")
    if DISTRIBUTION not in plugins:
        yield Finding(
            Level.RED,
            f"plugin {DISTRIBUTION}",
            "is not an installed distribution, so LeRobot's commands do not find it.",
            "pip install it into this environment (a checkout: pip install -e .).",
        )


def check_realsense(*, needed: bool) -> Iterator[Finding]:
    """Whether `pyrealsense2` is absent or works; installed but broken it ends LeRobot's commands.

    Args:
        needed: whether a RealSense camera is configured.
    """
    if importlib.util.find_spec("pyrealsense2") is None:
        if needed:
            yield Finding(
                Level.RED,
                "RealSense",
                "pyrealsense2 is not installed.",
                f"pip install '{DISTRIBUTION}[realsense]' and sudo apt-get install libusb-1.0-0",
            )
        else:
            yield Finding(Level.GREEN, "RealSense", "pyrealsense2 is not installed, and no camera needs it")
        return
    try:
        importlib.import_module("pyrealsense2")
    except ImportError as error:
        yield Finding(
            Level.RED,
            "RealSense",
            f"pyrealsense2 is installed but cannot be imported ({error}). LeRobot's commands then end before "
            "they load any plugin, also without a RealSense camera.",
            "sudo apt-get install libusb-1.0-0, or pip uninstall pyrealsense2.",
        )
    else:
        yield Finding(Level.GREEN, "RealSense", "pyrealsense2 can be imported")


def check_ur_rtde() -> Iterator[Finding]:
    """Whether the client of the UR controller is there."""
    if importlib.util.find_spec("rtde_control") is None:
        yield Finding(
            Level.RED,
            "UR arm",
            "ur_rtde is not installed.",
            f"pip install '{DISTRIBUTION}[ur]' (Python 3.12)",
        )
    else:
        yield Finding(Level.GREEN, "UR arm", "ur_rtde is installed")


def check_priority() -> Finding:
    """Whether the loops of hand, glove and arm may run ahead of ordinary programs."""
    with ThreadPoolExecutor(1) as thread:
        granted = thread.submit(prefer_this_thread).result()
    if granted:
        return Finding(
            Level.GREEN, "priority", "the loops of hand, glove and arm run ahead of other programs"
        )
    return Finding(
        Level.AMBER,
        "priority",
        "the loops of hand, glove and arm compete with every other program of this computer.",
        "Add the line '@dialout - rtprio 1' to /etc/security/limits.conf and log in again (Linux).",
    )


def check_serial_ports(configured: Iterable[str]) -> Iterator[Finding]:
    """Whether the ports exist, may be used, and answer quickly.

    Args:
        configured: ports that the robot or the teleoperator is told to use.
    """
    wanted = list(dict.fromkeys(configured))
    plugged = sorted(port.device for port in list_ports.comports() if port.vid is not None)
    if not wanted and not plugged:
        yield Finding(Level.GREEN, "serial ports", "no USB adapter is plugged in, and none is configured")
    for port in [*wanted, *(port for port in plugged if port not in wanted)]:
        yield _check_port(port, Level.RED if port in wanted else Level.AMBER)


def _check_port(port: str, level: Level) -> Finding:
    subject = f"port {port}"
    if not Path(port).exists():
        return Finding(level, subject, "does not exist.", "Plug it in; lerobot-find-port tells its name.")
    if not os.access(port, os.R_OK | os.W_OK):
        return Finding(
            level, subject, "may not be used by you.", "sudo usermod -aG dialout $USER, then log in again."
        )
    latency_ms = latency_timer_ms(port)
    if latency_ms is not None and latency_ms > RECOMMENDED_LATENCY_MS:
        return Finding(
            Level.AMBER,
            subject,
            f"the adapter holds bytes back for {latency_ms} ms, which limits hand and glove to some "
            f"{1000 // latency_ms} exchanges a second.",
            latency_remedy(port),
        )
    timer = "" if latency_ms is None else f", latency timer {latency_ms} ms"
    return Finding(Level.GREEN, subject, f"may be used{timer}")
