"""Runs commands in processes of their own, several at a time: here, or on the user's cluster.

Nothing but files passes between a command and whoever started it, so it does not matter on which machine it
runs, as long as the folder is the same.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

from tqdm import tqdm  # type: ignore[import-untyped]

_REFRESH_S = 0.5
_CLEAN_UP_S = 60.0
_TAIL_BYTES = 4096
_MOST_MINUTES = 24 * 60


@dataclass(frozen=True)
class Command:
    """Something to run.

    Attributes:
        name: shown to the user.
        arguments: program and arguments.
        log: file that receives everything it prints.
        environment: variables added to the present ones.
    """

    name: str
    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """Where commands run."""

    def run(self, command: Command) -> None:
        """Run one command to its end; called by several threads at once. Raises if it failed."""

    def stop(self) -> None:
        """End every command that is running, and start none any more."""


class LocalProcesses:
    """Processes on this machine."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, command: Command) -> None:
        """Run one command.

        Raises:
            CalledProcessError: if it failed.
        """
        with command.log.open("wb") as log, self._lock:
            if self._stopped:
                return
            process = subprocess.Popen(
                list(command.arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **command.environment},
                start_new_session=True,  # Ctrl-C is for whoever started us; `stop` passes it on
            )
            self._running.add(process)
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        if code:
            raise subprocess.CalledProcessError(code, command.arguments[0])

    def stop(self) -> None:
        with self._lock:
            self._stopped, running = True, list(self._running)
        for process in running:
            process.send_signal(signal.SIGINT)  # a recording is saved before it ends
        for process in running:
            try:
                process.wait(_CLEAN_UP_S)
            except subprocess.TimeoutExpired:
                process.kill()


class Cluster:
    """Jobs of a cluster's queue, through submitit (`pip install submitit`).

    Args:
        kind: `slurm`, or `local` to try the same without a queue.
        folder: on a disk that all machines share; receives submitit's own files.
        options: of `submitit.AutoExecutor.update_parameters`, such as `slurm_partition` and `gpus_per_node`.

    Raises:
        ValueError: if submitit is not installed, there is no such cluster, or it knows no such option.
    """

    def __init__(self, kind: str, folder: Path, options: Mapping[str, Any]) -> None:
        try:
            import submitit  # not needed by whoever has no cluster
        except ModuleNotFoundError:
            raise ValueError("--cluster needs submitit: pip install submitit") from None
        try:
            self._executor = submitit.AutoExecutor(folder=folder, cluster=kind)
            self._executor.update_parameters(**{"timeout_min": _MOST_MINUTES, **options})
        except (ValueError, NameError, RuntimeError) as error:
            raise ValueError(f"--cluster={kind}: {error}") from error
        self._lock = Lock()
        self._jobs: list[Any] = []
        self._stopped = False

    def run(self, command: Command) -> None:
        """Queue one command and wait for its end; raises whatever submitit does if it failed."""
        shell = 'exec "$@" > "$0" 2>&1'
        with self._lock:
            if self._stopped:
                return
            job = self._executor.submit(
                subprocess.run,
                ["sh", "-c", shell, str(command.log.resolve()), *command.arguments],
                check=True,
            )
            self._jobs.append(job)
        job.result()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for job in self._jobs:
                if not job.done():
                    job.cancel()


def run_commands(
    commands: Sequence[Command],
    engine: Engine,
    at_once: int,
    summarise: Callable[[str], str | None] = lambda line: line,
) -> Generator[tuple[Command, str | None]]:
    """Run commands in their order, showing one live line.

    Args:
        commands: each needs a log file of its own.
        engine: where.
        at_once: how many at a time.
        summarise: turns a line of output into what is worth showing, or None for nothing.

    Yields:
        Every command when it has ended, with what went wrong or None. Whoever stops iterating ends the rest.
    """
    for command in commands:
        command.log.parent.mkdir(parents=True, exist_ok=True)
    pool = ThreadPoolExecutor(at_once)
    futures: dict[Future[None], Command] = {pool.submit(engine.run, command): command for command in commands}
    waiting = set(futures)
    bar = tqdm(total=len(commands), bar_format="  {n_fmt}/{total_fmt} {elapsed} {desc}", file=sys.stdout)
    try:
        with bar:
            while waiting:
                done, waiting = wait(waiting, _REFRESH_S, FIRST_COMPLETED)
                for future in done:
                    bar.update()
                    error = future.exception()
                    yield futures[future], None if error is None else _first_line(error)
                running = [futures[future] for future in waiting if future.running()]
                shown = [(command.name, _last_line(command.log, summarise)) for command in running]
                text = "; ".join(f"{name}: {line}" for name, line in shown if line)
                # Elsewhere than on a terminal every state would be kept.
                bar.set_description_str(text[:160], refresh=sys.stdout.isatty())
    finally:
        engine.stop()
        pool.shutdown(cancel_futures=True)


def _first_line(error: BaseException) -> str:
    """What went wrong in a line; the whole of it is in the log."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _last_line(log: Path, summarise: Callable[[str], str | None]) -> str | None:
    """What the newest line that is worth showing says."""
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _TAIL_BYTES, 0))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:  # not there yet
        return None
    summaries = (summarise(line.strip()) for line in reversed(lines))
    return next((summary for summary in summaries if summary), None)
