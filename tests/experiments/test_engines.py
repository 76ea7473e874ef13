"""Commands in processes of their own: what fails is named, and nobody is left behind."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from softgrasp_plugin.experiments.engines import Cluster, Command, LocalProcesses, run_commands


def command(folder: Path, name: str, program: str) -> Command:
    return Command(name, [sys.executable, "-c", program], folder / "logs" / f"{name}.log", {"WORD": "hello"})


def outcomes(commands: list[Command], at_once: int = 2) -> dict[str, str | None]:
    return {done.name: error for done, error in run_commands(commands, LocalProcesses(), at_once)}


def test_output_is_kept_and_an_error_named_while_the_others_go_on(tmp_path: Path) -> None:
    found = outcomes(
        [
            command(tmp_path, "bad", "raise SystemExit(3)"),
            command(tmp_path, "explained", "print('2 of 3'); raise SystemExit('no disk')"),
            command(tmp_path, "killed", "import os; os.kill(os.getpid(), 9)"),
            command(tmp_path, "good", "import os; print(os.environ['WORD'])"),
        ]
    )
    assert found["good"] is None
    assert found["bad"] == "exit status 3"
    assert found["explained"] == "no disk"
    assert found["killed"] == "ended by SIGKILL"
    assert (tmp_path / "logs" / "good.log").read_text() == "hello\n"


def test_no_more_run_at_a_time_than_wanted(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
folder = Path({str(tmp_path)!r})
mine = folder / "running.here"
mine.touch(exist_ok=False)
time.sleep(0.1)
mine.unlink()
"""
    found = outcomes([command(tmp_path, str(number), program) for number in range(3)], at_once=1)
    assert list(found) == ["0", "1", "2"]
    assert not any(found.values())


@pytest.fixture
def deaf_to_ctrl_c() -> Iterator[None]:
    """As a shell starts what runs in its background."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("kind", ["processes", "processes in the background", "jobs"])
def test_who_stops_waiting_leaves_no_process_behind(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    if kind == "jobs":
        pytest.importorskip("submitit")
    if kind == "processes in the background":
        request.getfixturevalue("deaf_to_ctrl_c")
    engine = Cluster("local", tmp_path / "jobs", {}) if kind == "jobs" else LocalProcesses()
    program = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.default_int_handler)
print(os.getpid(), flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    print("cleaned up", flush=True)
"""
    lingering, quick = command(tmp_path, "lingering", program), command(tmp_path, "quick", "pass")
    log = lingering.log
    with closing(run_commands([lingering, quick], engine, 2)) as progress:
        assert next(progress)[0].name == "quick"
        while not (log.exists() and log.read_text()):
            time.sleep(0.05)
    process, word = log.read_text().split(maxsplit=1)
    assert word == "cleaned up\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)
    assert "Traceback" not in capfd.readouterr().err


def test_a_cluster_without_submitit_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ValueError, match="pip install submitit"):
        Cluster("slurm", tmp_path, {})


def test_two_jobs_of_a_cluster_share_nothing_but_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    engine = Cluster("local", tmp_path / "jobs", {"timeout_min": 5})
    commands = [
        command(tmp_path, "killed", "import os; os.kill(os.getpid(), 9)"),
        command(tmp_path, "lost", "import os; os.kill(os.getppid(), 9)"),
        command(tmp_path, "explained", "raise SystemExit('no disk')"),
        command(tmp_path, "good", "print('here')"),
    ]
    found = {done.name: error for done, error in run_commands(commands, engine, 2)}
    assert "ended without a result" in str(found.pop("lost"))
    assert found == {"killed": "ended by SIGKILL", "explained": "no disk", "good": None}
    assert (tmp_path / "logs" / "good.log").read_text() == "here\n"
    with pytest.raises(ValueError, match="--cluster=slurm"):
        Cluster("slurm", tmp_path / "jobs", {"nonsense": 1})
