from pathlib import Path

import pandas as pd
import pytest

from softgrasp_plugin.experiments.plan import CONFIGURATIONS, LEROBOT_POLICIES, PROFILES
from softgrasp_plugin.scripts.benchmark import BenchmarkConfig, run
from softgrasp_plugin.simulation.variation import HIDDEN_VARIATION, Variation

from ..commands.front_door import run_command, start


@pytest.mark.parametrize(
    "bad",
    [
        {"profile": "huge"},
        {"configurations": ["nobody"]},
        {"seeds": 0},
        {"trials": 0},
        {"workers": 0},
        {"cluster_options": "[1]"},
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(tmp_path: Path, bad: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"--{next(iter(bad))}"):
        BenchmarkConfig(tmp_path, **bad)


def test_configurations_are_chosen_by_pattern_and_the_operator_needs_none(tmp_path: Path) -> None:
    profile = PROFILES["cpu"]
    config = BenchmarkConfig(tmp_path, configurations=["loss_*", "softgrasp"])
    chosen = [entry.name for entry in config.chosen(profile)]
    assert chosen[0] == "softgrasp"
    assert len(chosen) == 7
    assert BenchmarkConfig(tmp_path, configurations=["operator"]).chosen(profile) == []
    assert len(BenchmarkConfig(tmp_path).chosen(profile)) == len(CONFIGURATIONS) - len(LEROBOT_POLICIES)


def test_options_change_the_profile(tmp_path: Path) -> None:
    profile = BenchmarkConfig(tmp_path, seeds=5, trials=4).make_profile()
    assert (profile.strategy_seeds, profile.other_seeds, profile.trials) == (5, 5, 4)
    assert profile.world.variation == HIDDEN_VARIATION
    assert BenchmarkConfig(tmp_path, hidden_variation=False).make_profile().world.variation == Variation()


def test_a_folder_begun_with_other_settings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"profile": "paper", "hidden_variation": true}')
    with pytest.raises(ValueError, match="begun with"):
        run(BenchmarkConfig(tmp_path, profile="quick"))


@pytest.mark.slow
def test_a_policy_is_trained_tried_and_reported_and_nothing_is_done_twice(tmp_path: Path, home: Path) -> None:
    output_dir, docs = tmp_path / "benchmark", tmp_path / "docs"
    arguments = ["--profile=quick", "--configurations=[concat]", "--device=cpu"]
    arguments += [f"--output_dir={output_dir}", f"--publish_dir={docs}"]
    printed = run_command("softgrasp-benchmark", *arguments, home=home)
    assert "train:concat/0 done" in printed
    assert set(pd.read_parquet(docs / "trials.parquet")["configuration"]) == {"concat", "operator"}
    report = (docs / "report.md").read_text()
    assert "Table 6" in report
    assert list((docs / "figures").glob("*.png"))

    def trials() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in output_dir.glob("runs/**/trials/**/*.json")}

    before = trials()
    assert {path.parts[-2] for path in before} == {"nominal"}  # the profile tries nothing else of it
    run_command("softgrasp-benchmark", *arguments, home=home)
    assert trials() == before


def test_a_mistake_is_told_in_one_line(tmp_path: Path, home: Path) -> None:
    result = start("softgrasp-benchmark", f"--output_dir={tmp_path}", "--profile=huge", home=home)
    assert result.returncode == 1
    assert "--profile=huge: expected one of quick, cpu, short, gpu, paper." in result.stdout
    assert "Traceback" not in result.stdout
