"""Run LeRobot's commands one after another, showing one live line for each and keeping all they print in log
files.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PLAIN_INTERVAL_S = 20.0
_CLEAN_UP_S = 60.0
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
    log_path.parent.mkdir(parents=True, exist_ok=True)
    print(f"\n{title}\n  $ {_shorten(command)}", flush=True)
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        text=True,
        errors="replace",
    )
    display = LiveLine()
    lines: list[str] = []
    try:
        assert process.stdout is not None
        with log_path.open("w") as log:
            # Text mode turns a progress bar's carriage returns into line ends, so each of its states arrives
            # as a line.
            for line in process.stdout:
                log.write(line)
                lines.append(line.rstrip())
                shown = summarise(_COLOUR.sub("", line).strip())
                if shown:
                    display.show(shown)
        code = process.wait()
    except KeyboardInterrupt:
        # The terminal has sent the same signal to the command; it saves what it has before it ends.
        display.close()
        try:
            process.communicate(timeout=_CLEAN_UP_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.communicate()
        raise
    display.close()
    if code != 0:
        tail = "\n".join(f"    {line}" for line in lines[-15:])
        raise StepError(
            f"{Path(command[0]).name} failed (exit code {code}). "
            f"Its last lines:\n{tail}\n  All of it: {log_path}"
        )
    return lines


def _shorten(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])


class LiveLine:
    """One line that is overwritten on a terminal, and printed now and then elsewhere."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._is_terminal = sys.stdout.isatty()
        self._last = -_PLAIN_INTERVAL_S

    def show(self, text: str) -> None:
        elapsed = time.monotonic() - self._start
        width = shutil.get_terminal_size().columns - 1
        line = f"  {elapsed // 60:2.0f}:{elapsed % 60:02.0f}  {text}"[:width]
        if self._is_terminal:
            print(f"\r{line:<{width}}", end="", flush=True)
        elif elapsed - self._last >= _PLAIN_INTERVAL_S:
            self._last = elapsed
            print(line, flush=True)

    def note(self, text: str) -> None:
        """Print a line that stays."""
        width = shutil.get_terminal_size().columns - 1
        print(f"\r  {text:<{width - 2}}" if self._is_terminal else f"  {text}", flush=True)

    def close(self) -> None:
        elapsed = time.monotonic() - self._start
        width = shutil.get_terminal_size().columns - 1
        line = f"  done in {elapsed:.0f} s"
        print(f"\r{line:<{width}}" if self._is_terminal else line, flush=True)
