import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from softgrasp_plugin.experiments.plan import CONFIGURATIONS, NOMINAL, PROFILES, Profile
from softgrasp_plugin.experiments.runs import missing_trials, operator_folder
from softgrasp_plugin.experiments.schedule import Failure, Piece, Workers, make_runs, make_stages
from softgrasp_plugin.experiments.training import trained_policy
from softgrasp_plugin.files import write_json


@dataclass(frozen=True)
class Touch:
    """Work that leaves a file with its process number."""

    path: Path

    def __call__(self, report):
        report("touching")
        print("printed by the work")
        self.path.write_text(str(os.getpid()))


@dataclass(frozen=True)
class Stumble:
    """Work that fails."""

    def __call__(self, report):
        raise ValueError("no such object")


def test_each_piece_is_done_in_a_process_of_its_own_and_logged(tmp_path: Path) -> None:
    pieces = [Piece(f"piece/{i}", Touch(tmp_path / str(i))) for i in range(3)]
    lines: list[str] = []
    done = list(Workers(2, tmp_path / "logs").run(pieces, lines.append))
    assert {piece.name for piece in done} == {"piece/0", "piece/1", "piece/2"}
    processes = {(tmp_path / str(i)).read_text() for i in range(3)}
    assert len(processes) == 3
    assert str(os.getpid()) not in processes
    assert "printed by the work" in (tmp_path / "logs" / "piece_0.log").read_text()
    assert lines[-1].startswith("[3/3]")


def test_a_piece_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    pieces = [Piece("bad", Stumble()), Piece("good", Touch(tmp_path / "good"))]
    done = {piece.name: piece for piece in Workers(1, tmp_path / "logs").run(pieces, lambda _: None)}
    failure = done["bad"]
    assert isinstance(failure, Failure)
    assert failure.message == "ValueError: no such object"
    assert "Traceback" in failure.log.read_text()
    assert (tmp_path / "good").exists()


@dataclass(frozen=True)
class Vanish:
    """Work whose process is killed, as by a system that is out of memory."""

    def __call__(self, report):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Linger:
    """Work that tells its process number and does not end."""

    def __call__(self, report):
        report(str(os.getpid()))
        time.sleep(600)


def test_a_piece_that_is_killed_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    pieces = [Piece("killed", Vanish()), Piece("good", Touch(tmp_path / "good"))]
    done = {piece.name: piece for piece in Workers(1, tmp_path / "logs").run(pieces, lambda _: None)}
    assert isinstance(done["killed"], Failure)
    assert "-9" in done["killed"].message
    assert isinstance(done["good"], Piece)


def test_who_stops_waiting_leaves_no_process_behind(tmp_path: Path) -> None:
    shown: list[str] = []

    class StoppedError(Exception):
        pass

    def show(text: str) -> None:
        shown.append(text)
        if text.rpartition(" ")[2].isdigit():
            raise StoppedError

    with pytest.raises(StoppedError):
        list(Workers(1, tmp_path / "logs").run([Piece("lingering", Linger())], show))
    number = int(shown[-1].rpartition(" ")[2])
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_the_first_seed_of_everything_comes_first_and_strategies_before_ablations(tmp_path: Path) -> None:
    runs = make_runs(list(CONFIGURATIONS.values()), PROFILES["cpu"], tmp_path, "cpu")
    names = [run.name for run in runs]
    assert names[:4] == ["softgrasp/0", "concat/0", "act/0", "timesformer/0"]
    assert names[-8:] == [
        f"{name}/{seed}" for seed in (1, 2) for name in ("softgrasp", "concat", "act", "timesformer")
    ]
    assert len(names) == len(set(names)) == len(CONFIGURATIONS) + 2 * 4


def test_stages_record_then_train_then_try(tmp_path: Path) -> None:
    profile = PROFILES["quick"]
    chosen = [CONFIGURATIONS["softgrasp"], CONFIGURATIONS["one_step_clean"]]
    runs = make_runs(chosen, profile, tmp_path, "cpu")
    record, train, further = make_stages(runs, tmp_path, profile)
    assert [piece.name for piece in record] == ["record dart", "record clean", "operator"]
    assert len(train) == len(runs)
    assert all(piece.name.endswith("further trials") for piece in further)


def try_all(folder: Path, conditions, profile: Profile) -> None:
    for _, _, path in missing_trials(folder, conditions, profile):
        write_json(path, [])


def test_what_is_done_is_no_piece_of_work_any_more(tmp_path: Path) -> None:
    profile = PROFILES["quick"]
    chosen = [CONFIGURATIONS["softgrasp"], CONFIGURATIONS["one_step_clean"]]
    done, other, *_ = make_runs(chosen, profile, tmp_path, "cpu")
    try_all(operator_folder(tmp_path), [NOMINAL], profile)
    try_all(done.folder, [NOMINAL, *done.further_conditions], profile)
    names = [[piece.name for piece in stage] for stage in make_stages([done], tmp_path, profile)]
    assert names == [["record dart"], [done.name]], "trials without a trained policy"

    trained_policy(done.folder).mkdir(parents=True)
    assert make_stages([done], tmp_path, profile) == []
    names = [[piece.name for piece in stage] for stage in make_stages([done, other], tmp_path, profile)]
    assert names == [["record clean"], [other.name], [f"{other.name}, further trials"]]

    more = replace(profile, trials=profile.trials + 1)
    stages = make_stages([replace(done, profile=more)], tmp_path, more)
    assert [len(stage) for stage in stages] == [2, 1, 1], "more trials are wanted"


@pytest.mark.slow  # LeRobot's parser takes its time
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_run_has_a_configuration_that_lerobot_parses(tmp_path: Path, profile) -> None:
    chosen = [CONFIGURATIONS[name] for name in profile.configurations]
    for run in make_runs(chosen, replace(profile, strategy_seeds=1, other_seeds=1), tmp_path, "cpu"):
        cfg = run.train_config()
        assert cfg.seed == run.seed
        assert cfg.output_dir == run.folder
        assert not cfg.policy.push_to_hub
