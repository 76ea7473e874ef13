"""Which pieces of work a benchmark consists of, and which of them are missing."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lerobot.utils.constants import CHECKPOINTS_DIR, LAST_CHECKPOINT_LINK, PRETRAINED_MODEL_DIR

from softgrasp_plugin.experiments.pieces import (
    Work,
    last_checkpoint,
    missing_trials,
    operator_folder,
    trained_policy,
)
from softgrasp_plugin.experiments.plan import CONFIGURATIONS, NOMINAL, PROFILES, Profile
from softgrasp_plugin.experiments.runs import do_piece, train_config
from softgrasp_plugin.files import write_json


def test_the_first_seed_of_everything_comes_first_and_strategies_before_ablations(tmp_path: Path) -> None:
    runs = Work(tmp_path, PROFILES["cpu"]).runs(list(CONFIGURATIONS.values()))
    names = [run.name for run in runs]
    assert names[:4] == ["softgrasp/0", "concat/0", "act/0", "timesformer/0"]
    assert names[-8:] == [
        f"{name}/{seed}" for seed in (1, 2) for name in ("softgrasp", "concat", "act", "timesformer")
    ]
    assert len(names) == len(set(names)) == len(CONFIGURATIONS) + 2 * 4


def test_stages_record_then_train_then_try(tmp_path: Path) -> None:
    work = Work(tmp_path, PROFILES["quick"])
    chosen = [CONFIGURATIONS["softgrasp"], CONFIGURATIONS["one_step_clean"]]
    first, train, further = work.missing(chosen)
    assert first == ["record:dart", "record:clean", "operator"]
    assert train[:2] == ["train:softgrasp/0", "train:one_step_clean/0"]
    assert further == ["try:softgrasp/0"]  # the profile's only one
    assert work.missing([]) == [["operator"]]  # who needs neither demonstrations nor training


@pytest.mark.parametrize("piece", ["record:nothing", "train:softgrasp", "try:nobody/0", "", "train:act/-1"])
def test_no_such_piece_of_work(tmp_path: Path, piece: str) -> None:
    with pytest.raises(ValueError, match=f"--piece={piece}: expected"):
        do_piece(Work(tmp_path, PROFILES["quick"]), piece, "cpu", print)


def test_a_half_trained_policy_is_not_tried_and_nothing_is_trained_without_demonstrations(
    tmp_path: Path,
) -> None:
    work = Work(tmp_path, PROFILES["quick"])
    trained_policy(work.run(CONFIGURATIONS["act"], 0).folder).mkdir(parents=True)
    with pytest.raises(ValueError, match="train:act/0 comes first"):
        do_piece(work, "try:act/0", "cpu", print)
    with pytest.raises(ValueError, match="record:dart comes first"):
        do_piece(work, "train:act/0", "cpu", print)


def test_checkpoints_are_looked_for_where_lerobot_train_puts_them() -> None:
    last = Path(CHECKPOINTS_DIR, LAST_CHECKPOINT_LINK)
    assert (last_checkpoint(Path()), trained_policy(Path())) == (last, last / PRETRAINED_MODEL_DIR)


def test_a_report_is_old_once_another_scene_was_tried(tmp_path: Path) -> None:
    work = Work(tmp_path, PROFILES["quick"])
    assert not work.is_reported
    try_all(operator_folder(tmp_path), [NOMINAL], work.profile)
    for name in ("figures/success.png", "report.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert work.is_reported
    later = (tmp_path / "report.md").stat().st_mtime + 1
    os.utime(operator_folder(tmp_path) / "trials" / "nominal", (later, later))
    assert not work.is_reported


def test_what_is_missing_is_known_before_anything_heavy_is_imported() -> None:
    program = (
        "import sys, softgrasp_plugin.scripts.benchmark; "
        "print(*{'torch', 'lerobot', 'mujoco', 'pandas', 'gymnasium', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def try_all(folder: Path, conditions, profile: Profile) -> None:
    for _, _, path in missing_trials(folder, conditions, profile):
        write_json(path, [])


def test_what_is_done_is_no_piece_of_work_any_more(tmp_path: Path) -> None:
    profile = PROFILES["quick"]
    work = Work(tmp_path, profile)
    mine, others = [CONFIGURATIONS["softgrasp"]], [CONFIGURATIONS["one_step_clean"]]
    done = work.run(mine[0], 0)
    work = replace(work, profile=replace(profile, other_seeds=1))
    try_all(operator_folder(tmp_path), [NOMINAL], profile)
    try_all(done.folder, [NOMINAL, *done.further_conditions], profile)
    assert work.missing(mine) == [["record:dart"], ["train:softgrasp/0"]], "trials without a trained policy"

    trained_policy(done.folder).mkdir(parents=True)
    assert work.missing(mine) == []
    assert work.missing(mine + others) == [["record:clean"], ["train:one_step_clean/0"]]
    more = replace(work, profile=replace(profile, trials=profile.trials + 1))
    assert [len(stage) for stage in more.missing(mine)] == [2, 1, 1], "more trials are wanted"


@pytest.mark.slow  # LeRobot's parser takes its time
@pytest.mark.parametrize("name", ["cpu", "gpu"])  # small networks, and the paper's
def test_every_run_has_a_configuration_that_lerobot_parses(tmp_path: Path, name: str) -> None:
    profile = PROFILES[name]
    work = Work(tmp_path, replace(profile, strategy_seeds=1, other_seeds=1))
    for run in work.runs(list(CONFIGURATIONS.values())):
        cfg = train_config(run, "cpu")
        assert cfg.seed == run.seed
        assert cfg.output_dir == run.folder
        assert not cfg.policy.push_to_hub
