"""The world's clock under commands that have a rate."""

from types import SimpleNamespace

import pytest

from softgrasp_plugin.robots.loop_rate import DEFAULT_RATE, loop_rate
from softgrasp_plugin.running_command import RunningCommand


def command(
    fps: float | None = None, *, dataset: float | None = None, later: float | None = None
) -> RunningCommand:
    """A command of that rate, with a dataset, or with one that it will make later."""
    config = SimpleNamespace(fps=fps, dataset=None if later is None else SimpleNamespace(fps=later))
    made = None if dataset is None else SimpleNamespace(fps=dataset)
    return RunningCommand("command", config, made)


def test_without_a_command_it_is_the_robots_own() -> None:
    assert loop_rate(None, None) == DEFAULT_RATE
    assert loop_rate(20, None) == 20
    assert loop_rate(20, command()) == 20


@pytest.mark.parametrize(
    "running",
    [command(60), command(dataset=60), command(60, later=60), command(30, dataset=60)],
    ids=["teleoperate", "record, replay", "rollout", "the dataset's before the command's own"],
)
def test_the_world_follows_the_command(running: RunningCommand) -> None:
    assert loop_rate(None, running) == 60
    assert loop_rate(60, running) == 60
    with pytest.raises(ValueError, match=r"is 60 Hz, --robot\.fps is 30 Hz"):
        loop_rate(30, running)


def test_a_loop_and_a_dataset_of_different_rates_are_refused() -> None:
    with pytest.raises(ValueError, match=r"--fps is 60 Hz, --dataset\.fps is 30 Hz"):
        loop_rate(None, command(60, later=30))


def test_interpolated_actions_are_ticks_too() -> None:
    running = RunningCommand(
        "rollout", SimpleNamespace(fps=30, interpolation_multiplier=2, dataset=None), None
    )
    assert loop_rate(None, running) == 60
    with pytest.raises(ValueError, match=r"--interpolation_multiplier is 60 Hz, --robot\.fps is 30 Hz"):
        loop_rate(30, running)


@pytest.mark.parametrize("rate", [25, 29.97, 240])
def test_a_rate_that_the_world_cannot_follow_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=rf"--fps must divide 120 .* got {rate}"):
        loop_rate(None, command(rate))
