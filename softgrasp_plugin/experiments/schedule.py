"""The whole benchmark: which piece of work comes when, in how many processes, and what is shown meanwhile.

A piece of work is done in a process of its own, so that nothing of one run is left for the next, and leaves
only files behind: starting the benchmark again does what is missing.
"""

import logging
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from .plan import NOMINAL, OPERATOR, Configuration, Demonstrations, Profile
from .runs import Run, missing_trials, operator_folder, record, train_run, try_operator, try_run

_POLL_S = 0.5
_SPAWN = get_context("spawn")


@dataclass(frozen=True)
class Piece:
    """One piece of work.

    Attributes:
        name: shown to the user, and the name of its log file.
        work: does it, telling how far it is.
    """

    name: str
    work: Callable[[Callable[[str], None]], None]


@dataclass(frozen=True)
class _Recording:
    home: Path
    profile: Profile
    kind: Demonstrations

    def __call__(self, report: Callable[[str], None]) -> None:
        record(self.home, self.profile, self.kind, report)


@dataclass(frozen=True)
class _Operator:
    home: Path
    profile: Profile

    def __call__(self, report: Callable[[str], None]) -> None:
        try_operator(self.home, self.profile, report)


@dataclass(frozen=True)
class _Training:
    run: Run

    def __call__(self, report: Callable[[str], None]) -> None:
        train_run(self.run, report)
        try_run(self.run, [NOMINAL], report)


@dataclass(frozen=True)
class _FurtherTrials:
    run: Run

    def __call__(self, report: Callable[[str], None]) -> None:
        try_run(self.run, self.run.further_conditions, report)


def make_runs(
    configurations: Sequence[Configuration], profile: Profile, home: Path, device: str
) -> list[Run]:
    """Every run: the first seed of everything, then the second …, the strategies first."""
    ordered = sorted(configurations, key=lambda entry: not entry.is_strategy)
    runs = [Run(entry, seed, profile, home, device) for entry in ordered for seed in profile.seeds(entry)]
    return sorted(runs, key=lambda run: run.seed)


def make_stages(runs: Sequence[Run], home: Path, profile: Profile) -> list[list[Piece]]:
    """The work that is missing, in stages: a stage needs the ones before it."""
    training = [run for run in runs if not run.is_trained]
    trying = [run for run in runs if missing_trials(run.folder, run.further_conditions, profile)]
    kinds = dict.fromkeys(run.configuration.demonstrations for run in (*training, *trying))
    first = [Piece(f"record {kind}", _Recording(home, profile, kind)) for kind in kinds]
    if missing_trials(operator_folder(home), [NOMINAL], profile):
        first.append(Piece(OPERATOR, _Operator(home, profile)))
    stages = [
        first,
        [Piece(run.name, _Training(run)) for run in training],
        [Piece(f"{run.name}, further trials", _FurtherTrials(run)) for run in trying],
    ]
    return [stage for stage in stages if stage]


@dataclass(frozen=True)
class Failure:
    """A piece of work that ended with an error."""

    name: str
    log: Path
    message: str


class Workers:
    """Does pieces of work in several processes.

    Args:
        number: processes at a time.
        log_dir: receives everything that a piece of work prints.
    """

    def __init__(self, number: int, log_dir: Path) -> None:
        self._number = number
        self._log_dir = log_dir
        log_dir.mkdir(parents=True, exist_ok=True)

    def run(self, pieces: Sequence[Piece], show: Callable[[str], None]) -> Generator[Piece | Failure]:
        """Do the work.

        Args:
            pieces: in this order, as processes become free.
            show: receives one line about what is going on, twice a second.

        Yields:
            Every piece when it is done, or how it failed. Whoever stops iterating ends what is going on.
        """
        waiting, working, finished = deque(pieces), dict[str, _Worker](), 0
        threads = max((os.cpu_count() or 1) // self._number, 1)
        try:
            while waiting or working:
                while waiting and len(working) < self._number:
                    piece = waiting.popleft()
                    working[piece.name] = _Worker(piece, self._log(piece), threads)
                connection.wait([worker.process.sentinel for worker in working.values()], _POLL_S)
                for worker in list(working.values()):
                    worker.listen()
                    if not worker.process.is_alive():
                        finished += 1
                        del working[worker.piece.name]
                        yield worker.result()
                now = "; ".join(f"{name}: {worker.text}" for name, worker in working.items())
                show(f"[{finished}/{len(pieces)}] {now}")
        finally:
            for worker in working.values():
                worker.process.terminate()
            for worker in working.values():
                worker.process.join()

    def _log(self, piece: Piece) -> Path:
        return self._log_dir / f"{piece.name.replace('/', '_').replace(', ', '_').replace(' ', '_')}.log"


class _Worker:
    """A process that does one piece of work: Accelerate and PyTorch keep settings for a process's lifetime.

    Ctrl-C in the terminal reaches every process; here it is for the one that asked for the work, which then
    ends the others.
    """

    def __init__(self, piece: Piece, log: Path, threads: int) -> None:
        self.piece, self.text = piece, "starting"
        self._log = log
        self._error: str | None = None
        self._ear, mouth = _SPAWN.Pipe(duplex=False)
        self.process = _SPAWN.Process(target=_do, args=(piece, log, threads, mouth), daemon=True)
        with _ignored(signal.SIGINT):  # what is ignored when a process starts is ignored in it
            self.process.start()
        mouth.close()

    def listen(self) -> None:
        """Take in what the process has said."""
        try:
            while not self._ear.closed and self._ear.poll():
                self.text, self._error = self._ear.recv()
        except EOFError:
            self._ear.close()

    def result(self) -> Piece | Failure:
        """How it ended."""
        self.listen()
        if self.process.exitcode == 0:
            return self.piece
        error = self._error or f"it ended with exit status {self.process.exitcode}"
        return Failure(self.piece.name, self._log, error)


@contextmanager
def _ignored(number: signal.Signals) -> Iterator[None]:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


def _do(piece: Piece, log: Path, threads: int, mouth: Connection) -> None:
    """In the process of its own: says how far it is and, beside that, what went wrong."""
    with log.open("a") as file:
        # Encoders write to the terminal from C, past `sys.stderr`.
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        logging.getLogger().setLevel(logging.WARNING)
        torch.set_num_threads(threads)
        try:
            piece.work(lambda text: mouth.send((text, None)))
        except Exception as error:
            traceback.print_exc()
            mouth.send(("failed", f"{type(error).__name__}: {error}"))
            sys.exit(1)
