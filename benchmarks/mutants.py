"""Are the tests any good? Small wrong edits of the code, each of which some test has to notice.

make mutants         (or: python benchmarks/mutants.py --mutmut=FOLDER [--only=grasping])

Two kinds. `hand_made_mutants.MUTANTS` are mistakes that somebody could make, each with the tests that must
fail for it. Then mutmut (in a folder of its own, `pip install --target`) edits every line of the modules in
`GROUPS`, of a large one a random share. Everything happens in a copy of the repository. Writes
docs/results/mutants.md.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hand_made_mutants import MUTANTS, Mutant

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "results" / "mutants.md"
PACKAGE = "softgrasp_plugin"
_COPIED = (PACKAGE, "tests", "hub_configs", "docs", "benchmarks", "README.md", "Makefile", "LICENSE")
_START = "import sys; sys.path.append(sys.argv.pop(1)); from mutmut.__main__ import cli; cli()"
# A string, or what an edit put in place of a whole message.
_TEXT = re.compile(r"""f?"(?:[^"\\]|\\.)*"|f?'(?:[^'\\]|\\.)*'""")
# What the edited code is given has these types and lengths already.
_ASSURANCE = re.compile(r",?\s*\b(?:dtype|strict)=[\w.]+|\.astype\([\w.]+\)")
_LINE = re.compile(r"^\s+(\S+__mutmut_\d+): (.+)$")


@dataclass(frozen=True)
class Group:
    """Modules that are mutated together.

    Attributes:
        modules: glob patterns below the package.
        tests: what is run against them.
        most: so many mutants are tried at most, chosen at random.
        functions: pattern that the names of the mutated functions contain.
    """

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    most: int = 400
    functions: str = ""


GROUPS = {
    "grasping": Group(("grasping/*.py",), ("tests/grasping",), 700),
    "limits": Group(
        ("bounds.py", "joints.py", "devices/arms/motion.py", "devices/gloves/rendering.py",
         "grasping/closure_limiter.py", "devices/hands/limited_link.py"),
        ("tests/test_bounds.py", "tests/test_joints.py", "tests/devices/arms/test_motion.py",
         "tests/devices/gloves/test_rendering.py", "tests/grasping/test_closure_limiter.py",
         "tests/devices/hands/test_limited_link.py"),
    ),
    "parsers": Group(
        ("devices/hands/rh56_frames.py", "devices/hands/modbus.py", "devices/gloves/encoder_frames.py",
         "devices/gloves/bridge_messages.py", "devices/dynamixel/state.py", "datasets/restricted_pickle.py"),
        ("tests/devices/hands/test_rh56_frames.py", "tests/devices/hands/test_modbus.py",
         "tests/devices/gloves/test_encoder_frames.py", "tests/devices/gloves/test_bridge_messages.py",
         "tests/devices/test_dynamixel_state.py", "tests/datasets/test_restricted_pickle.py", "tests/fuzz"),
    ),
    "loss": Group(
        ("policies/stack_policy.py",),
        ("tests/policies/softgrasp/test_training.py", "tests/policies/test_labels.py"),
        functions="forward|_masked_huber|_predict",
    ),
}  # fmt: skip


@dataclass
class Tally:
    """What became of the mutants of a group."""

    made: int = 0
    results: Counter[str] = field(default_factory=Counter)
    survivors: list[str] = field(default_factory=list)
    without_effect: int = 0

    @property
    def tried(self) -> int:
        return sum(self.results.values())

    @property
    def killed(self) -> int:
        return self.results["killed"] + self.results["timeout"] + self.results["segfault"]


def has_no_effect(diff: str) -> bool:
    """Whether an edit changes or removes nothing but a message, or an assurance about types and lengths."""
    old, new = (
        [line[1:] for line in diff.splitlines() if line.startswith(sign) and not line.startswith(sign * 3)]
        for sign in "-+"
    )
    if _without_assurances(old) == _without_assurances(new):
        return True
    if len(old) != len(new):
        return False
    for before, after in zip(old, new, strict=True):
        plain_before, plain_after = (_TEXT.sub('""', line).strip() for line in (before, after))
        message_lost = '""' in plain_before and plain_before.replace('""', "None") == plain_after
        refusal_lost = re.search(r"(Error|refuse|_lost|_silent)\(", plain_before) and "None" in plain_after
        log_changed = plain_before.startswith("logger.") and plain_after.startswith("logger.")
        if plain_before != plain_after and not message_lost and not refusal_lost and not log_changed:
            return False
    return True


def _without_assurances(lines: list[str]) -> str:
    code = _ASSURANCE.sub("", _TEXT.sub('""', "".join(lines)))
    if code.strip().startswith("require_within("):
        code = re.sub(r", (?:\"\"|None)", "", code)  # the unit in the message
    return re.sub(r"\s|,(?=\s*\))", "", code)


def copy_repository(folder: Path) -> Path:
    copy = folder / "repository"
    copy.mkdir()
    for name in (*_COPIED, "pyproject.toml", "lerobot_robot_softgrasp.py", "constraints.txt"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "seeds"))
        elif source.exists():
            shutil.copy(source, copy / name)
    return copy


def environment(copy: Path) -> dict[str, str]:
    # No .pyc: an edit within a second of the last one would not be seen.
    return {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}


