"""Saved episodes survive a kill, a full disk and a signal in the moment of saving."""

import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.scripts.doctor_config import report
from softgrasp_plugin.scripts.doctor_dataset import check_dataset
from softgrasp_plugin.scripts.steps import console_script

from .front_door import environment, record_arguments, run_command

pytestmark = pytest.mark.slow


def record_until(
    announcement: str, then: Callable[[subprocess.Popen[str]], None], root: Path, home: Path, *options: str
) -> str:
    """Record short episodes until a line of output holds `announcement`; returns the output."""
    process = subprocess.Popen(
        [console_script("lerobot-record"), *record_arguments(root, episodes=20, seconds=1), *options],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    output = ""
    for line in process.stdout:
        output += line
        if announcement in line:
            then(process)
            break
    rest, _ = process.communicate(timeout=120)
    return output + rest


def assert_whole(root: Path, episodes: int) -> None:
    """Every frame can be read, pictures too, and the tables agree."""
    recorded = LeRobotDataset("softgrasp/test", root=root)
    assert recorded.num_episodes == episodes
    assert len(recorded.hf_dataset) == recorded.meta.total_frames == sum(recorded.meta.episodes["length"])
    for row in recorded.meta.episodes:
        for index in (row["dataset_from_index"], row["dataset_to_index"] - 1):
            assert int(recorded[index]["episode_index"]) == row["episode_index"]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_killed_recording_keeps_its_episodes(home: Path) -> None:
    root = home / "killed"

    def kill(process: subprocess.Popen[str]) -> None:
        time.sleep(0.5)  # in the middle of the next episode
        process.kill()

    record_until("Recording episode 2", kill, root, home)
    assert_whole(root, 2)
    assert report(check_dataset(root, repair=False)) == 0


def test_killed_while_saving_it_is_repaired_and_resumed(home: Path) -> None:
    root = home / "killed_while_saving"

    def kill(process: subprocess.Popen[str]) -> None:
        wait_for(root / "data/chunk-000/file-002.parquet")
        process.kill()

    record_until("Recording episode 2", kill, root, home)
    assert report(check_dataset(root, repair=False)) == 1
    assert report(check_dataset(root, repair=True)) == 0
    assert_whole(root, 2)
    run_command("lerobot-record", *record_arguments(root, episodes=1, seconds=1), "--resume=true", home=home)
    assert_whole(root, 3)


def test_a_full_disk_costs_the_episode_that_no_longer_fits(home: Path) -> None:
    """No file can grow beyond 2000 bytes any more: tables and info.json are cut off in mid-writing."""
    root = home / "full"

    def fill(process: subprocess.Popen[str]) -> None:
        time.sleep(0.5)
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (2000, hard))

    assert "File too large" in record_until("Recording episode 2", fill, root, home)
    assert report(check_dataset(root, repair=True)) == 0
    assert_whole(root, 2)


def test_a_signal_lets_a_save_finish(home: Path) -> None:
    root = home / "signalled"

    def interrupt(process: subprocess.Popen[str]) -> None:
        wait_for(root / "data/chunk-000/file-002.parquet")
        process.send_signal(signal.SIGINT)

    output = record_until("Recording episode 2", interrupt, root, home)
    assert "the command ends when that is done" in output
    assert_whole(root, 3)
