"""The report's numbers, verdicts and gaps, on hand-made runs."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from softgrasp_plugin.experiments.numbers import FILTERS
from softgrasp_plugin.experiments.paper_results import (
    FACTOR_SUCCESSES,
    MODALITY_PERCENT,
    STRATEGY_SUCCESSES,
    strategy_rate,
)
from softgrasp_plugin.experiments.plan import CONFIGURATIONS, NOMINAL, PROFILES
from softgrasp_plugin.experiments.report import publish, render, write_report
from softgrasp_plugin.experiments.results import collect
from softgrasp_plugin.experiments.setting import describe_setting
from softgrasp_plugin.experiments.targets import is_behind, is_first, verdicts
from softgrasp_plugin.grasping.objects import TASKS

from .synthetic import make_trial, setting, write_random_run, write_scene

COMMAND = "softgrasp-benchmark --profile=cpu"
RESULTS = Path(__file__).parents[2] / "docs" / "results"
PLANNED = sum(len(PROFILES["cpu"].seeds(CONFIGURATIONS[name])) for name in PROFILES["cpu"].configurations)


def write_run(home: Path, name: str, seed: int, failures: Mapping[str, int], scenes: int = 10) -> None:
    """A run whose trials all succeed, save the first ones of the given objects."""
    for scene in range(scenes):
        trials = [make_trial(task, 1000 + scene, scene >= failures.get(task, 0)) for task in TASKS]
        write_scene(home / "runs" / name / f"seed_{seed}", "nominal", 1000 + scene, trials)


def report_of(home: Path) -> str:
    return render(collect(home, setting()), set())


def row(report: str, section: str, title: str) -> list[str]:
    """Cells of a table's row."""
    part = report.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith(f"| {title} |")]
    assert len(lines) == 1, (section, title)
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


def test_numbers_of_the_papers_tables(tmp_path: Path) -> None:
    write_run(tmp_path, "softgrasp", 0, {"object_08": 2})
    write_run(tmp_path, "softgrasp", 1, {"object_08": 3, "object_01": 1})
    report = report_of(tmp_path)
    known = [*["9.5"], *["10"] * 6, "7.5", *["10"] * 4]
    counted = ["97.5 %", "94.7…98.8 %", "98 %, 97 %", "2", "240"]
    ours = row(report, "Strategies", "SoftGrasp (I+T+A, λ = 0.1), ours")
    assert ours[1:] == [*known, "**97.5 %**", *counted]
    paper = row(report, "Strategies", "SoftGrasp (I+T+A, λ = 0.1), paper")
    assert paper[1:14] == [*map(str, STRATEGY_SUCCESSES["softgrasp"]), "98 %"]
    assert row(report, "Loss factor", "0.1") == ["0.1", "118", "117.0", "99.2 %", "95.8 %", *counted]
    assert row(report, "Modalities", "I+T+A")[1:3] == ["98 %", "97.5 %"]


def test_what_was_not_run_is_a_dash_and_no_failure(tmp_path: Path) -> None:
    write_run(tmp_path, "softgrasp", 0, {}, scenes=1)
    report = report_of(tmp_path)
    assert row(report, "Strategies", "ACT (images, angles), ours")[1:] == ["–"] * 12 + ["**–**"] + ["–"] * 5
    assert row(report, "Loss factor", "0.5")[1:] == ["46", *["–"] * 8]
    assert row(report, "Strategies", "SoftGrasp (I+T+A, λ = 0.1), ours")[13] == "**100.0 %**"
    assert f"0 of {PLANNED} policies are done, so all this is provisional" in report  # one scene of ten


def test_nothing_has_been_run(tmp_path: Path) -> None:
    report = report_of(tmp_path)
    assert "Nothing has been tried yet." in report
    assert row(report, "Targets", "SoftGrasp: 95 % held")[1] == "not known yet"


