"""Success rates in the README and on the published policy's card are those of the committed trials."""

from pathlib import Path

import pytest

from softgrasp_plugin.experiments.plan import LIMIT, NOMINAL, OPERATOR, TRACK
from softgrasp_plugin.experiments.results import Results, read_results

PROJECT = Path(__file__).parents[2]
CARD = "hub_configs/policies/any_object/README.md"

README_ROWS = {
    "the virtual operator": [(OPERATOR, NOMINAL)],
    "`softgrasp`": [("softgrasp", NOMINAL)],
    "Direct Connection (`fusion=concat`)": [("concat", NOMINAL)],
    "TimeSformer": [("timesformer", NOMINAL)],
    "ACT (images, angles)": [("act", NOMINAL)],
    "LeRobot's own ACT": [("lerobot_act", NOMINAL)],
    "`softgrasp` without torques; without images": [("image_angle", NOMINAL), ("angle_torque", NOMINAL)],
    "the recipe of `hub_configs/policies/any_object`": [("any_object", NOMINAL)],
}
CARD_ROWS = {
    "held": (NOMINAL, "is_held"),
    "success": (NOMINAL, "is_success"),
    "success with `torque.mode=limit`": (LIMIT, "is_success"),
    "success with `torque.mode=track`": (TRACK, "is_success"),
}


@pytest.fixture(scope="module")
def results() -> Results:
    return read_results(PROJECT / "docs" / "results")


def cells(file: str, title: str) -> list[str]:
    lines = (PROJECT / file).read_text(encoding="utf-8").splitlines()
    [row] = [line for line in lines if line.startswith(f"| {title} |")]
    return [cell.strip(" *") for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("title", README_ROWS)
def test_a_row_of_the_readme_is_what_the_trials_say(title: str, results: Results) -> None:
    measured = [results.cell(name, condition.name) for name, condition in README_ROWS[title]]
    assert all(measured)
    assert cells("README.md", title)[-1] == "; ".join(f"{c.successes} of {c.trials}" for c in measured if c)


@pytest.mark.parametrize("title", CARD_ROWS)
def test_a_row_of_the_card_is_what_the_published_policy_did(title: str, results: Results) -> None:
    """It is the one of the first training seed."""
    condition, verdict = CARD_ROWS[title]
    rows = results.rows("any_object", condition.name)
    rows = rows[rows["seed"] == 0]
    by_object = rows.groupby("task")[verdict].sum().astype(int)
    _, *objects, total = cells(CARD, title)
    assert objects == [str(by_object[f"object_{number:02}"]) for number in range(1, 13)]
    assert total.startswith(f"{by_object.sum()} of {len(rows)} (")
