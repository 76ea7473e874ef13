from pathlib import Path

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.experiments.demonstrations import demonstrate
from softgrasp_plugin.experiments.plan import DemonstrationConfig
from softgrasp_plugin.simulation.settings import WorldSettings
from softgrasp_plugin.simulation.variation import Variation

from ..commands.front_door import run_command
from .conftest import REPO_ID, SMALL


def rows(dataset: LeRobotDataset, episode: int) -> tuple[np.ndarray, np.ndarray]:
    table = dataset.hf_dataset.with_format("numpy")
    of_episode = table["episode_index"][:] == episode
    return tuple(np.stack(table[key])[of_episode] for key in ("observation.state", "action"))


def test_every_episode_is_a_whole_successful_grasp(demonstrations: Path) -> None:
    dataset = LeRobotDataset(REPO_ID, root=demonstrations)
    assert dataset.num_episodes == 2
    for episode in range(2):
        state, _ = rows(dataset, episode)
        assert 3 * dataset.fps < len(state) < 12 * dataset.fps
        assert state[0, 6:].max() == 0.0, "nothing is touched at first"
        assert state[-1, 6:].max() > 0.5, "the object is held at the end"


def test_a_complete_dataset_is_left_alone(demonstrations: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demonstrations.rglob("*.parquet")}
    assert list(demonstrate(SMALL, REPO_ID, demonstrations)) == []
    assert {path: path.stat().st_mtime_ns for path in demonstrations.rglob("*.parquet")} == before


@pytest.mark.slow
def test_an_interrupted_dataset_is_made_anew(tmp_path: Path) -> None:
    config = DemonstrationConfig(objects=("object_01",), per_object=2, height=48, width=64)
    progress = demonstrate(config, REPO_ID, tmp_path / "dataset")
    assert next(progress) == 1
    progress.close()
    assert not (tmp_path / "dataset").exists()
    assert list(demonstrate(config, REPO_ID, tmp_path / "dataset")) == [1, 2]


@pytest.mark.slow
def test_a_task_that_nobody_can_do_is_an_error_and_not_an_endless_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softgrasp_plugin.experiments.demonstrations._MOST_ATTEMPTS", 2)
    shaking = DemonstrationConfig(
        objects=("object_08",),
        per_object=1,
        height=48,
        width=64,
        action_noise=0.1,
        world=WorldSettings(variation=Variation()),
    )
    with pytest.raises(RuntimeError, match="failed episode 0"):
        list(demonstrate(shaking, REPO_ID, tmp_path / "dataset"))


@pytest.mark.slow
def test_the_frames_are_those_of_lerobot_record(demonstrations: Path, tmp_path: Path, home: Path) -> None:
    run_command(
        "lerobot-record",
        "--robot.type=ur3_dexhand_sim",
        f"--robot.objects=[{','.join(SMALL.objects)}]",
        f"--robot.seed={SMALL.seed}",
        "--robot.cameras={side: {type: softgrasp_sim, width: 64, height: 48, fps: 30}}",
        "--teleop.type=virtual_operator",
        f"--teleop.sight_error_m={SMALL.sight_error_m}",
        "--dataset.repo_id=softgrasp/recorded",
        f"--dataset.root={tmp_path / 'recorded'}",
        "--dataset.single_task=grasp",
        "--dataset.num_episodes=2",
        "--dataset.episode_time_s=4",
        "--dataset.reset_time_s=0",
        "--dataset.push_to_hub=false",
        "--dataset.streaming_encoding=true",
        "--play_sounds=false",
        home=home,
    )
    recorded = LeRobotDataset("softgrasp/recorded", root=tmp_path / "recorded", video_backend="pyav")
    made = LeRobotDataset(REPO_ID, root=demonstrations, video_backend="pyav")
    assert recorded.features.keys() == made.features.keys()
    for episode in range(2):
        for ours, theirs in zip(rows(made, episode), rows(recorded, episode), strict=True):
            common = min(len(ours), len(theirs))
            assert common > 60
            np.testing.assert_array_equal(ours[:common], theirs[:common])
    assert (made[50]["observation.images.side"] - recorded[50]["observation.images.side"]).abs().mean() < 0.02
