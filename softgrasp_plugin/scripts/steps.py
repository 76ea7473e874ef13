"""Run LeRobot's commands one after another, showing one live line for each and keeping all they print in log
files.
"""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from ..experiments.engines import Command, LocalProcesses, run_commands

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class StepError(RuntimeError):
    """A command failed; the message says which and where its output is."""


def console_script(name: str) -> str:
    """Path of a command of the running Python environment.

    Raises:
        FileNotFoundError: if the command is not installed there.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(
            f"{name} is not installed beside {sys.executable}; install lerobot_robot_softgrasp again."
        )
    return found


def run_step(
    title: str,
    command: Sequence[str],
    log_path: Path,
    summarise: Callable[[str], str | None] = lambda line: line,
    environment: dict[str, str] | None = None,
) -> list[str]:
    """Run one command to its end.

    Args:
        title: shown in front of the live line.
        command: program and arguments.
        log_path: file that receives everything the command prints.
        summarise: turns a line of output into what is worth showing, or None for nothing.
        environment: variables added to the present ones.

    Returns:
        The lines that the command printed.

    Raises:
        StepError: if the command exits with an error.
        KeyboardInterrupt: on Ctrl-C, after the command itself has finished cleaning up.
    """
    name = Path(command[0]).name
    print(f"\n{title}\n  $ {' '.join([name, *command[1:]])}", flush=True)
    step = Command(name, command, log_path, environment or {})
    with closing(
        run_commands([step], LocalProcesses(), 1, lambda line: summarise(_COLOUR.sub("", line).strip()))
    ) as progress:
        ((_, error),) = progress
    lines = log_path.read_text(errors="replace").splitlines()
    if error is not None:
        tail = "\n".join(f"    {line}" for line in lines[-15:])
        raise StepError(f"{name} failed ({error}). Its last lines:\n{tail}\n  All of it: {log_path}")
    return lines
