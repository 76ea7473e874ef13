"""A dataset remembers the scenes of its episodes; a replay meets them again, with the same end."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.rollout.strategies.core import RolloutStrategy
from lerobot.utils.utils import log_say

from softgrasp_plugin.files import write_json
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.scene_notes import Scene, chosen_scene, scene_notes
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.running_command import NOTES_FILE, RunningCommand, read_episode_notes
from softgrasp_plugin.simulation.session import TrialSetup
from softgrasp_plugin.teleoperators.config_virtual_operator import VirtualOperatorConfig
from softgrasp_plugin.teleoperators.virtual_operator import VirtualOperator

CONFIG = UR3DexHandSimConfig(objects=["object_01", "object_06"], seed=4, surface="TPE", cameras={})


def replay_of(root: Path, episode: int) -> RunningCommand:
    return RunningCommand(
        "replay",
        SimpleNamespace(dataset=SimpleNamespace(episode=episode)),
        SimpleNamespace(root=root, fps=30),
    )


def remember(root: Path, **changes: Any) -> None:
    notes = scene_notes(CONFIG, CONFIG.seed, TrialSetup(3, 1, 6, 99), "object_06")
    notes["scene"] |= changes
    write_json(root / NOTES_FILE, {"3": notes})


def test_options_say_the_scene() -> None:
    config = UR3DexHandSimConfig(objects=["object_06"], seed=5, episode=2, attempt=1)
    assert chosen_scene(config, None) == Scene(("object_06",), 5, 2, 1)


def test_a_replay_meets_the_scene_that_was_recorded(tmp_path: Path) -> None:
    remember(tmp_path)
    assert chosen_scene(CONFIG, replay_of(tmp_path, 3)) == Scene(("object_06",), 4, 3, 1)


def test_other_circumstances_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    remember(tmp_path)
    chosen_scene(CONFIG, replay_of(tmp_path, 3))
    assert "Not as it was recorded" not in caplog.text
    chosen_scene(UR3DexHandSimConfig(action_noise=0.01), replay_of(tmp_path, 3))
    assert "--robot.surface was TPE, is None" in caplog.text
    assert "--robot.action_noise was 0.0, is 0.01" in caplog.text


def test_an_unknown_scene_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert chosen_scene(CONFIG, replay_of(tmp_path, 0)).objects == tuple(CONFIG.objects)
    assert "does not remember the scene of episode 0" in caplog.text


@pytest.mark.parametrize("change", [{"object": "apple"}, {"seed": -1}, {"seed": "x"}, {"episode": 1e308}])
def test_damaged_notes_are_refused_by_file(tmp_path: Path, change: dict[str, Any]) -> None:
    remember(tmp_path, **change)
    with pytest.raises(ValueError, match=r"softgrasp_episodes\.json does not hold the scenes"):
        chosen_scene(CONFIG, replay_of(tmp_path, 3))


@pytest.fixture
def rig() -> Iterator[tuple[UR3DexHandSim, VirtualOperator]]:
    logging.getLogger().setLevel(logging.INFO)
    robot = UR3DexHandSim(UR3DexHandSimConfig(objects=["object_06"], seed=3, cameras={}))
    operator = VirtualOperator(VirtualOperatorConfig())
    operator.connect()
    robot.connect()
    yield robot, operator
    operator.disconnect()
    if robot.is_connected:
        robot.disconnect()


def grasp(robot: UR3DexHandSim, operator: VirtualOperator) -> list[dict[str, Any]]:
    actions = []
    while True:
        robot.get_observation()
        action = operator.get_action()
        if operator.is_done:
            return actions
        robot.send_action(action)
        actions.append(action)


def verdicts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line.partition(" (")[0] for line in caplog.messages if line.startswith("Trial ")]


def test_a_grasp_is_judged_when_it_is_decided_and_once(
    rig: tuple[UR3DexHandSim, VirtualOperator], caplog: pytest.LogCaptureFixture
) -> None:
    """At the end of a rollout LeRobot opens the hand: the held bottle falls after its trial, not in it."""
    robot, operator = rig
    first = {key: value for key, value in robot.get_observation().items() if key.endswith(".pos")}
    grasp(robot, operator)
    assert verdicts(caplog) == ["Trial 0, object_06: success"]
    hardware: Any = SimpleNamespace(robot_wrapper=robot, initial_position=first)
    RolloutStrategy._return_to_initial_position(hardware, duration_s=1.0)
    assert robot._open_session.world.outcome().is_dropped
    robot.disconnect()
    assert verdicts(caplog) == ["Trial 0, object_06: success"]


@dataclass
class Running:
    """The configuration of a command, as `lerobot-record` has one; `running_command` goes by its module."""

    robot: object = None


Running.__module__ = "lerobot.test"


def test_a_dataset_remembers_scene_and_verdict_of_what_is_in_it(
    rig: tuple[UR3DexHandSim, VirtualOperator], tmp_path: Path
) -> None:
    """The variables are those of LeRobot's commands. After the last episode is saved the hand opens: what
    falls then is in no episode, and nothing is noted.
    """
    cfg, (robot, operator) = Running(), rig
    vector = {"dtype": "float32", "shape": (1,), "names": ["x"]}
    dataset = LeRobotDataset.create("a/b", 30, root=tmp_path / "b", features={"action": vector})
    log_say("Recording episode 0", play_sounds=False)
    assert read_episode_notes(dataset.root)[0]["verdict"] == "undecided"
    grasp(robot, operator)
    for episode in (0, 1):
        if episode:
            log_say(f"Recording episode {episode}", play_sounds=False)
            robot.send_action({})
        dataset.add_frame({"action": np.zeros(1, np.float32), "task": "t"})
        dataset.save_episode()
    robot._on_verdict("no success")
    notes = read_episode_notes(dataset.root)
    assert cfg is not None
    assert [notes[episode]["verdict"] for episode in notes] == ["success", "undecided"]
    assert notes[1]["scene"] == {"object": "object_06", "seed": 3, "episode": 1, "attempt": 0}
    dataset.finalize()


def test_a_trial_that_nothing_decides_is_judged_at_its_end(
    rig: tuple[UR3DexHandSim, VirtualOperator], caplog: pytest.LogCaptureFixture
) -> None:
    robot, _ = rig
    robot.send_action({})
    assert verdicts(caplog) == []
    robot._open_session.next_trial()
    assert verdicts(caplog) == ["Trial 0, object_06: no success"]


def test_a_chosen_scene_is_the_one_that_was_announced(rig: tuple[UR3DexHandSim, VirtualOperator]) -> None:
    """What an episode met after re-recording can be asked for, whatever else its session presented."""
    robot, _ = rig
    for episode in (0, 1, 1):
        log_say(f"Recording episode {episode}", play_sounds=False)
    trial = robot._open_session.trial
    chosen = UR3DexHandSimConfig(objects=["object_06"], seed=3, episode=1, attempt=1, cameras={}, rig="other")
    again = UR3DexHandSim(chosen)
    again.connect()
    assert again._open_session.trial == trial == TrialSetup(1, 1, 6, trial.seed)
    log_say("Recording episode 0", play_sounds=False)
    assert again._open_session.trial == trial, "the first announced episode is the chosen one"
    again.disconnect()
