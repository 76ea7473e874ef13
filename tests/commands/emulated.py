"""What the tests of the real drivers under LeRobot's commands have in common."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.emulators.rig import EmulatedRig
from softgrasp_plugin.joints import THUMB_BEND
from softgrasp_plugin.scripts.emulate import EmulateConfig, launcher
from softgrasp_plugin.scripts.steps import console_script

from .front_door import environment
from .processor import ProcessorPressure

FELT_N = 0.2653
"""Newtons; 60 mA of the emulated exoskeleton's motors."""

_POSITION, _CURRENT = (116, 4), (102, 2)
"""Registers of a motor's goals, with their sizes."""

REALSENSE = Path(sys.prefix) / "realsense"
"""Where `make` puts pyrealsense2 with its libusb: without libusb it must not be in the environment itself."""


class Watch:
    """Notes, 50 times a second, what hand and glove do.

    Attributes:
        torque: what the hand feels, (6,) in newtons.
        felt: what the glove lets the wearer feel, (6,) in newtons.
        hand_goals: Goal_Position and Goal_Current of the hand's motors, (2, 6), in their units.
        lifted_m: the highest that the object has been.
        seeds: of the scenes that were there.
    """

    def __init__(self, rig: EmulatedRig) -> None:
        self.rig = rig
        self.torque: list[np.ndarray] = []
        self.felt: list[np.ndarray] = []
        self.hand_goals: list[list[list[int]]] = []
        self.lifted_m = 0.0
        self.seeds: set[int] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(0.02):
            self.torque.append(self.rig.world.hand_sample().torque)
            self.felt.append(self.rig.glove_force_n)
            motors = self.rig.hand_wire.motors.values()
            self.hand_goals.append([[motor.get(*goal) for motor in motors] for goal in (_POSITION, _CURRENT)])
            self.seeds.add(self.rig.world.seed)
            self.lifted_m = max(self.lifted_m, self.rig.world.outcome().height_m)

    def await_force_on_glove(self) -> None:
        wait_until(lambda: self.rig.glove_force_n.max() >= FELT_N, "the glove never felt anything")


def wait_until(done: Callable[[], bool], otherwise: str, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


def lerobot_command(name: str, config: EmulateConfig, rig: EmulatedRig, *arguments: str) -> list[str]:
    """The command line of one of LeRobot's commands, which finds the emulated RealSense if there is one."""
    start = launcher(config, rig)
    return [*start, name if start else console_script(name), *arguments]


def command_environment(command: list[str], home: Path) -> dict[str, str]:
    """Variables for a command of `lerobot_command`; it finds pyrealsense2 where it needs it."""
    variables = environment(home)
    if any(argument.endswith("emulators.realsense") for argument in command):
        paths = [str(REALSENSE), variables.get("PYTHONPATH", "")]
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return variables


@contextmanager
def running(command: list[str], home: Path) -> Iterator["subprocess.Popen[str]"]:
    """A command in a process of its own; it does not outlive the block."""
    process = subprocess.Popen(
        command,
        env=command_environment(command, home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def complete(command: list[str], home: Path, dataset: Path | None = None) -> str:
    """Run a command, which may record into the folder `dataset`; returns its output, fails if it fails.

    Once more where a device was silent *and* the kernel says that this computer kept programs waiting.
    Traced: at a load of 8 on two cores both ends of a wire are left alone for 0.3 s without real-time
    priority; with it, a thread still waits for one of ordinary priority that holds Python's lock. A silence
    of a driver's own making does not pass: it would show on an idle computer, too.
    """
    for attempt in (1, 2):
        pressure = ProcessorPressure()
        with running(command, home) as process:
            output, _ = process.communicate(timeout=120)
        if attempt == 2 or "DeviceSilentError" not in output or not pressure.is_busy:
            break
        if dataset is not None:
            shutil.rmtree(dataset)
    assert process.returncode == 0, output[-6000:]
    return output


def record_command(config: EmulateConfig, rig: EmulatedRig, *arguments: str) -> list[str]:
    """The command line that records with the rig into its own folder."""
    configuration = f"--config_path={config.output_dir / 'record.json'}"
    return lerobot_command(
        "lerobot-record", config, rig, configuration, "--dataset.no_stamp=true", *arguments
    )


def assert_wearer_feels(config: EmulateConfig, rig: EmulatedRig, home: Path) -> None:
    """Run `lerobot-teleoperate` until the wearer's thumb feels that it presses, then press Ctrl-C."""
    command = lerobot_command(
        "lerobot-teleoperate", config, rig, f"--config_path={config.output_dir / 'rig.json'}"
    )
    with Watch(rig) as watch, running(command, home) as process:

        def is_pressed() -> bool:
            felt, pressed = (max(row[THUMB_BEND] for row in rows[:]) for rows in (watch.felt, watch.torque))
            return felt > 2 * FELT_N and pressed > 1.0

        wait_until(
            lambda: (bool(watch.felt) and is_pressed()) or process.poll() is not None,
            "the thumb pressed nothing, or the wearer felt nothing",
        )
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output[-6000:]
    assert np.array(watch.torque)[:, THUMB_BEND].max() > 1.0, "the hand presses the object"
    assert np.array(watch.felt)[:, THUMB_BEND].max() > 2 * FELT_N, "and the wearer feels it"
    assert not rig.glove_force_n.any(), "no force is left on the glove"
    assert holds(rig)


def has_realsense() -> bool:
    """Whether pyrealsense2 is here: in its own place, or in the environment because libusb is there too."""
    return REALSENSE.is_dir() or importlib.util.find_spec("pyrealsense2") is not None


def column(dataset: LeRobotDataset, feature: str) -> np.ndarray:
    return np.stack(dataset.hf_dataset.with_format("numpy")[feature])


def holds(rig: EmulatedRig) -> bool:
    """Whether every motor of the hand keeps its position."""
    return all(motor.get(64, 1) for motor in rig.hand_wire.motors.values())


def recorded(folder: Path) -> LeRobotDataset:
    return LeRobotDataset("softgrasp/emulated", root=folder / "dataset")


def saved_episodes(folder: Path) -> int:
    """How many episodes LeRobot has completed so far."""
    path = folder / "dataset" / "meta" / "info.json"
    try:
        return int(json.loads(path.read_text())["total_episodes"])
    except (FileNotFoundError, json.JSONDecodeError):
        return 0  # LeRobot truncates the file and writes it anew; this may be the moment between
