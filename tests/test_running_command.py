"""What LeRobot's own commands show of themselves to the robot they connect."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from lerobot.datasets.lerobot_dataset import LeRobotDataset

from softgrasp_plugin.envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from softgrasp_plugin.joints import STATE_KEYS
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.running_command import (
    NOTES_FILE,
    EpisodeNotes,
    RunningCommand,
    read_episode_notes,
    running_command,
)

from .policies.small import small_policy

REPO = "--dataset.repo_id=a/b"


class SeenError(Exception):
    def __init__(self, command: RunningCommand | None) -> None:
        self.command = command


def connect(self: UR3DexHandSim, calibrate: bool = True) -> None:
    raise SeenError(running_command())


@pytest.fixture
def dataset(tmp_path: Path) -> LeRobotDataset:
    vector = {"dtype": "float32", "shape": (12,), "names": list(STATE_KEYS)}
    made = LeRobotDataset.create(
        "a/b", 20, root=tmp_path / "b", features={"action": vector, "observation.state": vector}
    )
    for _ in range(2):
        made.add_frame(
            {name: np.zeros(12, np.float32) for name in ("action", "observation.state")} | {"task": "t"}
        )
    made.save_episode()
    return made


def seen_by_robot(monkeypatch: pytest.MonkeyPatch, name: str, *options: str) -> RunningCommand:
    monkeypatch.setattr(UR3DexHandSim, "connect", connect)
    monkeypatch.setattr(sys, "argv", [f"lerobot-{name}", "--robot.type=ur3_dexhand_sim", *options])
    with pytest.raises(SeenError) as seen:
        getattr(import_module(f"lerobot.scripts.lerobot_{name}"), name)()
    message = f"lerobot-{name} no longer keeps its configuration (with a field `robot`) in a local `cfg`"
    assert seen.value.command is not None, message
    assert seen.value.command.name == name
    return seen.value.command


def test_record_shows_its_dataset_and_rate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = tmp_path / "new"
    command = seen_by_robot(
        monkeypatch,
        "record",
        "--teleop.type=virtual_operator",
        REPO,
        f"--dataset.root={root}",
        "--dataset.single_task=t",
        "--dataset.fps=25",
        "--dataset.push_to_hub=false",
        "--play_sounds=false",
    )
    assert command.dataset is not None, "lerobot-record no longer keeps its dataset in a local `dataset`"
    assert command.is_recording
    assert (command.fps, command.dataset.root, command.policy) == (25.0, root, None)


def test_replay_shows_the_rate_of_what_it_replays(
    monkeypatch: pytest.MonkeyPatch, dataset: LeRobotDataset
) -> None:
    dataset.finalize()
    command = seen_by_robot(
        monkeypatch, "replay", REPO, f"--dataset.root={dataset.root}", "--dataset.episode=0"
    )
    assert command.fps == 20.0
    assert not command.is_recording


def test_teleoperate_shows_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.teleoperators.teleoperator.Teleoperator.connect", lambda _: None)
    monkeypatch.setattr(
        "softgrasp_plugin.teleoperators.virtual_operator.VirtualOperator.connect", lambda _: None
    )
    command = seen_by_robot(monkeypatch, "teleoperate", "--teleop.type=virtual_operator", "--fps=50")
    assert (command.fps, command.dataset) == (50.0, None)


def test_rollout_shows_its_policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    small_policy("softgrasp").save_pretrained(tmp_path)
    command = seen_by_robot(
        monkeypatch, "rollout", f"--policy.path={tmp_path}", "--fps=15", "--task=t", "--device=cpu"
    )
    assert command.fps == 15.0
    assert command.policy is not None
    assert command.policy.type == "softgrasp"


def test_eval_shows_its_policy_and_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment is made before the policy, so that it can refuse what would not fit."""

    def create_envs(self: SoftGraspSimEnvConfig, *_: object, **__: object) -> None:
        raise SeenError(running_command())

    small_policy("softgrasp").save_pretrained(tmp_path / "policy")
    monkeypatch.setattr(SoftGraspSimEnvConfig, "create_envs", create_envs)
    options = [
        f"--policy.path={tmp_path / 'policy'}",
        "--policy.device=cpu",
        "--env.type=softgrasp_sim",
        "--env.task=object_03",
        "--env.fps=20",
        "--env.torque.mode=track",
        f"--output_dir={tmp_path / 'out'}",
    ]
    monkeypatch.setattr(sys, "argv", ["lerobot-eval", *options])
    with pytest.raises(SeenError) as seen:
        import_module("lerobot.scripts.lerobot_eval").main()
    command = seen.value.command
    message = "lerobot-eval no longer keeps its configuration (with a field `env`) in a local `cfg`"
    assert command is not None, message
    env = command.config.env
    assert isinstance(env, SoftGraspSimEnvConfig), message
    assert (env.task, env.fps, env.torque.mode) == ("object_03", 20, "track")
    assert command.policy is not None
    assert (command.name, command.policy.type, command.dataset) == ("eval_main", "softgrasp", None)


def test_a_program_of_ones_own_is_no_command() -> None:
    assert running_command() is None


def test_notes_stay_beside_the_dataset(dataset: LeRobotDataset) -> None:
    EpisodeNotes(dataset).begin(seed=3)
    resumed = EpisodeNotes(dataset)
    resumed.add(warning="a")
    assert read_episode_notes(dataset.root) == {1: {"seed": 3, "warning": "a"}}
    resumed.begin(seed=4)  # another attempt at the same episode
    assert read_episode_notes(dataset.root) == {1: {"seed": 4}}


@pytest.mark.parametrize("text", ["", "[1]", '{"one": {}}', '{"1": 3}'])
def test_damaged_notes_are_named(dataset: LeRobotDataset, text: str) -> None:
    (dataset.root / NOTES_FILE).write_text(text)
    with pytest.raises(ValueError, match=r"softgrasp_episodes\.json"):
        read_episode_notes(dataset.root)
