"""The work of a benchmark in pieces: each a command of its own that leaves files, so that what is missing is
known from the files, on any machine that sees the folder. Doing them is `runs.py`'s business: this module
imports neither LeRobot nor PyTorch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .plan import (
    FIRST_TRIAL_SEED,
    INTERVENTIONS,
    LIMIT,
    NOMINAL,
    OPERATOR,
    PRESENTED,
    RANDOM_OBJECTS,
    SENSING,
    TRACK,
    Condition,
    Configuration,
    Profile,
)

RECORD, TRAIN, TRY = "record", "train", "try"
REPORT_FILE, TRIALS_FILE, FIGURES_DIR = "report.md", "trials.parquet", "figures"
FIRST_FIGURE = "success.png"
"""There as soon as there is a trial."""


@dataclass(frozen=True)
class Run:
    """A configuration and a training seed.

    Attributes:
        configuration: what is trained.
        seed: of the network's first weights, the order of samples and the augmentation.
        profile: how much is trained and tried.
        home: the benchmark's folder.
    """

    configuration: Configuration
    seed: int
    profile: Profile
    home: Path

    @property
    def name(self) -> str:
        return f"{self.configuration.name}/{self.seed}"

    @property
    def folder(self) -> Path:
        return self.home / "runs" / self.configuration.name / f"seed_{self.seed}"

    @property
    def is_trained(self) -> bool:
        """Whether training is over and what came of it was tried under the nominal condition."""
        return trained_policy(self.folder).exists() and not missing_trials(
            self.folder, [NOMINAL], self.profile
        )

    @property
    def further_conditions(self) -> tuple[Condition, ...]:
        """What this policy is tried under beyond the nominal condition."""
        if self.configuration.name not in self.profile.further_configurations:
            return ()
        executed = (LIMIT, TRACK) if self.seed < self.profile.torque_seeds else ()
        if self.seed >= self.profile.further_seeds:
            return executed
        unseen = () if self.configuration.demonstrations == "more" else (RANDOM_OBJECTS,)
        return (*executed, *INTERVENTIONS, *unseen, *PRESENTED, *SENSING)


def last_checkpoint(output_dir: Path) -> Path:
    """Where `lerobot-train`'s newest checkpoint below an output folder is, or will be."""
    return Path(output_dir, "checkpoints", "last")


def trained_policy(output_dir: Path) -> Path:
    """The folder to give to `--policy.path` once training is done."""
    return last_checkpoint(output_dir) / "pretrained_model"


def operator_folder(home: Path) -> Path:
    """Where the virtual operator's trials are kept, as those of a run."""
    return home / "runs" / OPERATOR / "seed_0"


def missing_trials(
    folder: Path, conditions: Iterable[Condition], profile: Profile
) -> list[tuple[Condition, int, Path]]:
    """The scenes that were not tried yet: condition, seed and where the trials will be kept.

    Args:
        folder: of a run, or of the virtual operator.
        conditions: what is to be tried.
        profile: says how many scenes there are.
    """
    scenes = [
        (condition, seed, folder / "trials" / condition.name / f"{seed}.json")
        for condition in conditions
        for seed in trial_seeds(condition, profile)
    ]
    return [scene for scene in scenes if not scene[-1].exists()]


def trial_seeds(condition: Condition, profile: Profile) -> range:
    """Scenes of a condition, the same for every policy."""
    number = profile.trials if condition in (NOMINAL, LIMIT, TRACK) else profile.further_trials
    return range(FIRST_TRIAL_SEED, FIRST_TRIAL_SEED + number)


@dataclass(frozen=True)
class Work:
    """A benchmark's folder and how much is run."""

    home: Path
    profile: Profile

    @property
    def is_reported(self) -> bool:
        """Whether report and figures were written after the last scene that was tried."""
        written = (self.home / REPORT_FILE, self.home / FIGURES_DIR / FIRST_FIGURE)
        if not all(path.exists() for path in written):
            return False
        tried = (folder.stat().st_mtime_ns for folder in self.home.glob("runs/*/seed_*/trials/*"))
        return min(path.stat().st_mtime_ns for path in written) >= max(tried, default=0)

    def runs(self, configurations: Sequence[Configuration]) -> list[Run]:
        """Every run: the first seed of everything, then the second …, the strategies first."""
        ordered = sorted(configurations, key=lambda entry: not entry.is_strategy)
        runs = [self.run(entry, seed) for entry in ordered for seed in self.profile.seeds(entry)]
        return sorted(runs, key=lambda run: run.seed)

    def run(self, configuration: Configuration, seed: int) -> Run:
        """One configuration with one training seed."""
        return Run(configuration, seed, self.profile, self.home)

    def missing(self, configurations: Sequence[Configuration]) -> list[list[str]]:
        """Names of the pieces that are missing, in stages: a stage needs the ones before it."""
        runs = self.runs(configurations)
        training = [run for run in runs if not run.is_trained]
        trying = [run for run in runs if missing_trials(run.folder, run.further_conditions, self.profile)]
        kinds = dict.fromkeys(run.configuration.demonstrations for run in (*training, *trying))
        first = [f"{RECORD}:{kind}" for kind in kinds]
        if missing_trials(operator_folder(self.home), [NOMINAL], self.profile):
            first.append(OPERATOR)
        stages = [
            first,
            [f"{TRAIN}:{run.name}" for run in training],
            [f"{TRY}:{run.name}" for run in trying],
        ]
        return [stage for stage in stages if stage]
