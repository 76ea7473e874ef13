"""The whole benchmark: which piece of work comes when, in how many processes, and what is shown meanwhile.

A piece of work is done in a process of its own, so that nothing of one run is left for the next, and leaves
only files behind: starting the benchmark again does what is missing.
"""

import logging
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import torch

from .plan import NOMINAL, OPERATOR, Configuration, Demonstrations, Profile
from .runs import Run, record, train_run, try_operator, try_run

_POLL_S = 0.5


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
    """The work in stages: a stage needs the ones before it."""
    kinds = dict.fromkeys(run.configuration.demonstrations for run in runs)
    stages = [
        [
            *(Piece(f"record {kind}", _Recording(home, profile, kind)) for kind in kinds),
            Piece(OPERATOR, _Operator(home, profile)),
        ],
        [Piece(run.name, _Training(run)) for run in runs],
        [Piece(f"{run.name}, further trials", _FurtherTrials(run)) for run in runs if run.further_conditions],
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

    def run(self, pieces: Sequence[Piece], show: Callable[[str], None]) -> Iterator[Piece | Failure]:
        """Do the work.

        Args:
            pieces: in this order, as processes become free.
            show: receives one line about what is going on, twice a second.

        Yields:
            Every piece when it is done, or how it failed.
        """
        # Read by tqdm when the new processes import it.
        os.environ["TQDM_DISABLE"] = "1"
        context = multiprocessing.get_context("spawn")
        threads = max((os.cpu_count() or 1) // self._number, 1)
        with context.Manager() as manager:
            messages: Queue[tuple[str, str]] = manager.Queue()
            # A fresh process for every piece: Accelerate and PyTorch keep settings for a process's lifetime.
            pool = ProcessPoolExecutor(self._number, mp_context=context, max_tasks_per_child=1)
            try:
                waiting: dict[Future[str | None], Piece] = {
                    pool.submit(_do, piece, self._log(piece), threads, messages): piece for piece in pieces
                }
                working: dict[str, str] = {}
                while waiting:
                    done, _ = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                    _drain(messages, working)
                    for future in done:
                        piece = waiting.pop(future)
                        working.pop(piece.name, None)
                        error = future.result()
                        yield piece if error is None else Failure(piece.name, self._log(piece), error)
                    finished = len(pieces) - len(waiting)
                    now = "; ".join(f"{name}: {text}" for name, text in working.items())
                    show(f"[{finished}/{len(pieces)}] {now}")
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _log(self, piece: Piece) -> Path:
        return self._log_dir / f"{piece.name.replace('/', '_').replace(', ', '_').replace(' ', '_')}.log"


def _drain(messages: "Queue[tuple[str, str]]", working: dict[str, str]) -> None:
    while True:
        try:
            name, text = messages.get_nowait()
        except Empty:
            return
        working[name] = text


def _do(piece: Piece, log: Path, threads: int, messages: "Queue[tuple[str, str]]") -> str | None:
    """In the worker: returns the error's message, if there was one."""
    with log.open("a") as file:
        # Encoders write to the terminal from C, past `sys.stderr`.
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        logging.getLogger().setLevel(logging.WARNING)
        torch.set_num_threads(threads)
        messages.put((piece.name, "starting"))
        try:
            piece.work(lambda text: messages.put((piece.name, text)))
        except Exception as error:  # one run that fails must not end the others
            traceback.print_exc()
            return f"{type(error).__name__}: {error}"
    return None
