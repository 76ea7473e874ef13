"""The workflows of a public host, which cannot run here: what they call is there."""

import re
import shlex
import tomllib
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# PyYAML reads the key `on` as true.
JOBS = [
    pytest.param(job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in yaml.safe_load(path.read_text())["jobs"].items()
]
MODULES = {"pip": "", "pytest": "pytest", "build": "build"}
"""What is run with `python -m`, and which of our development requirements brings it."""


def commands(job: dict[str, Any]) -> list[list[str]]:
    return [shlex.split(step["run"]) for step in job["steps"] if "run" in step]


def names(requirements: list[str]) -> set[str]:
    return {Requirement(text).name for text in requirements}


def test_there_are_workflows() -> None:
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "nightly.yml", "release.yml"]
    assert all({True, "name", "jobs"} <= set(yaml.safe_load(path.read_text())) for path in WORKFLOWS)


@pytest.mark.parametrize("job", JOBS)
def test_every_command_is_there(job: dict[str, Any]) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for program, *arguments in commands(job):
        if program == "make":
            assert set(arguments) <= targets
            continue
        assert (program, arguments[0]) == ("python", "-m")
        needed = MODULES[arguments[1]]
        assert not needed or needed in names(PROJECT["optional-dependencies"]["dev"])
        for path in (argument for argument in arguments if argument.startswith(("tests", "docs"))):
            assert (ROOT / path).exists(), path


@pytest.mark.parametrize("job", JOBS)
def test_what_is_installed_exists(job: dict[str, Any]) -> None:
    for command in commands(job):
        for extra in re.findall(r"\.\[([\w,-]+)\]", " ".join(command)):
            assert set(extra.split(",")) <= set(PROJECT["optional-dependencies"])
        for extra in re.findall(r"lerobot\[([\w,-]+)\]", " ".join(command)):
            assert set(extra.split(",")) <= set(metadata("lerobot").get_all("Provides-Extra") or [])
            ours = " ".join(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
            assert all(part in ours for part in extra.split(",")), "what the plugin itself asks for"


@pytest.mark.parametrize("job", JOBS)
def test_the_matrix_is_used_whole_and_within_what_is_allowed(job: dict[str, Any]) -> None:
    matrix = job.get("strategy", {}).get("matrix", {})
    assert set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", str(job["steps"]))) == set(matrix)
    assert all(
        f"{version}.0" in SpecifierSet(PROJECT["requires-python"]) for version in matrix.get("python", [])
    )
    (pin,) = (Requirement(text) for text in PROJECT["dependencies"] if text.startswith("mujoco"))
    for version in filter(None, matrix.get("mujoco", [])):
        assert version.removeprefix("==").replace("*", "0") in pin.specifier


@pytest.mark.parametrize("job", JOBS)
def test_a_job_has_a_machine_and_known_actions_and_waits_for_jobs_that_exist(job: dict[str, Any]) -> None:
    assert job["runs-on"] == "ubuntu-latest"
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step)
        if "uses" in step:
            assert re.fullmatch(r"(actions|pypa)/[\w-]+@(v\d+|release/v1)", step["uses"])
    if "needs" in job:
        assert job["needs"] in yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
