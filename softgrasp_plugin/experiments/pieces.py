"""The work of a benchmark in pieces: each a command of its own that leaves files, so that what is missing is
known from the files, on any machine that sees the folder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .plan import CONFIGURATIONS, NOMINAL, OPERATOR, Configuration, Profile
from .runs import Run, missing_trials, operator_folder, record, train_run, try_operator, try_run

_RECORD, _TRAIN, _TRY = "record", "train", "try"


@dataclass(frozen=True)
class Work:
    """A benchmark's folder, how much is run, and where policies are trained and run."""

    home: Path
    profile: Profile
    device: str

    def runs(self, configurations: Sequence[Configuration]) -> list[Run]:
        """Every run: the first seed of everything, then the second …, the strategies first."""
        ordered = sorted(configurations, key=lambda entry: not entry.is_strategy)
        runs = [self.run(entry, seed) for entry in ordered for seed in self.profile.seeds(entry)]
        return sorted(runs, key=lambda run: run.seed)

    def run(self, configuration: Configuration, seed: int) -> Run:
        """One configuration with one training seed."""
        return Run(configuration, seed, self.profile, self.home, self.device)

    def missing(self, configurations: Sequence[Configuration]) -> list[list[str]]:
        """Names of the pieces that are missing, in stages: a stage needs the ones before it."""
        runs = self.runs(configurations)
        training = [run for run in runs if not run.is_trained]
        trying = [run for run in runs if missing_trials(run.folder, run.further_conditions, self.profile)]
        kinds = dict.fromkeys(run.configuration.demonstrations for run in (*training, *trying))
        first = [f"{_RECORD}:{kind}" for kind in kinds]
        if missing_trials(operator_folder(self.home), [NOMINAL], self.profile):
            first.append(OPERATOR)
        stages = [
            first,
            [f"{_TRAIN}:{run.name}" for run in training],
            [f"{_TRY}:{run.name}" for run in trying],
        ]
        return [stage for stage in stages if stage]

    def do(self, piece: str, report: Callable[[str], None]) -> None:
        """Do one piece of work, or what is left of it.

        Args:
            piece: `operator`, `record:KIND`, `train:CONFIGURATION/SEED` or `try:CONFIGURATION/SEED`.
            report: receives a line about how far it is.

        Raises:
            ValueError: if there is no such piece.
        """
        kind, _, rest = piece.partition(":")
        name, _, seed = rest.partition("/")
        if piece == OPERATOR:
            try_operator(self.home, self.profile, report)
        elif kind == _RECORD and rest in {entry.demonstrations for entry in CONFIGURATIONS.values()}:
            record(self.home, self.profile, rest, report)
        elif kind in (_TRAIN, _TRY) and name in CONFIGURATIONS and seed.isdigit():
            run = self.run(CONFIGURATIONS[name], int(seed))
            if kind == _TRAIN:
                train_run(run, report)
            try_run(run, [NOMINAL] if kind == _TRAIN else run.further_conditions, report)
        else:
            raise ValueError(
                f"--piece={piece}: expected {OPERATOR}, {_RECORD}:KIND, {_TRAIN}:CONFIGURATION/SEED or "
                f"{_TRY}:CONFIGURATION/SEED."
            )
