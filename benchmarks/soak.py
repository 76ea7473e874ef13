"""Does anything grow? Record, save, record, and connect and disconnect, for an hour.

make soak            (or: python benchmarks/soak.py --minutes=60 --connections=1000)

One process records episode after episode with LeRobot's own `record`, by turns in simulation and over
emulated wires with the real drivers, and between the recordings connects and disconnects robots and gloves.
After each piece of work it notes its memory, threads and open files. The first quarter is for caches to fill;
from then on threads and files must not rise, and the memory not by more than `--most_mb_per_hour`. Writes
docs/results/soak.md, and ends with an error if something grows.
"""

import argparse
import ctypes
import gc
import itertools
import logging
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lerobot.configs.dataset import DatasetRecordConfig
from lerobot.robots.robot import Robot
from lerobot.scripts.lerobot_record import RecordConfig, record
from lerobot.teleoperators.teleoperator import Teleoperator

from softgrasp_plugin.devices.errors import DeviceError
from softgrasp_plugin.emulators.device_types import HAND_TYPES
from softgrasp_plugin.emulators.rig import EmulatedRig, motor_calibration
from softgrasp_plugin.joints import CAMERA_KEY
from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.simulation.config_simulated_camera import SimulatedCameraConfig
from softgrasp_plugin.teleoperators.config_force_glove import ForceGloveConfig
from softgrasp_plugin.teleoperators.config_virtual_operator import VirtualOperatorConfig
from softgrasp_plugin.teleoperators.force_glove import ForceGlove
from softgrasp_plugin.teleoperators.virtual_operator import VirtualOperator

REPORT = Path(__file__).parent.parent / "docs" / "results" / "soak.md"
FPS, EPISODES = 30, 2
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True)
class Sample:
    """What the process holds at one moment."""

    hours: float
    rss_mb: float
    threads: int
    files: int


@dataclass
class Options:
    minutes: float
    connections: int
    episode_s: float
    most_mb_per_hour: float
    report: Path


def look(started: float) -> Sample:
    gc.collect()
    # Memory that glibc holds back after threads have ended is no leak; elsewhere there is no such call.

    if hasattr(_LIBC, "malloc_trim"):
        _LIBC.malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        (time.monotonic() - started) / 3600.0,
        pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        len(os.listdir("/proc/self/task")),
        len(os.listdir("/proc/self/fd")),
    )


def hardware(folder: Path, rig: EmulatedRig, hand_type: str) -> tuple[UR3DexHandConfig, ForceGloveConfig]:
    """The configuration of the real drivers on the wires of an emulated rig, calibrated."""
    robot = UR3DexHandConfig(id=hand_type, calibration_dir=folder, hand=rig.hand_config, rig="soak")
    (folder / f"{hand_type}.json").write_text(rig.hand_calibration.to_json())
    glove = ForceGloveConfig(id="glove", calibration_dir=folder, glove=rig.glove_config, rig="soak")
    teleop = ForceGlove(glove)
    teleop.calibration = motor_calibration()
    teleop._save_calibration()
    return robot, glove


def simulation() -> tuple[UR3DexHandSimConfig, VirtualOperatorConfig]:
    cameras = {CAMERA_KEY: SimulatedCameraConfig(width=64, height=48)}
    return UR3DexHandSimConfig(id="sim", cameras=cameras, rig="soak"), VirtualOperatorConfig(
        id="sim", rig="soak"
    )


@contextmanager
def rigs(folder: Path) -> Iterator[list[tuple[str, object, object]]]:
    """Every rig as (name, robot's configuration, teleoperator's configuration)."""
    with ExitStack() as stack:
        found: list[tuple[str, object, object]] = [("simulation", *simulation())]
        for hand_type in HAND_TYPES:
            rig = stack.enter_context(EmulatedRig(hand_type=hand_type))
            found.append((hand_type, *hardware(folder, rig, hand_type)))
        yield found


_FAILED = ", ended by a device that did not answer in time"
"""Where the emulators have to share their processor with other programs, that happens; nothing may leak by
it.
"""


def record_once(folder: Path, robot: object, teleop: object, episode_s: float) -> str:
    """One `lerobot-record` of a few episodes, saved; the dataset is deleted. Returns `_FAILED` or nothing."""
    config = RecordConfig(
        robot=robot,  # type: ignore[arg-type]
        teleop=teleop,  # type: ignore[arg-type]
        dataset=DatasetRecordConfig(
            repo_id="softgrasp/soak",
            root=str(folder / "dataset"),
            single_task="Grasp the object and lift it",
            fps=FPS,
            num_episodes=EPISODES,
            episode_time_s=episode_s,
            reset_time_s=0.2,
            push_to_hub=False,
            streaming_encoding=True,
        ),
        play_sounds=False,
    )
    try:
        record(config)
        return ""
    except DeviceError:
        return _FAILED
    finally:
        for dataset in folder.glob("dataset*"):  # LeRobot may add the time to the name
            shutil.rmtree(dataset)