def test_demonstrations_alone_can_be_reported_again_and_again(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    for _ in range(2):
        assert "0 of " in write_report(tmp_path, PROFILES["quick"], COMMAND, figures=False).read_text()


def test_targets_follow_the_numbers(tmp_path: Path) -> None:
    write_run(tmp_path, "softgrasp", 0, {"object_08": 2})
    write_run(tmp_path, "act", 0, {"object_12": 6})
    write_run(tmp_path, "concat", 0, dict.fromkeys(TASKS, 9))
    strategies = ("softgrasp", "concat", "act", "timesformer")
    view = collect(tmp_path, setting())
    assert [verdict for _, verdict, _ in verdicts(view)[:2]] == ["**holds**"] * 2
    assert is_behind(view, "concat")[0] == "**holds**"
    assert is_first(view, strategies) == ("not known yet", "not tried: TimeSformer")
    write_run(tmp_path, "timesformer", 0, {"object_12": 10})
    verdict, reason = is_first(collect(tmp_path, setting()), strategies)
    assert verdict == "**holds**"
    assert "ACT (images, angles) 95.0 %, not significant" in reason


@pytest.mark.parametrize(("failures", "word"), [(2, "level with it"), (0, "higher")])
def test_level_or_better_strategies_end_the_first_place(tmp_path: Path, failures: int, word: str) -> None:
    write_run(tmp_path, "softgrasp", 0, {"object_08": 2})
    write_run(tmp_path, "act", 0, {"object_01": failures})
    verdict, reason = is_first(collect(tmp_path, setting()), ("softgrasp", "act"))
    assert verdict == "**does not hold**"
    assert word in reason


def test_a_finished_benchmark_is_not_provisional(tmp_path: Path) -> None:
    profile = replace(PROFILES["cpu"], configurations=("act",), strategy_seeds=2, trials=1)
    write_run(tmp_path, "act", 0, {}, scenes=1)
    assert "1 of 2 policies are done" in write_report(tmp_path, profile, COMMAND, figures=False).read_text()
    write_run(tmp_path, "act", 1, {}, scenes=1)
    assert "provisional" not in write_report(tmp_path, profile, COMMAND, figures=False).read_text()


def test_low_success_and_a_near_rival_are_said(tmp_path: Path) -> None:
    write_run(tmp_path, "softgrasp", 0, dict.fromkeys(TASKS, 1))
    write_run(tmp_path, "concat", 0, dict.fromkeys(TASKS, 3))
    write_run(tmp_path, "any_object", 0, dict.fromkeys(TASKS, 1))
    view = collect(tmp_path, setting())
    found = {target: (verdict, reason) for target, verdict, reason in verdicts(view)}
    reason = "90.0 % of 120 trials, interval 83.3…94.2 %"
    assert found["SoftGrasp: 95 % held"] == ("**does not hold**", reason)
    assert found["SoftGrasp: 90 % held uncrushed"] == ("**holds**", reason)
    diverse = "“sixty others, trained 3 times as long”"
    assert found[f"{diverse}: 95 % held uncrushed"] == ("**does not hold**", reason)
    assert found[f"{diverse}, with torque limits: 95 % held uncrushed"] == ("not known yet", "not tried")
    assert is_behind(view, "concat")[0] == "**holds**"
    write_run(tmp_path, "timesformer", 0, dict.fromkeys(TASKS, 2))
    assert is_behind(collect(tmp_path, setting()), "timesformer")[0] == "**does not hold**"
    assert row(report_of(tmp_path), "Targets", "Direct Connection")[1:6] == [
        "70.0 %",
        "+20.0",
        "+10.0…+29.7",
        "significant",
        "open",
    ]


def test_counterfactuals_against_the_same_scenes(tmp_path: Path) -> None:
    write_run(tmp_path, "softgrasp", 0, {"object_01": 1})
    trials = [make_trial(task, 1000, task > "object_06", peak_grip_force_n=9.0) for task in TASKS]
    write_scene(tmp_path / "runs" / "softgrasp" / "seed_0", "torque_zero", 1000, trials)
    part = report_of(tmp_path).split("## Counterfactuals\n", 1)[1]
    rows = re.findall(r"^\| SoftGrasp \(I\+T\+A, λ = 0\.1\) \|(.*)\|$", part, re.MULTILINE)
    # 11 of 12 in that scene against 6 of 12.
    expected = [["−42"], ["+3.0"], ["0.00"]]
    for cells, value in zip(rows[:3], expected, strict=True):
        assert [cell.strip() for cell in cells.split("|")] == [*["–"] * 8, *value, *["–"] * 3, "1", "12"]


def test_the_surface_is_compared_with_a_blind_policy(tmp_path: Path) -> None:
    for name, rigid_grip in (("softgrasp", 5.0), ("image", 8.0)):
        folder = tmp_path / "runs" / name / "seed_0"
        soft = [make_trial("object_01", 1000, mean_grip_force_n=4.0)]
        rigid = [make_trial("object_01", 1000, mean_grip_force_n=rigid_grip)]
        # Lifted with one surface only: not compared.
        soft.append(make_trial("object_02", 1000, mean_grip_force_n=50.0))
        rigid.append(make_trial("object_02", 1000, False, was_lifted=False, mean_grip_force_n=0.0))
        write_scene(folder, "presented_soft", 1000, soft)
        write_scene(folder, "presented_rigid", 1000, rigid)
    report = report_of(tmp_path)
    assert row(report, "Soft and rigid with the same look", "I")[7:] == ["2.00", "1", "2 + 2"]
    assert (
        "SoftGrasp grips a rigid surface 1.25 times as hard as a soft one, the image-only policy 2.00"
        in report
    )
    assert "changes SoftGrasp's grip less than" in report


@pytest.mark.parametrize(
    ("ours", "blind", "words"),
    [(8.2, 8.0, "no adaptation"), (4.8, 8.0, "grip less"), (12.0, 8.0, "grip more")],
)
def test_the_ratio_is_put_into_words(tmp_path: Path, ours: float, blind: float, words: str) -> None:
    for name, rigid in (("softgrasp", ours), ("image", blind)):
        assert "not possible yet" in report_of(tmp_path)
        for condition, grip in (("presented_soft", 4.0), ("presented_rigid", rigid)):
            trial = make_trial("object_01", 1000, mean_grip_force_n=grip)
            write_scene(tmp_path / "runs" / name / "seed_0", condition, 1000, [trial])
    assert words in report_of(tmp_path)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("benchmark")
    write_random_run(home, "softgrasp", 0, [(NOMINAL, 2)], 0.9)
    write_report(home, PROFILES["cpu"], COMMAND)
    return home


def test_links_are_relative_and_lead_somewhere(partial: Path, tmp_path: Path) -> None:
    report = publish(partial, tmp_path / "docs" / "results")
    links = re.findall(r"\]\(([^)]+)\)", report.read_text())
    assert {"figures/success.png", "figures/attention_object_06.png"} <= set(links)
    assert all((report.parent / link).is_file() for link in links)
    assert (report.parent / "trials.parquet").read_bytes() == (partial / "trials.parquet").read_bytes()
    figures = sorted((report.parent / "figures").iterdir())
    assert {f"figures/{path.name}" for path in figures} == set(links)
    assert max(path.stat().st_size for path in figures) < 250_000


def test_publishing_again_removes_older_figures(partial: Path, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "old.png").write_bytes(b"")
    publish(partial, tmp_path)
    assert not (tmp_path / "figures" / "old.png").exists()


def test_figures_stay_when_they_are_not_drawn_anew(partial: Path) -> None:
    before = (partial / "report.md").read_text()
    drawn = {path: path.stat().st_mtime_ns for path in (partial / "figures").iterdir()}
    assert write_report(partial, PROFILES["cpu"], COMMAND, figures=False).read_text() == before
    assert {path: path.stat().st_mtime_ns for path in (partial / "figures").iterdir()} == drawn


def test_nothing_to_draw_makes_no_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    assert f"0 of {PLANNED} policies" in write_report(tmp_path, PROFILES["cpu"], COMMAND).read_text()
    assert not (tmp_path / "figures").exists()


def test_commits_add_up(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    write_report(tmp_path, PROFILES["cpu"], COMMAND, figures=False)
    path = tmp_path / "setting.json"
    content = json.loads(path.read_text())
    now = content["setting"]["commits"]
    content["setting"]["commits"] = ["0123456789ab"]
    path.write_text(json.dumps(content))
    report = write_report(tmp_path, PROFILES["cpu"], COMMAND, figures=False).read_text()
    assert json.loads(path.read_text())["setting"]["commits"] == ["0123456789ab", *now]
    assert "`0123456789ab`" in report
    assert COMMAND in report


def test_a_profile_with_other_numbers_keeps_its_name() -> None:
    assert setting().profile_name == "cpu"
    assert describe_setting(replace(PROFILES["cpu"], trials=3), COMMAND).profile_name == "cpu, changed"


def test_the_profiles_numbers_are_in_the_text(tmp_path: Path) -> None:
    text = render(collect(tmp_path, setting("quick")), set())
    profile = PROFILES["quick"]
    assert "Profile `quick`: 2 objects" in text
    assert f"demonstrates each of 2 objects {profile.per_object} times" in text
    assert "0 of 4 policies" in text


def test_the_papers_tables_are_whole() -> None:
    assert {name: round(100 * strategy_rate(name)) for name in STRATEGY_SUCCESSES} == {
        "softgrasp": 98,
        "concat": 13,
        "act": 91,
        "timesformer": 79,
    }
    assert {
        *STRATEGY_SUCCESSES,
        *MODALITY_PERCENT,
        *(f"loss_{f:g}" for f in FACTOR_SUCCESSES if f != 0.1),
    } <= set(CONFIGURATIONS)


def test_numbers() -> None:
    assert [FILTERS["number"](value) for value in (-1.25, None, float("nan"))] == ["−1.2", "–", "–"]
    assert [FILTERS["signed"](-0.04), FILTERS["signed"](3.0, 0)] == ["0.0", "+3"]
    assert [FILTERS["percent"](0.975), FILTERS["percent"](1, 0)] == ["97.5 %", "100 %"]
    assert FILTERS["count"](1_234_567) == "1 234 567"


def test_every_table_is_whole(partial: Path) -> None:
    """Every row has as many cells as its head, and no value of the template went unnoticed."""
    cells = 0
    for line in (partial / "report.md").read_text().splitlines():
        now = line.count(" | ") if line.startswith("| ") else 0
        assert cells in (0, now) or now == 0, line
        cells = now


def test_the_committed_report_is_what_its_table_says(tmp_path: Path) -> None:
    home = tmp_path / "results"
    shutil.copytree(RESULTS, home)
    written = write_report(home, PROFILES["cpu"], COMMAND)
    assert written.read_text() == (RESULTS / "report.md").read_text()


@pytest.mark.parametrize("name", ["trials.parquet", "setting.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    home = tmp_path / "results"
    shutil.copytree(RESULTS, home)
    (home / name).write_bytes((home / name).read_bytes()[:100])
    with pytest.raises(ValueError, match=f"{name}.*expected|{name} does not hold"):
        write_report(home, PROFILES["cpu"], COMMAND)


def test_a_seed_beyond_the_plan_makes_up_for_no_policy_that_is_missing(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path, "angle", seed, {})
    assert collect(tmp_path, setting()).progress()[0] == 1
