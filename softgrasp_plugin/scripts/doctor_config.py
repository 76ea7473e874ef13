"""What `softgrasp-doctor` looks at, with the options of robot and glove, whose types LeRobot knows."""

import contextlib
import importlib
import importlib.metadata
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lerobot.configs import parser
from lerobot.robots.config import RobotConfig
from lerobot.teleoperators.config import TeleoperatorConfig

from ..devices.arms.config import URArmConfig
from ..options import refuses_in_words
from ..robots.config_ur3_dexhand import UR3DexHandConfig
from ..teleoperators.config_force_glove import ForceGloveConfig
from .doctor import DoctorOptions
from .doctor_checks import (
    DISTRIBUTION,
    Finding,
    Level,
    check_plugins,
    check_priority,
    check_realsense,
    check_serial_ports,
    check_ur_rtde,
    check_versions,
)
from .doctor_dataset import check_dataset
from .doctor_software import (
    check_features,
    check_limits,
    check_policy,
    check_renderer,
    check_simulated_grasp,
    check_video,
    check_weights,
)

_COLOURS = {Level.GREEN: 32, Level.AMBER: 33, Level.RED: 31}


@refuses_in_words
@dataclass
class DoctorConfig(DoctorOptions):
    """Options of `softgrasp-doctor`."""

    # The robot, as for lerobot-record.
    robot: RobotConfig | None = None
    # The glove, as for lerobot-record.
    teleop: TeleoperatorConfig | None = None


def examine(config: DoctorConfig) -> Iterator[Finding]:
    """Look at the installation, then at the devices of `config`; or at a dataset and a policy."""
    if config.dataset is not None or config.policy is not None:
        yield from _examine_files(config)
        return
    robot = config.robot if isinstance(config.robot, UR3DexHandConfig) else None
    cameras = {} if robot is None else robot.cameras
    yield from check_versions()
    yield from check_plugins()
    yield from check_realsense(needed=any(camera.type == "intelrealsense" for camera in cameras.values()))
    if robot is not None and isinstance(robot.arm, URArmConfig):
        yield from check_ur_rtde()
    yield check_video()
    yield check_renderer()
    yield check_weights()
    yield check_simulated_grasp()
    yield from check_limits(config.robot, config.teleop)
    ports = _ports(config)
    yield from check_serial_ports(ports)
    if ports:
        yield check_priority()
    for kind, device, ours in (
        ("robot", config.robot, UR3DexHandConfig),
        ("teleop", config.teleop, ForceGloveConfig),
    ):
        if device is not None and not isinstance(device, ours):
            yield Finding(
                Level.GREEN, f"--{kind}.type={device.type}", "has no device for the doctor to look at"
            )
    yield from _examine_devices(config)


def _examine_files(config: DoctorConfig) -> Iterator[Finding]:
    fps, is_whole = None, True
    if config.dataset is not None:
        folder = Path(config.dataset)
        is_name = re.fullmatch(r"[\w.-]+/[\w.-]+", config.dataset) is not None
        is_local = folder.is_dir() or not is_name
        if is_local:
            for finding in check_dataset(folder, repair=config.repair):
                is_whole &= finding.level is not Level.RED
                yield finding
        if is_whole:
            repo_id = config.dataset if is_name else "local/dataset"
            fps = yield from check_features(repo_id, folder if is_local else None)
    if config.policy is not None:
        yield from check_policy(config.policy, fps)


def _examine_devices(config: DoctorConfig) -> Iterator[Finding]:
    from ..robots.ur3_dexhand import UR3DexHand
    from ..teleoperators.force_glove import ForceGlove
    from .doctor_devices import DeviceCheck

    try:
        robot = UR3DexHand(config.robot) if isinstance(config.robot, UR3DexHandConfig) else None
        teleop = ForceGlove(config.teleop) if isinstance(config.teleop, ForceGloveConfig) else None
    except (ValueError, ImportError) as error:
        yield Finding(Level.RED, "configuration", str(error), "Correct the option or the file it names.")
        return
    yield from DeviceCheck(robot, teleop, config.listen_s)()


def _ports(config: DoctorConfig) -> list[str]:
    devices = []
    if isinstance(config.robot, UR3DexHandConfig):
        devices.append(config.robot.hand)
    if isinstance(config.teleop, ForceGloveConfig):
        devices.append(config.teleop.glove)
    ports = [getattr(device, name, None) for device in devices for name in ("port", "encoder_port")]
    return [port for port in ports if port is not None]


def report(findings: Iterable[Finding], *, as_json: bool = False) -> int:
    """Print the findings as they come, or all of them as JSON; returns the exit code."""
    if as_json:
        found = list(findings)
        print(json.dumps({"system": system(), "findings": [asdict(finding) for finding in found]}, indent=2))
        return int(any(finding.level is Level.RED for finding in found))
    levels = []
    for finding in findings:
        levels.append(finding.level)
        print(f"{_paint(finding.level)}  {finding.subject}: {finding.text}", flush=True)
        if finding.remedy:
            print(f"       → {finding.remedy}", flush=True)
    print(", ".join(f"{levels.count(level)} {level}" for level in Level))
    return int(Level.RED in levels)


def system() -> dict[str, str]:
    """Versions, for a report."""
    names = (DISTRIBUTION, "lerobot", "torch", "mujoco", "numpy", "gymnasium", "av", "draccus")
    versions = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {"python": platform.python_version(), "platform": platform.platform(), **versions}


def _paint(level: Level) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return f"{level:<5}"
    return f"\x1b[{_COLOURS[level]}m{level:<5}\x1b[0m"


@parser.wrap()
def run(config: DoctorConfig) -> None:
    """Examine, report, and exit with 1 if something is red."""
    raise SystemExit(report(examine(config), as_json=config.json))


def main_with_devices() -> None:
    """Read the options, those of robot and glove among them, and run."""
    try:
        register_cameras()
    except ImportError:
        # No command of LeRobot gets any further either: nothing else can be looked at before this is mended.
        raise SystemExit(report(check_realsense(needed=True))) from None
    run()


def register_cameras() -> None:
    """Let the configurations of LeRobot's cameras be parsed, as LeRobot's own commands do.

    Raises:
        ImportError: where pyrealsense2 is installed and does not work.
    """
    for name in ("opencv", "realsense", "zmq", "reachy2_camera"):
        importlib.import_module(f"lerobot.cameras.{name}")
