"""`softgrasp-benchmark`: the paper's experiments in simulation, from demonstrations to a report.

```shell
softgrasp-benchmark --profile=quick --output_dir=outputs/quick          # minutes: see that everything runs
softgrasp-benchmark --profile=cpu --output_dir=outputs/benchmark        # an afternoon on a few cores
softgrasp-benchmark --profile=gpu --device=cuda --workers=4 --output_dir=outputs/gpu
softgrasp-benchmark --profile=paper --device=cuda --output_dir=outputs/paper
softgrasp-benchmark --configurations="[operator]" --output_dir=outputs/operator
```

It records demonstrations of the training objects, trains every configuration with several seeds, tries each
policy in the same scenes with all objects, and writes ``trials.parquet`` (a row per trial), ``report.md`` and
``figures/`` to the output folder after every step. Every piece of work is this command again with
``--piece``, in a process of its own, here or on a cluster (``docs/cluster.md``). Ctrl-C loses no more than
the pieces at hand: the same command goes on, and says at once if nothing is missing.
"""

# LeRobot, PyTorch and pandas take seconds to import, and are imported where there is something to do.

import os
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import draccus
import yaml
from draccus.utils import ParsingError
from tqdm import tqdm  # type: ignore[import-untyped]

from ..bounds import require_within
from ..experiments.engines import Cluster, Command, Engine, LocalProcesses, run_commands
from ..experiments.pieces import REPORT_FILE, TRIALS_FILE, Work
from ..experiments.plan import CONFIGURATIONS, OPERATOR, PROFILES, Configuration, Profile
from ..files import read_json, reading, write_json
from ..options import refuses_in_words
from ..simulation.variation import Variation

_MOST = {"seeds": 1000, "trials": 10_000, "workers": 256}
_SETTINGS_FILE = "settings.json"
_PROGRESS = "> "
"""Begins what a piece of work says about itself, among all that LeRobot and its libraries print."""


@refuses_in_words
@dataclass
class BenchmarkConfig:
    """Options of `softgrasp-benchmark`."""

    # Folder for everything that is made; a folder with part of the work is completed.
    output_dir: Path
    # How much: quick (minutes, no meaning), short (two hours), cpu (small networks), gpu (the paper's sizes,
    # for one GPU), paper (200 epochs).
    profile: str = "cpu"
    # What to train, by name; patterns such as loss_* are allowed. Empty: all of the profile. "operator" alone
    # trains nothing and lets the virtual operator grasp.
    configurations: list[str] = field(default_factory=list)
    # Training seeds of every configuration; by default the profile's.
    seeds: int | None = None
    # Scenes per object; by default the profile's.
    trials: int | None = None
    # Whether mass, stiffness and friction vary from episode to episode under the same look.
    hidden_variation: bool = True
    # Pieces of work at the same time; with a cluster, jobs in its queue.
    workers: int = 2
    # Where they run: "slurm" is a cluster's queue, through submitit ("local" to try it without one); by
    # default processes on this machine.
    cluster: str | None = None
    # What a job asks for, as YAML: "{slurm_partition: gpu, gpus_per_node: 1, timeout_min: 600}".
    cluster_options: str = "{}"
    # Do this one piece of work and write no report.
    piece: str | None = None
    # Where policies are trained and run: cpu, cuda, mps; by default the best there is.
    device: str | None = None
    # Write the report from what is there, and do nothing else.
    report_only: bool = False
    # Also copy the report, its table of trials and figures/ there.
    publish_dir: Path | None = None

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"--profile={self.profile}: expected one of {', '.join(PROFILES)}.")
        options = yaml.safe_load(self.cluster_options)
        if not isinstance(options, dict):
            raise ValueError(f"--cluster_options={self.cluster_options!r}: expected {{name: value, …}}.")
        for name in ("seeds", "trials", "workers"):
            value = getattr(self, name)
            if value is not None:
                require_within(f"--{name}", value, 1, _MOST[name])
        known = [*CONFIGURATIONS, OPERATOR]
        for pattern in self.configurations:
            if not any(fnmatch(name, pattern) for name in known):
                raise ValueError(f"--configurations: {pattern!r} matches none of {', '.join(known)}.")

    def make_profile(self) -> Profile:
        """The chosen profile with what the options change."""
        profile = PROFILES[self.profile]
        if self.seeds is not None:
            profile = replace(profile, strategy_seeds=self.seeds, other_seeds=self.seeds)
        if self.trials is not None:
            profile = replace(profile, trials=self.trials)
        if self.hidden_variation:
            return profile
        return replace(profile, world=replace(profile.world, variation=Variation()))

    def chosen(self, profile: Profile) -> list[Configuration]:
        """What is trained."""
        if not self.configurations:
            return [CONFIGURATIONS[name] for name in profile.configurations]
        return [
            entry
            for name, entry in CONFIGURATIONS.items()
            if any(fnmatch(name, pattern) for pattern in self.configurations)
        ]


