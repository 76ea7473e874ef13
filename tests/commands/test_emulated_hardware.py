"""The real drivers under LeRobot's own commands, over emulated wires, around a simulated object.

The wires live in this process, so that what the glove's motors are told can be watched; LeRobot runs in its
own.
"""

import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.joints import FINGERS, NUM_JOINTS, STATE_KEYS, THUMB_BEND
from softgrasp_plugin.scripts.emulate import EmulateConfig, emulated_rig
from softgrasp_plugin.scripts.steps import console_script
from softgrasp_plugin.simulation.emulators.rig import EmulatedRig

from .front_door import environment, start

pytestmark = pytest.mark.slow

FELT_MA = 60


class Watch:
    """Notes, 50 times a second, what hand and glove do: torque (6,) in newtons beside Goal_Current (6,)."""

    def __init__(self, rig: EmulatedRig) -> None:
        self.rig = rig
        self.torque: list[np.ndarray] = []
        self.current: list[np.ndarray] = []
        self.lifted_m = 0.0
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
            self.current.append(self.rig.glove_current_ma)
            self.lifted_m = max(self.lifted_m, self.rig.world.outcome().height_m)

    def await_force_on_glove(self, timeout_s: float = 60.0) -> None:
        deadline = time.monotonic() + timeout_s
        while self.rig.glove_current_ma.max() < FELT_MA:
            assert time.monotonic() < deadline, "the glove never felt anything"
            time.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "emulated"


@pytest.fixture
def rig(folder: Path) -> Iterator[EmulatedRig]:
    with emulated_rig(EmulateConfig(output_dir=folder)) as rig:
        yield rig


def record_in_real_time(folder: Path, home: Path) -> None:
    """Record one episode; again where this computer was too busy for the devices' real-time limits, which
    then rightly ended the command.
    """
    for _ in range(4):
        result = start(
            "lerobot-record",
            f"--config_path={folder / 'record.json'}",
            "--dataset.episode_time_s=8",
            "--dataset.no_stamp=true",
            home=home,
        )
        if "DeviceSilentError" not in result.stdout:
            break
        shutil.rmtree(folder / "dataset")
    assert result.returncode == 0, result.stdout[-6000:]


def column(dataset: LeRobotDataset, feature: str) -> np.ndarray:
    return np.stack(dataset.hf_dataset.with_format("numpy")[feature])


def test_record_grasps_the_object_and_the_glove_feels_it(rig: EmulatedRig, folder: Path, home: Path) -> None:
    with Watch(rig) as watch:
        record_in_real_time(folder, home)

    dataset = LeRobotDataset("softgrasp/emulated", root=folder / "dataset")
    assert dataset.meta.robot_type == "ur3_dexhand"
    state, action = column(dataset, "observation.state"), column(dataset, "action")
    assert dataset.meta.features["observation.state"]["names"] == list(STATE_KEYS)
    assert dataset.meta.features["action"]["names"] == list(STATE_KEYS)
    closure, torque = state[:, :NUM_JOINTS], state[:, NUM_JOINTS:]
    assert torque[:, THUMB_BEND].max() > 1.0, "the thumb presses"
    assert torque[:, FINGERS].max() > 0.5, "a finger opposes it"
    assert closure[:, FINGERS].max() > closure[0, FINGERS].max() + 0.05
    # The glove leads and the hand follows, within what a hand may lag.
    assert np.abs(action[:, FINGERS] - closure[:, FINGERS]).mean() < 0.05
    # The action's torque is what the hand measured at that moment, or a tick of its thread later.
    assert np.corrcoef(action[:, NUM_JOINTS + THUMB_BEND], torque[:, THUMB_BEND])[0, 1] > 0.9
    assert watch.lifted_m > 0.08, "the object was lifted"

    touches, felt = np.array(watch.torque)[:, THUMB_BEND], np.array(watch.current)[:, THUMB_BEND]
    assert felt[touches > 1.0].mean() > 2 * FELT_MA, "the glove's thumb feels the contact"
    assert felt[touches == 0.0].mean() < FELT_MA / 6, "and nothing in free air"
    np.testing.assert_array_equal(rig.glove_current_ma, 0.0, "no force is left on the glove")
    assert all(motor.get(64, 1) for motor in rig.hand_wire.motors.values()), "the hand holds"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_contact_leaves_the_glove_free_and_the_hand_holding(
    rig: EmulatedRig, folder: Path, home: Path, number: signal.Signals
) -> None:
    command = [console_script("lerobot-record"), f"--config_path={folder / 'record.json'}"]
    with Watch(rig) as watch:
        process = subprocess.Popen(
            command, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        watch.await_force_on_glove()
        process.send_signal(number)
        deadline = time.monotonic() + 5
        while rig.glove_current_ma.any():
            assert time.monotonic() < deadline, "the glove still pulls"
            time.sleep(0.005)
        output, _ = process.communicate(timeout=60)
    assert process.returncode != 0, output[-3000:]
    assert not rig.glove_current_ma.any()
    assert all(motor.get(64, 1) for motor in rig.hand_wire.motors.values()), "the hand holds"


def test_an_unplugged_hand_ends_the_command_and_keeps_what_was_saved(
    rig: EmulatedRig, folder: Path, home: Path
) -> None:
    arguments = [f"--config_path={folder / 'record.json'}", "--dataset.episode_time_s=4"]
    arguments += ["--dataset.num_episodes=5"]
    ended: list[subprocess.CompletedProcess[str]] = []
    thread = threading.Thread(target=lambda: ended.append(start("lerobot-record", *arguments, home=home)))
    with Watch(rig) as watch:
        thread.start()
        watch.await_force_on_glove()
        episodes = folder / "dataset" / "meta" / "episodes"
        deadline = time.monotonic() + 60
        while not (rig.trials and rig.glove_current_ma.any()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        rig.hand_wire.close()
        thread.join()
    assert ended[0].returncode != 0
    assert "Dynamixel hand on /dev/" in ended[0].stdout
    assert "Check" in ended[0].stdout, "the remedy"
    assert not rig.glove_current_ma.any()
    assert any(episodes.rglob("*.parquet"))
    dataset = LeRobotDataset("softgrasp/emulated", root=folder / "dataset")
    assert 1 <= dataset.num_episodes < 5
    assert len(dataset) == sum(dataset.meta.episodes["length"])