def connect_once(robot_config: object, teleop_config: object) -> str:
    """Connect, send one action, disconnect. Returns `_FAILED` or nothing."""
    robot: Robot
    teleop: Teleoperator
    if isinstance(robot_config, UR3DexHandSimConfig):
        assert isinstance(teleop_config, VirtualOperatorConfig)
        robot, teleop = UR3DexHandSim(robot_config), VirtualOperator(teleop_config)
    else:
        assert isinstance(robot_config, UR3DexHandConfig)
        assert isinstance(teleop_config, ForceGloveConfig)
        robot, teleop = UR3DexHand(robot_config), ForceGlove(teleop_config)
    try:
        robot.connect()
        teleop.connect()
        robot.send_action(teleop.get_action())
        return ""
    except DeviceError:
        return _FAILED
    finally:
        for device in (teleop, robot):
            if device.is_connected:
                device.disconnect()


def soak(options: Options) -> tuple[list[Sample], Counter[str]]:
    done: Counter[str] = Counter()
    samples: list[Sample] = []
    started, attempts = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as name, rigs(Path(name)) as found:
        recordings, connections = itertools.cycle(found), itertools.cycle(found)
        while (spent := (time.monotonic() - started) / 60.0) < options.minutes or (
            attempts < options.connections
        ):
            rig_name, robot, teleop = next(recordings)
            if spent < options.minutes:
                ending = record_once(Path(name), robot, teleop, options.episode_s)
                done[f"recordings, {rig_name}{ending}"] += 1
            due = min(1.0, (time.monotonic() - started) / 60.0 / options.minutes) * options.connections
            while attempts < due:
                done[f"connections{connect_once(*next(connections)[1:])}"] += 1
                attempts += 1
            samples.append(look(started))
    return samples, done


def slope(samples: list[Sample], of: str) -> float:
    """Growth per hour."""
    return float(np.polyfit([s.hours for s in samples], [getattr(s, of) for s in samples], 1)[0])


def judge(samples: list[Sample], most_mb_per_hour: float) -> tuple[list[str], str]:
    """What grows, in words; and the table of the report."""
    settled = samples[len(samples) // 4 :]
    half = len(settled) // 2
    problems, rows = (
        [],
        ["| | after the first quarter | at the end | at most | growth per hour |", "|---|---|---|---|---|"],
    )
    for name, of, digits in (
        ("memory (RSS), MiB", "rss_mb", 1),
        ("threads", "threads", 0),
        ("open files", "files", 0),
    ):
        values = [float(getattr(sample, of)) for sample in settled]
        growth = slope(settled, of)
        rows.append(
            f"| {name} | {values[0]:.{digits}f} | {values[-1]:.{digits}f} | {max(values):.{digits}f} "
            f"| {growth:+.1f} |"
        )
        rises = min(values[half:]) > max(values[:half])
        grows = growth > most_mb_per_hour if of == "rss_mb" else rises
        if grows:
            problems.append(f"{name} grows: {values[0]:.{digits}f} to {values[-1]:.{digits}f}")
    return problems, "\n".join(rows)


def write_report(
    path: Path, samples: list[Sample], done: Counter[str], table: str, problems: list[str]
) -> None:
    minutes = samples[-1].hours * 60.0
    work = "\n".join(f"- {name}: {count}" for name, count in sorted(done.items()))
    verdict = "Nothing grows." if not problems else " ".join(problems)
    path.write_text(
        f"""# Soak test

Written by `make soak` (`benchmarks/soak.py`): {minutes:.0f} minutes in one process, Python
{platform.python_version()}, {platform.system()}, {os.cpu_count()} processors. Each recording is LeRobot's own
`record` of {EPISODES} episodes, saved and deleted; each connection is a robot and a glove connected,
one action sent, and both disconnected, by turns in simulation and over emulated wires. The devices'
emulators live in the same process and are counted.

{work}

{table}

The first quarter is not counted: caches fill, and what a library keeps for the process is loaded. {verdict}
""",
        encoding="utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--episode_s", type=float, default=3.0)
    parser.add_argument("--most_mb_per_hour", type=float, default=60.0)
    parser.add_argument("--report", type=Path, default=REPORT)
    options = Options(**vars(parser.parse_args()))
    threads = threading.active_count()
    samples, done = soak(options)
    logging.getLogger().info("%d threads before, %d after", threads, threading.active_count())
    problems, table = judge(samples, options.most_mb_per_hour)
    write_report(options.report, samples, done, table, problems)
    print(table)
    if problems:
        sys.exit("; ".join(problems))


if __name__ == "__main__":
    main()
