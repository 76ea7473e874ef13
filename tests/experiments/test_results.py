import json
from pathlib import Path

import pytest

from softgrasp_plugin.experiments.collecting import collect, summarise
from softgrasp_plugin.experiments.plan import INTERVENTIONS, LIMIT, NOMINAL, RANDOM_OBJECTS
from softgrasp_plugin.experiments.results import Cell, pool, pool_cells
from softgrasp_plugin.experiments.results_file import read_results, write_results
from softgrasp_plugin.experiments.view import View

from .synthetic import make_trial, setting, write_random_run, write_scene


def test_a_cell_counts_and_averages() -> None:
    cell = summarise(
        [
            make_trial("object_01", 1000, peak_grip_force_n=4.0, mean_grip_force_n=3.0, duration_s=4.0),
            make_trial("object_01", 1001, False, is_crushed=True, is_dropped=False, peak_grip_force_n=20.0),
            make_trial(
                "object_01",
                1002,
                False,
                is_dropped=False,
                was_lifted=False,
                mean_grip_force_n=0.0,
                duration_s=12.0,
            ),
        ]
    )
    assert cell == Cell(
        successes=1,
        trials=3,
        never_lifted=1,
        mean_peak_n=10.0,
        mean_grip_n=3.5,  # of the two in which the hand rose
        mean_deformation_mm=1.5,
        crushed=1,
        dropped=0,
        max_peak_n=20.0,
        mean_duration_s=7.0,
    )


def test_pooling_weighs_by_trials_and_the_grip_by_lifts() -> None:
    many = Cell(8, 8, 0, 5.0, 4.0, 1.0, 0, 0, 6.0, 5.0)
    few = Cell(0, 2, 1, 10.0, 13.0, 3.5, 1, 1, 30.0, 10.0)
    never = Cell(0, 10, 10, 0.0, None, 0.0, 0, 0, 0.0, 12.0)
    assert pool_cells([many, few]) == Cell(8, 10, 1, 6.0, 5.0, 1.5, 1, 1, 30.0, 6.0)
    pooled = pool([many, never])
    assert pooled is not None
    assert (pooled.rate, pooled.mean_grip_n, pooled.mean_peak_n) == pytest.approx((8 / 18, 4.0, 40 / 18))
    assert pool_cells([never]).mean_grip_n is None  # type: ignore[union-attr]
    assert pool([]) is None


def test_reads_what_is_there_and_nothing_else(tmp_path: Path) -> None:
    write_random_run(tmp_path, "softgrasp", 1, [(NOMINAL, 2)], 0.5)
    folder = tmp_path / "runs" / "act" / "seed_0"
    folder.mkdir(parents=True)
    (folder / "trials" / "nominal").mkdir(parents=True)
    (folder / "trials" / "nominal" / "1000.partial").write_text("[")
    (tmp_path / "runs" / "something else" / "seed_0").mkdir(parents=True)
    (run,) = collect(tmp_path, setting()).runs
    assert (run.configuration, run.seed, list(run.conditions)) == ("softgrasp", 1, ["nominal"])
    assert run.conditions["nominal"].scenes == (1000, 1001)
    assert {cell.trials for cell in run.conditions["nominal"].cells.values()} == {2}
    assert run.latency is not None
    assert run.latency.parameters == 1_234_567


def test_training_time_goes_on_after_an_interruption(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "act" / "seed_0"
    folder.mkdir(parents=True)
    elapsed = [(200, 10.0), (400, 20.0), (400, 11.0), (600, 22.0)]
    rows = [json.dumps({"step": step, "elapsed_s": time, "loss": 0.5}) for step, time in elapsed]
    (folder / "training.jsonl").write_text("\n".join(rows) + '\n{"step": 80')  # the last line is half written
    (run,) = collect(tmp_path, setting()).runs
    assert run.training is not None
    assert (run.training.steps, run.training.wall_s) == (600, 42.0)


def test_the_file_holds_everything(tmp_path: Path) -> None:
    conditions = [(NOMINAL, 3), (LIMIT, 3), (INTERVENTIONS[0], 1), (RANDOM_OBJECTS, 1)]
    write_random_run(tmp_path, "softgrasp", 0, conditions, 0.5)
    write_random_run(tmp_path, "operator", 0, [(NOMINAL, 2)], 1.0)
    results = collect(tmp_path, setting())
    path = tmp_path / "results.json"
    write_results(results, path)
    read = read_results(path)
    assert read.runs == results.runs
    # JSON knows no tuples; everything else of the setting is as it was.
    assert json.dumps(read.setting.profile) == json.dumps(results.setting.profile)
    assert read.setting.versions == results.setting.versions
    assert "object_12" in read.runs[0].conditions["nominal"].by_scene


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"format": 0, "cell": [], "runs": []}')
    with pytest.raises(ValueError, match="another format"):
        read_results(path)


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
    pair = View(collect(tmp_path, setting())).pair("softgrasp", "torque_zero")
    assert pair is not None
    assert (pair.before.successes, pair.before.trials, pair.before.mean_peak_n) == (1, 1, 5.0)
    assert (pair.after.successes, pair.after.trials, pair.after.mean_peak_n) == (0, 1, 9.0)
    assert pair.seeds == 1


def test_no_pair_without_the_nominal_scene(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "softgrasp" / "seed_0"
    write_scene(folder, "nominal", 1000, [make_trial("object_01", 1000)])
    write_scene(folder, "torque_zero", 1001, [make_trial("object_01", 1001)])
    assert View(collect(tmp_path, setting())).pair("softgrasp", "torque_zero") is None