def try_hand_made(copy: Path, mutant: Mutant) -> bool | None:
    """Whether the tests notice a wrong edit; None if the code to edit is no longer there."""
    path = copy / PACKAGE / mutant.file
    right = path.read_text(encoding="utf-8")
    if right.count(mutant.old) != 1:
        return None
    path.write_text(right.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests]
        ended = subprocess.run(command, cwd=copy, env=environment(copy), capture_output=True, timeout=600)
    finally:
        path.write_text(right, encoding="utf-8")
    if ended.returncode not in (0, 1):
        raise RuntimeError(f"pytest could not run for {mutant}: {ended.stdout.decode()[-2000:]}")
    return ended.returncode == 1


def run_mutmut(folder: Path, mutmut: Path, group: Group, source: random.Random) -> Tally:
    copy = copy_repository(folder)
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(
            "\n[tool.mutmut]\n"
            f'source_paths = ["{PACKAGE}"]\n'
            f"only_mutate = {[f'{PACKAGE}/{pattern}' for pattern in group.modules]}\n"
            f"pytest_add_cli_args_test_selection = {[t for t in group.tests if (copy / t).exists()]}\n"
            'pytest_add_cli_args = ["-q", "-x", "-p", "no:cacheprovider"]\n'
            'also_copy = ["lerobot_robot_softgrasp.py", "README.md", "hub_configs", "docs", "benchmarks"]\n'
        )
    command = [sys.executable, "-c", _START, str(mutmut.resolve())]
    # Every mutant is tried in a fork, which Torch's threads would not survive.
    variables = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

    def call(*arguments: str) -> str:
        ended = subprocess.run(
            [*command, *arguments], cwd=copy, env=variables, capture_output=True, text=True
        )
        return ended.stdout

    # A run that fits no mutant ends with an error, after all of them have been written.
    call("run", "--max-children=1", "none")
    names = [m[1] for line in call("results", "--all=true").splitlines() if (m := _LINE.match(line))]
    names = [name for name in names if re.search(group.functions, name)]
    if not names:
        raise RuntimeError(f"mutmut made no mutants of {group.modules}; see what it says in {copy}")
    chosen = source.sample(names, min(group.most, len(names)))
    call("run", "--max-children=1", *chosen)
    tally = Tally(made=len(names))
    for line in call("results", "--all=true").splitlines():
        match = _LINE.match(line)
        if match and match[1] in set(chosen):
            tally.results[match[2]] += 1
            if match[2] in ("killed", "timeout", "segfault"):
                continue
            if has_no_effect(call("show", match[1])):
                tally.without_effect += 1
            else:
                tally.survivors.append(match[1])
    return tally


def report(hand_made: dict[Mutant, bool | None], tallies: dict[str, Tally]) -> str:
    lines = [
        "# The tests, tried",
        "",
        "Written by `make mutants` (`benchmarks/mutants.py`): the code is edited in a small way, and some",
        "test has to notice.",
        "",
        "## Mistakes that somebody could make",
        "",
        "| Edit | File | Noticed |",
        "|---|---|---|",
    ]
    words = {True: "yes", False: "**no**", None: "**the code has changed**"}
    lines += [f"| {m.what} | `{m.file}` | {words[noticed]} |" for m, noticed in hand_made.items()]
    lines += [
        "",
        "## Every line, by mutmut",
        "",
        "| Modules | Mutants | Tried | No effect | Killed | Share |",
        "|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        counted = tally.tried - tally.without_effect
        share = f"{tally.killed / max(counted, 1):.1%}"
        row = (name, tally.made, tally.tried, tally.without_effect, tally.killed, share)
        lines.append(f"| {' | '.join(map(str, row))} |")
    lines += [
        "",
        "Where fewer were tried than made, they are a random sample. *No effect* are edits that were not",
        "noticed and change nothing but a message, or take away an assurance about types and lengths that",
        "are what they are (`dtype=`, `strict=`); the share is of the others. Not noticed, by function:",
        "",
    ]
    for name, tally in tallies.items():
        functions = Counter(survivor.rpartition("__mutmut_")[0] for survivor in tally.survivors)
        lines += [f"- {name}: `{function}` {count}" for function, count in functions.most_common()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--mutmut", type=Path, help="folder mutmut is installed in; None: the first kind only"
    )
    parser.add_argument("--only", choices=[*GROUPS, "hand_made"], help="this group only; writes no report")
    parser.add_argument("--seed", type=int, default=0, help="decides the samples")
    options = parser.parse_args()
    hand_made: dict[Mutant, bool | None] = {}
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as name:
        if options.only in (None, "hand_made"):
            copy = copy_repository(Path(name))
            for mutant in MUTANTS:
                hand_made[mutant] = try_hand_made(copy, mutant)
                print(f"{mutant.what}: {hand_made[mutant]}", flush=True)
        for group_name, group in GROUPS.items():
            if options.mutmut is not None and options.only in (None, group_name):
                folder = Path(name) / group_name
                folder.mkdir()
                tally = run_mutmut(folder, options.mutmut, group, random.Random(options.seed))
                tallies[group_name] = tally
                words = f"{tally.made} made, {tally.without_effect} without effect"
                print(f"{group_name}: {tally.killed} of {tally.tried} ({words})", flush=True)
                print(*tally.survivors, sep="\n", flush=True)
    text = report(hand_made, tallies)
    if options.only is None:
        REPORT.write_text(text, encoding="utf-8")
    if not all(hand_made.values()):
        sys.exit("some wrong edits were not noticed")


if __name__ == "__main__":
    main()