def run(config: BenchmarkConfig) -> bool:
    """Do what is missing and write the report.

    Returns:
        Whether every piece of work was done.

    Raises:
        ValueError: if the folder was begun with other settings, or only a report is wanted and it is empty.
    """
    home, profile = config.output_dir, config.make_profile()
    work = Work(home, profile)
    if config.piece is not None:
        from ..experiments.runs import do_piece

        do_piece(work, config.piece, _device(config), _say)
        return True
    is_begun = (home / "runs").is_dir()
    if config.report_only and not is_begun and not (home / TRIALS_FILE).exists():
        raise ValueError(f"--report_only: {home} holds no results; give the --output_dir of a benchmark.")
    if is_begun or not config.report_only:
        settings = {"profile": config.profile, "hidden_variation": config.hidden_variation}
        _keep_settings(home / _SETTINGS_FILE, settings)
    stages = [] if config.report_only else work.missing(config.chosen(profile))
    if not (stages or config.report_only or config.publish_dir) and work.is_reported:
        print(f"Everything is done: {home / REPORT_FILE} (--report_only writes it anew)")
        return True
    from ..experiments.report import publish, write_report

    # What the report is to be made again with; writing it alone makes nothing.
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--report_only")]
    typed = shlex.join(["softgrasp-benchmark", *arguments])
    failures = _do(stages, config, lambda: write_report(home, profile, typed, figures=False))
    path = write_report(home, profile, typed)
    if config.publish_dir is not None:
        path = publish(home, config.publish_dir)
    print(f"\nWrote {path}")
    if failures:
        print(f"{failures} pieces of work failed; the same command tries them again.")
    return not failures


def _device(config: BenchmarkConfig) -> str:
    from lerobot.utils.device_utils import auto_select_torch_device

    return config.device or str(auto_select_torch_device().type)


def _do(stages: list[list[str]], config: BenchmarkConfig, after_each: Callable[[], object]) -> int:
    """Do the pieces of work of every stage; returns how many failed."""
    failures = 0
    device = _device(config) if stages else ""
    threads = str(max((os.cpu_count() or 1) // config.workers, 1))
    environment = {} if config.cluster else {"OMP_NUM_THREADS": threads}
    for pieces in stages:
        commands = [
            Command(piece, _piece_command(config, device, piece), _log(config, piece), environment)
            for piece in pieces
        ]
        with closing(run_commands(commands, _engine(config), config.workers, _progress)) as progress:
            for command, error in progress:
                failures += error is not None
                outcome = "done" if error is None else f"failed: {error} (see {command.log})"
                tqdm.write(f"  {command.name} {outcome}")
                if error is None:
                    after_each()
    return failures


def _say(text: str) -> None:
    print(f"\n{_PROGRESS}{text}", flush=True)  # LeRobot's progress bar leaves its line unfinished


def _progress(line: str) -> str | None:
    return line.removeprefix(_PROGRESS) if line.startswith(_PROGRESS) else None


def _piece_command(config: BenchmarkConfig, device: str, piece: str) -> list[str]:
    """The same command for one piece of work; of its options, those that decide what comes of a piece."""
    options = {
        "piece": piece,
        "output_dir": config.output_dir.resolve(),
        "profile": config.profile,
        "hidden_variation": str(config.hidden_variation).lower(),
        "device": device,
        "seeds": config.seeds,
        "trials": config.trials,
    }
    arguments = [f"--{name}={value}" for name, value in options.items() if value is not None]
    return [sys.executable, "-m", "softgrasp_plugin.scripts.benchmark", *arguments]


def _log(config: BenchmarkConfig, piece: str) -> Path:
    return config.output_dir / "logs" / f"{piece.replace(':', '_').replace('/', '_')}.log"


def _engine(config: BenchmarkConfig) -> Engine:
    if config.cluster is None:
        return LocalProcesses()
    options = yaml.safe_load(config.cluster_options)
    return Cluster(config.cluster, config.output_dir / "jobs", options)


def _keep_settings(path: Path, settings: dict[str, object]) -> None:
    if path.exists():
        with reading(path, "the settings of a benchmark", "Give another --output_dir."):
            before = dict(read_json(path))
        if before != settings:
            raise ValueError(
                f"{path.parent} was begun with {before}, not with {settings}; give another --output_dir."
            )
    else:
        write_json(path, settings)


def main() -> None:
    """Run the command; exit status 1 if a piece of work failed or after a mistake in the options."""
    # As after Ctrl-C, no worker is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        passed = run(draccus.parse(BenchmarkConfig))
    except ParsingError as error:
        sys.exit(f"softgrasp-benchmark: {error.__cause__ or error}")
    except (OSError, ValueError) as error:
        sys.exit(f"softgrasp-benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; the same command goes on from here.")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
