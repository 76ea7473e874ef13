import json
from dataclasses import replace

import numpy as np
import pytest

from softgrasp_plugin.experiments.pieces import Run
from softgrasp_plugin.experiments.plan import CONFIGURATIONS, NOMINAL, PROFILES, Condition, Intervention
from softgrasp_plugin.experiments.runs import LATENCY_FILE, record, train_run, try_operator, try_run

pytestmark = pytest.mark.slow

TINY = replace(
    PROFILES["quick"],
    tasks=("object_04", "object_06"),
    per_object=1,
    trials=1,
    further_trials=1,
    options=("--batch_size=4", "--steps=2", "--log_freq=1"),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was trained for two steps, and tried once."""
    run = Run(CONFIGURATIONS["softgrasp"], 0, TINY, tmp_path_factory.mktemp("benchmark"))
    record(run.home, TINY, "dart", lambda _: None)
    train_run(run, "cpu", lambda _: None)
    try_run(run, [NOMINAL], lambda _: None)
    return run


def trials(run: Run, condition: str) -> list[dict]:
    return json.loads((run.folder / "trials" / condition / "1000.json").read_text())


def test_a_run_leaves_its_log_its_trials_and_its_latency(run: Run) -> None:
    rows = [json.loads(line) for line in (run.folder / "training.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]
    assert [trial["task"] for trial in trials(run, "nominal")] == ["object_04", "object_06"]
    assert all(len(trial["final_closure"]) == 6 for trial in trials(run, "nominal"))
    assert json.loads((run.folder / LATENCY_FILE).read_text())["median_ms"] > 0


def test_a_rigid_object_leaves_a_trace_with_attention_at_every_tick(run: Run) -> None:
    trace = np.load(run.folder / "traces" / "object_06.npz")
    ticks = len(trace["state"])
    assert ticks > 30
    assert trace["images"].shape == (ticks, 48, 64, 3)
    total = sum(trace[f"attention_{name}"] for name in ("image", "angle", "torque"))
    np.testing.assert_allclose(total, np.ones(ticks), atol=1e-5)


def test_what_is_there_is_not_done_again(run: Run) -> None:
    said: list[str] = []
    train_run(run, "cpu", said.append)
    try_run(run, [NOMINAL], said.append)
    assert said == []


def test_an_intervention_reaches_the_policy_and_swapping_takes_another_object(run: Run) -> None:
    swapped = Condition("angle_swap", intervention=Intervention("angle", "swap"))
    try_run(run, [swapped], lambda _: None)
    assert trials(run, "angle_swap") != trials(run, "nominal")


def test_the_environment_of_a_condition_differs_from_the_nominal_one(run: Run) -> None:
    try_run(run, [Condition("stiff", {"surface": "stainless steel"})], lambda _: None)
    assert trials(run, "stiff")[0] != trials(run, "nominal")[0], "a soft ball that is hard"


def test_the_operator_is_tried_in_the_same_scenes(run: Run) -> None:
    try_operator(run.home, TINY, lambda _: None)
    path = run.home / "runs" / "operator" / "seed_0" / "trials" / "nominal" / "1000.json"
    outcome = json.loads(path.read_text())
    assert [trial["task"] for trial in outcome] == ["object_04", "object_06"]
    assert all(trial["is_success"] and len(trial["stable_torque_n"]) == 6 for trial in outcome)
