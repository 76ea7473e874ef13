from pathlib import Path

import pytest

from softgrasp_plugin.experiments.pieces import Run
from softgrasp_plugin.experiments.plan import CONFIGURATIONS, LONGER, PROFILES, RANDOM_OBJECTS, tasks_of
from softgrasp_plugin.experiments.runs import train_config


def run_of(name: str, profile: str) -> Run:
    return Run(CONFIGURATIONS[name], 0, PROFILES[profile], Path())


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_no_policy_was_shown_what_it_is_to_meet_for_the_first_time(name: str, profile: str) -> None:
    run = run_of(name, profile)
    shown = set(run.profile.demonstrations(run.configuration.demonstrations).objects)
    unseen = set(tasks_of(RANDOM_OBJECTS, run.profile.tasks))
    if run.further_conditions:
        assert (RANDOM_OBJECTS in run.further_conditions) == shown.isdisjoint(unseen)


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_longer_training_differs_in_nothing_else(profile: str) -> None:
    usual, longer = (train_config(run_of(name, profile), "cpu") for name in ("softgrasp", "longer"))
    assert longer.steps == LONGER * usual.steps
    assert (longer.policy, longer.optimizer) == (usual.policy, usual.optimizer)
    assert longer.batch_size == usual.batch_size
