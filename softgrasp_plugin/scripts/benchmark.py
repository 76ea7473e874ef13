"""`softgrasp-benchmark`: the paper's experiments in simulation, from demonstrations to a report.

```shell
softgrasp-benchmark --profile=quick --output_dir=outputs/quick          # minutes: see that everything runs
softgrasp-benchmark --profile=cpu --output_dir=outputs/benchmark        # an afternoon on a few cores
softgrasp-benchmark --profile=paper --device=cuda --output_dir=outputs/paper
softgrasp-benchmark --configurations="[operator]" --output_dir=outputs/operator
```

It records demonstrations of the training objects, trains every configuration with several seeds, tries each
policy in the same scenes with all objects, and writes ``results.json``, ``report.md`` and ``figures/`` to the
output folder after every step. Ctrl-C loses no more than the piece of work at hand: the same command goes on.
"""

import json
import shlex
import signal
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from draccus.utils import ParsingError
from lerobot.configs import parser
from lerobot.utils.device_utils import auto_select_torch_device

from ..bounds import require_within
from ..experiments.plan import CONFIGURATIONS, OPERATOR, PROFILES, Configuration, Profile
from ..experiments.report import publish, write_report
from ..experiments.schedule import Failure, Workers, make_runs, make_stages
from ..files import write_json
from ..options import refuses_in_words
from ..simulation.variation import Variation
from .steps import LiveLine

_MOST = {"seeds": 1000, "trials": 10_000, "workers": 256}
_SETTINGS_FILE = "settings.json"


@refuses_in_words
@dataclass
class BenchmarkConfig:
    """Options of `softgrasp-benchmark`."""

    # Folder for everything that is made; a folder with part of the work is completed.
    output_dir: Path
    # How much: quick (minutes, no meaning), cpu (small images and networks), paper (200 epochs).
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
    # Pieces of work at the same time.
    workers: int = 2
    # Where policies are trained and run: cpu, cuda, mps; by default the best there is.
    device: str | None = None
    # Write the report from what is there, and do nothing else.
    report_only: bool = False
    # Also copy report.md, results.json and figures/ there.
    publish_dir: Path | None = None

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise ValueError(f"--profile={self.profile}: expected one of {', '.join(PROFILES)}.")
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
        return profile if self.hidden_variation else replace(profile, variation=Variation())

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
    if config.report_only and not (home / "runs").is_dir():
        raise ValueError(f"--report_only: {home} holds no runs; give the --output_dir of a benchmark.")
    settings = {"profile": config.profile, "hidden_variation": config.hidden_variation}
    _keep_settings(home / _SETTINGS_FILE, settings)
    # What the report is to be made again with; writing it alone makes nothing.
    arguments = [argument for argument in sys.argv[1:] if not argument.startswith("--report_only")]
    command = shlex.join(["softgrasp-benchmark", *arguments])
    if config.report_only:
        _report(config, profile, command)
        return True
    runs = make_runs(config.chosen(profile), profile, home, config.device or auto_select_torch_device().type)
    workers = Workers(config.workers, home / "logs")
    failures = []
    for stage in make_stages(runs, home, profile):
        line = LiveLine()
        with closing(workers.run(stage, line.show)) as progress:
            for done in progress:
                if isinstance(done, Failure):
                    failures.append(done)
                    line.note(f"{done.name} failed: {done.message} (see {done.log})")
                else:
                    line.note(f"{done.name} done")
                    write_report(home, profile, command, figures=False)
        line.close()
    _report(config, profile, command)
    if failures:
        print(f"{len(failures)} pieces of work failed; the same command tries them again.")
    return not failures


def _report(config: BenchmarkConfig, profile: Profile, command: str) -> None:
    path = write_report(config.output_dir, profile, command)
    if config.publish_dir is not None:
        path = publish(config.output_dir, config.publish_dir)
    print(f"\nWrote {path}")


def _keep_settings(path: Path, settings: dict[str, object]) -> None:
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before != settings:
            raise ValueError(
                f"{path.parent} was begun with {before}, not with {settings}; give another --output_dir."
            )
    else:
        write_json(path, settings)


@parser.wrap()
def benchmark(config: BenchmarkConfig) -> bool:
    """Entry point of the command; see the module's docstring."""
    return run(config)


def main() -> None:
    """Run the command; exit status 1 if a piece of work failed or after a mistake in the options."""
    # As after Ctrl-C, no worker is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        passed = benchmark()
    except ParsingError as error:
        sys.exit(f"softgrasp-benchmark: {error.__cause__ or error}")
    except (OSError, ValueError) as error:
        sys.exit(f"softgrasp-benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; the same command goes on from here.")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
