"""Run LeRobot's real commands as a user would, offline and away from the user's own folders."""

import os
import pty
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from softgrasp_plugin.grasping.objects import TASK_DESCRIPTION
from softgrasp_plugin.scripts.steps import console_script

TASK = TASK_DESCRIPTION
SMALL_CAMERA = "{side: {type: softgrasp_sim, width: 160, height: 120, fps: 30}}"

A_MOMENT_S = 1.2
"""What a person at least needs before they press ENTER; every device's readings are old by then."""

CORRECT_ONCE = [
    ("corrections-only recording started", " "),
    ("autonomous -> paused", "\t"),
    ("Entering correction mode", "\t"),
]
"""Keys of LeRobot's DAgger: space pauses the policy, tab hands over, tab again ends the correction."""


def environment(home: Path) -> dict[str, str]:
    """Variables that keep a command offline and its caches below `home`."""
    return {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(home / "hf"),
        "HF_LEROBOT_HOME": str(home / "lerobot"),
        "TOKENIZERS_PARALLELISM": "false",
    }


def run_command(name: str, *arguments: str, home: Path, timeout: float = 600) -> str:
    """Run a console script of this environment; return its output, fail with it if the command fails."""
    result = start(name, *arguments, home=home, timeout=timeout)
    assert result.returncode == 0, f"{name} exited with {result.returncode}:\n{result.stdout[-6000:]}"
    return result.stdout


def start(name: str, *arguments: str, home: Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """Run a console script of this environment and return whatever came of it."""
    return subprocess.run(
        [console_script(name), *arguments],
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def calibrate(home: Path, *arguments: str, answers: list[tuple[str, Callable[[], str]]]) -> str:
    """Run `lerobot-calibrate` and answer its prompts, each recognised by a word of it; returns its output."""
    process = subprocess.Popen(
        [console_script("lerobot-calibrate"), *arguments],
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    printed = ""
    for word, answer in answers:
        seen = len(printed)
        # A prompt ends no line.
        while word not in printed[seen:]:
            chunk = process.stdout.read1(4096).decode(errors="replace")
            assert chunk, printed[-3000:]
            printed += chunk
        process.stdin.write(answer().encode() + b"\n")
        process.stdin.flush()
    rest, _ = process.communicate(timeout=120)
    printed += rest.decode(errors="replace")
    assert process.returncode == 0, printed[-3000:]
    return printed


def run_in_terminal(
    command: list[str], *, variables: dict[str, str], keys: list[tuple[str, str]], pause_s: float
) -> str:
    """Run a command in a terminal and press keys; return its output, fail with it if the command fails.

    Args:
        command: path of the program and its arguments.
        variables: the environment.
        keys: pairs of a text to wait for and a key to press `pause_s` seconds after it was printed, in turn.
        pause_s: seconds.
    """
    controller, terminal = pty.openpty()
    process = subprocess.Popen(command, env=variables, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    output, seen, waiting = "", 0, list(keys)
    while True:
        try:
            chunk = os.read(controller, 4096)
        except OSError:  # the terminal is gone when the command has ended
            break
        output += chunk.decode(errors="replace")
        if waiting and waiting[0][0] in output[seen:]:
            trigger, key = waiting.pop(0)
            seen = output.index(trigger, seen) + len(trigger)
            time.sleep(pause_s)
            os.write(controller, key.encode())
    os.close(controller)
    assert process.wait(timeout=60) == 0, output[-6000:]
    assert not waiting, f"never printed: {waiting[0][0]!r} in {output[-6000:]}"
    return output


def record_arguments(
    root: Path, *, repo_id: str = "softgrasp/test", episodes: int = 2, seconds: float = 7, video: bool = True
) -> list[str]:
    """Arguments of `lerobot-record` for a small simulated dataset."""
    return [
        "--robot.type=ur3_dexhand_sim",
        f"--robot.cameras={SMALL_CAMERA}",
        "--teleop.type=virtual_operator",
        f"--dataset.repo_id={repo_id}",
        f"--dataset.root={root}",
        f"--dataset.single_task={TASK}",
        f"--dataset.num_episodes={episodes}",
        f"--dataset.episode_time_s={seconds}",
        "--dataset.reset_time_s=0.2",
        f"--dataset.video={str(video).lower()}",
        f"--dataset.streaming_encoding={str(video).lower()}",
        "--dataset.push_to_hub=false",
        "--dataset.no_stamp=true",
        "--play_sounds=false",
    ]
