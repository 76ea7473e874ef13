import json
from pathlib import Path

import pandas as pd
import pytest

from softgrasp_plugin.experiments.plan import INTERVENTIONS, LIMIT, NOMINAL, RANDOM_OBJECTS
from softgrasp_plugin.experiments.results import Cell, collect, read_results

from .synthetic import make_trial, setting, write_random_run, write_scene


def test_a_cell_counts_and_averages(tmp_path: Path) -> None:
    stuck = {"is_dropped": False, "was_lifted": False, "mean_grip_force_n": 0.0, "duration_s": 12.0}
    trials = [
        make_trial("object_01", 1000, peak_grip_force_n=4.0, mean_grip_force_n=3.0, duration_s=4.0),
        make_trial("object_02", 1000, False, is_crushed=True, is_dropped=False, peak_grip_force_n=20.0),
        make_trial("object_03", 1000, False, **stuck),
    ]
    write_scene(tmp_path / "runs" / "act" / "seed_0", "nominal", 1000, trials)
    cell = collect(tmp_path, setting()).cell("act")
    assert cell == Cell(
        successes=1,
        held=1,
        trials=3,
        seeds=1,
        crushed=1,
        dropped=0,
        never_lifted=1,
        peak=10.0,
        highest=20.0,
        grip=3.5,  # of the two in which the hand rose
        deformation=1.5,
        duration=7.0,
    )


def test_no_grip_where_the_hand_never_rose_and_no_cell_without_trials(tmp_path: Path) -> None:
    stuck = make_trial("object_01", 1000, False, was_lifted=False, mean_grip_force_n=0.0)
    write_scene(tmp_path / "runs" / "act" / "seed_0", "nominal", 1000, [stuck])
    results = collect(tmp_path, setting())
    cell = results.cell("act")
    assert cell is not None
    assert cell.grip is None
    assert results.cell("concat") is None


def test_reads_what_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_random_run(tmp_path, "softgrasp", 1, [(NOMINAL, 2)], 0.5)
    folder = tmp_path / "runs" / "act" / "seed_0"
    (folder / "trials" / "nominal").mkdir(parents=True)
    (folder / "trials" / "nominal" / "1000.partial").write_text("[")
    (tmp_path / "runs" / "something else" / "seed_0").mkdir(parents=True)
    results = collect(tmp_path, setting())
    assert {*results.trials["configuration"]} == {"softgrasp"}
    assert sorted({*results.trials["scene"]}) == [1000, 1001]
    assert results.policies.set_index("configuration").loc["softgrasp", "parameters"] == 1_234_567


def test_a_damaged_scene_is_named(tmp_path: Path) -> None:
    write_random_run(tmp_path, "softgrasp", 1, [(NOMINAL, 1)], 0.5)
    (path,) = tmp_path.glob("runs/*/*/trials/nominal/*.json")
    path.write_text(path.read_text()[:50])
    with pytest.raises(ValueError, match=r"1000\.json is not JSON \(line 1.*expected the trials"):
        collect(tmp_path, setting())
    path.write_text('[{"task": "object_01"}]')
    with pytest.raises(ValueError, match=r"1000\.json lacks 'is_success'"):
        collect(tmp_path, setting())


def test_training_time_goes_on_after_an_interruption(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "act" / "seed_0"
    folder.mkdir(parents=True)
    elapsed = [(200, 10.0), (400, 20.0), (400, 11.0), (600, 22.0)]
    rows = [json.dumps({"step": step, "elapsed_s": time, "loss": 0.5}) for step, time in elapsed]
    (folder / "training.jsonl").write_text("\n".join(rows) + '\n{"step": 80')  # the last line is half written
    (run,) = collect(tmp_path, setting()).policies.to_dict("records")
    assert (run["steps"], run["wall_s"]) == (600, 42.0)


def test_the_files_hold_everything(tmp_path: Path) -> None:
    conditions = [(NOMINAL, 3), (LIMIT, 3), (INTERVENTIONS[0], 1), (RANDOM_OBJECTS, 1)]
    write_random_run(tmp_path, "softgrasp", 0, conditions, 0.5)
    write_random_run(tmp_path, "operator", 0, [(NOMINAL, 2)], 1.0)
    results = collect(tmp_path, setting())
    results.write(tmp_path)
    read = read_results(tmp_path)
    plain = [column for column in results.trials if column not in ("stable_torque_n", "final_closure")]
    pd.testing.assert_frame_equal(read.trials[plain], results.trials[plain])
    assert list(read.trials["final_closure"].iloc[0]) == results.trials["final_closure"].iloc[0]
    assert len(read.policies) == 2
    # JSON knows no tuples; everything else of the setting is as it was.
    assert json.dumps(read.setting.profile) == json.dumps(results.setting.profile)
    assert read.setting.versions == results.setting.versions


def test_a_pair_is_of_the_same_objects_in_the_same_scenes(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "softgrasp" / "seed_0"
    for scene, success in ((1000, True), (1001, False), (1002, False)):
        trials = [
            make_trial("object_01", scene, success, peak_grip_force_n=5.0),
            make_trial("object_02", scene, True, peak_grip_force_n=50.0),
        ]
        write_scene(folder, "nominal", scene, trials)
    changed = make_trial("object_01", 1000, False, peak_grip_force_n=9.0)
    write_scene(folder, "torque_zero", 1000, [changed])
    # Another seed without the other condition does not take part.
    write_scene(tmp_path / "runs" / "softgrasp" / "seed_1", "nominal", 1000, [make_trial("object_01", 1000)])
    pair = collect(tmp_path, setting()).pair("softgrasp", "torque_zero")
    assert pair is not None
    assert (pair.before.successes, pair.before.trials, pair.before.peak) == (1, 1, 5.0)
    assert (pair.after.successes, pair.after.trials, pair.after.peak) == (0, 1, 9.0)
    assert pair.after.seeds == 1


def test_no_pair_without_the_nominal_scene(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "softgrasp" / "seed_0"
    write_scene(folder, "nominal", 1000, [make_trial("object_01", 1000)])
    write_scene(folder, "torque_zero", 1001, [make_trial("object_01", 1001)])
    assert collect(tmp_path, setting()).pair("softgrasp", "torque_zero") is None
