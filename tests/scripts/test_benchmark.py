import json

import pytest

from softgrasp_plugin.scripts.benchmark import BenchmarkConfig, Trial, run, table


def make_trial(task="object_03", seed=0, is_success=True, is_held=True, is_crushed=False, force=4.0):
    return Trial(task, seed, is_success, is_held, is_crushed, force, 2 * force, 1.5, 5.0)


def test_the_table_has_a_row_per_object_and_their_sum():
    trials = [
        make_trial(seed=0),
        make_trial(seed=1, is_success=False, is_crushed=True, force=6.0),
        make_trial("object_06", is_success=False, is_held=False, force=0.0),
    ]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(trials).splitlines()]
    assert rows[0][:5] == ["object", "material", "success", "held", "crushed"]
    assert rows[2] == ["object_03", "TPE", "1/2", "2", "1", "5.0", "12.0", "1.5", "5.0"]
    assert rows[3][:6] == ["object_06", "stainless steel", "0/1", "0", "0", "–"]
    assert "**1/3**" in rows[4]


def test_a_run_writes_its_results_and_passes(tmp_path, capsys):
    config = BenchmarkConfig(tmp_path / "new", objects=["object_01"], episodes=1, workers=1)
    assert run(config)
    results = json.loads((tmp_path / "new" / "results.json").read_text())
    assert results["success_rate"] == 1.0
    assert results["config"]["policy"] == "operator"
    assert [trial["seed"] for trial in results["trials"]] == [0]
    assert "1/1" in (tmp_path / "new" / "table.md").read_text()
    assert "object_01" in capsys.readouterr().out


def test_a_run_below_the_wanted_success_fails_and_names_the_object(tmp_path, capsys, monkeypatch):
    trials = [make_trial("object_01"), make_trial("object_03", is_success=False)]
    monkeypatch.setattr("softgrasp_plugin.scripts.benchmark.run_trials", lambda config: iter(trials))
    assert not run(BenchmarkConfig(tmp_path, objects=["object_01", "object_03"], episodes=1))
    assert "object_03: success 0% is below" in capsys.readouterr().out


@pytest.mark.parametrize(
    "bad",
    [
        {"policy": "nobody"},
        {"objects": ["object_99"]},
        {"objects": []},
        {"episodes": 0},
        {"workers": 0},
        {"action_noise": -1.0},
        {"min_success": 2.0},
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(tmp_path, bad):
    with pytest.raises(ValueError, match=f"--{next(iter(bad))}"):
        BenchmarkConfig(tmp_path, **bad)
