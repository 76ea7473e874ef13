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

    def run(self, command: Command) -> int:
        """Run one command to its end; called by several threads at once.

        Returns:
            Its exit status; negative if a signal ended it.
        """

    def stop(self) -> None:
        """End every command that is running, and start none any more."""


class LocalProcesses:
    """Processes on this machine."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, command: Command) -> int:
        with self._lock:
            if self._stopped:
                return -signal.SIGINT
            process = _start(command.arguments, command.log, command.environment)
            self._running.add(process)
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def stop(self) -> None:
        with self._lock:
            self._stopped, running = True, list(self._running)
        # A recording is saved before it ends. What was started in a shell's background does not hear Ctrl-C.
        is_deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        for process in running:
            process.send_signal(signal.SIGTERM if is_deaf else signal.SIGINT)
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

    def run(self, command: Command) -> int:
        # What submitit starts on this machine would print where Ctrl-C has met it; `stop` ends it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with self._lock:
            if self._stopped:
                return -signal.SIGINT
            job = self._executor.submit(_run_in_job, command.arguments, command.log.resolve())
            self._jobs.append(job)
        try:
            return int(job.result())
        except Exception as error:  # the job itself is lost, or never began
            words = _last_line((job.stderr() or "").splitlines())
            raise RuntimeError(f"job {job.job_id} ended without a result: {words or job.state}") from error

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for job in self._jobs:
                if job.done():
                    continue
                if self._executor.cluster == "local":  # whose `cancel` leaves no time to clean up
                    os.kill(int(job.job_id), signal.SIGTERM)
                else:
                    job.cancel()


def _start(arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        return subprocess.Popen(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # A progress bar that is kept line by line is drawn once a minute.
            env={**os.environ, "PYTHONUNBUFFERED": "1", "TQDM_MININTERVAL": "60", **environment},
            start_new_session=True,  # Ctrl-C is for whoever started us, and is passed on
        )


def _run_in_job(arguments: Sequence[str], log: Path) -> int:
    """What a job does; whoever cancels it ends what it has started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = _start(arguments, log, {})
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        return process.wait()


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
    futures: dict[Future[int], Command] = {pool.submit(engine.run, command): command for command in commands}
    waiting = set(futures)
    bar = tqdm(total=len(commands), bar_format="  {n_fmt}/{total_fmt} {elapsed} {desc}", file=sys.stdout)
    try:
        with bar:
            while waiting:
                done, waiting = wait(waiting, _REFRESH_S, FIRST_COMPLETED)
                for future in done:
                    bar.update()
                    yield futures[future], _problem(futures[future], future)
                running = [futures[future] for future in waiting if future.running()]
                shown = [(command.name, _last_line(_tail(command.log), summarise)) for command in running]
                text = "; ".join(f"{name}: {line}" for name, line in shown if line)
                # Elsewhere than on a terminal every state would be kept.
                bar.set_description_str(text[:160], refresh=sys.stdout.isatty())
    finally:
        engine.stop()
        pool.shutdown(cancel_futures=True)


def _problem(command: Command, future: Future[int]) -> str | None:
    """Why a command failed, in its own words if it had any; None if it did not fail."""
    if (error := future.exception()) is not None:
        return str(error)
    code = future.result()
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return (_last_line(_tail(command.log)) or f"exit status {code}") if code else None


def _tail(log: Path) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - _TAIL_BYTES, 0))
            return file.read().decode(errors="replace").splitlines()
    except OSError:  # not there yet
        return []


def _last_line(
    lines: Sequence[str], summarise: Callable[[str], str | None] = lambda line: line
) -> str | None:
    """What the newest line that is worth showing says."""
    summaries = (summarise(line.strip()) for line in reversed(lines))
    return next((summary for summary in summaries if summary), None)
