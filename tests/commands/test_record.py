"""`lerobot-record`, `-replay`, `-teleoperate`, `-edit-dataset` on the simulated rig."""

import re
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.joints import IMAGE_FEATURE, JOINTS, STATE_KEYS
from softgrasp_plugin.running_command import read_episode_notes
from softgrasp_plugin.scripts.steps import console_script

from .front_door import SMALL_CAMERA, TASK, environment, record_arguments, run_command, run_in_terminal, start

pytestmark = pytest.mark.slow

LEFT_ARROW = "\x1b[D"

SLOW_MACHINE_SHARE = 0.8
"""LeRobot ends an episode by the wall clock, so a busy machine records fewer of its frames; the first of them
are always the same.
"""


def load(root: Path, repo_id: str = "softgrasp/test") -> LeRobotDataset:
    return LeRobotDataset(repo_id, root=root)


def episode(dataset: LeRobotDataset, index: int, feature: str) -> np.ndarray:
    table = dataset.hf_dataset.with_format("numpy")
    return np.stack(table.filter(lambda row: row["episode_index"] == index)[feature])


def test_keys_units_and_order(dataset: Path) -> None:
    recorded = load(dataset)
    assert recorded.meta.features["observation.state"]["names"] == list(STATE_KEYS)
    assert recorded.meta.features["action"]["names"] == list(STATE_KEYS)
    assert recorded.meta.features[IMAGE_FEATURE]["shape"] == (120, 160, 3)
    assert recorded.meta.robot_type == "ur3_dexhand_sim"
    assert recorded.num_episodes == 2
    item = recorded[10]
    assert item[IMAGE_FEATURE].shape == (3, 120, 160)
    assert item["task"] == TASK


def test_the_recorded_grasp_is_a_grasp(dataset: Path) -> None:
    recorded = load(dataset)
    for index in range(recorded.num_episodes):
        state, action = (episode(recorded, index, name) for name in ("observation.state", "action"))
        closure, torque = state[:, : len(JOINTS)], state[:, len(JOINTS) :]
        assert len(state) >= 240 * SLOW_MACHINE_SHARE
        assert (torque[:10] == 0).all(), "nothing is touched at the start"
        assert torque[-1, 4] > 0.5, "the thumb presses at the end"
        assert torque[-1, :4].max() > 0.3, "and a finger opposes it"
        assert closure[-1, :4].max() > closure[0, :4].max() + 0.05
        # The torque of the action is what the hand measured at that moment.
        np.testing.assert_allclose(action[:, len(JOINTS) :], torque, atol=1e-6)


def test_same_seed_same_parquet(home: Path, dataset: Path) -> None:
    again = home / "again"
    run_command("lerobot-record", *record_arguments(again, seconds=8), home=home)
    first, second = load(dataset), load(again)
    for index in range(2):
        for feature in ("observation.state", "action", "timestamp"):
            one, two = episode(first, index, feature), episode(second, index, feature)
            common = min(len(one), len(two))
            assert common >= 240 * SLOW_MACHINE_SHARE
            assert one[:common].tobytes() == two[:common].tobytes()
    lengths = [[len(episode(d, index, "action")) for index in range(2)] for d in (first, second)]
    if lengths[0] == lengths[1]:
        assert (
            min(dataset.glob("data/**/*.parquet")).read_bytes()
            == min(again.glob("data/**/*.parquet")).read_bytes()
        )


def test_images_instead_of_video_and_resume(home: Path) -> None:
    root = home / "images"
    run_command("lerobot-record", *record_arguments(root, episodes=1, seconds=1, video=False), home=home)
    run_command(
        "lerobot-record",
        *record_arguments(root, episodes=1, seconds=1, video=False),
        "--resume=true",
        home=home,
    )
    recorded = load(root)
    assert recorded.num_episodes == 2
    assert recorded.meta.features[IMAGE_FEATURE]["dtype"] == "image"
    starts = [episode(recorded, index, "observation.state")[0] for index in range(2)]
    assert starts[0].shape == (12,)
    first, second = (
        recorded[recorded.meta.episodes[i]["dataset_from_index"]][IMAGE_FEATURE] for i in range(2)
    )
    assert (first != second).any(), "a resumed recording goes on with new scenes"


def test_rerecording_discards_and_repeats_with_another_scene(home: Path) -> None:
    """Left arrow in a terminal: the episode is recorded again, and nothing of the discarded one stays."""
    root = home / "rerecorded"
    arguments = record_arguments(root, episodes=1, seconds=3, video=False)
    text = run_in_terminal(
        [console_script("lerobot-record"), *arguments],
        variables=environment(home),
        keys=[("Recording episode 0", LEFT_ARROW)],
        pause_s=1.0,
    )
    assert "Re-record episode" in text
    assert load(root).num_episodes == 1


def test_interrupted_recording_keeps_the_episodes_it_has_saved(home: Path) -> None:
    root = home / "interrupted"
    process = subprocess.Popen(
        [console_script("lerobot-record"), *record_arguments(root, episodes=20, seconds=1, video=False)],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Recording episode 2" in line:
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=120)
    assert load(root).num_episodes == 2


def test_a_recording_is_replayed_in_its_own_scene_with_the_same_verdict(home: Path) -> None:
    """At a rate of its own, too: the world follows the recording's clock. With the robot's default options
    the replay would meet another object, in another scene.
    """
    root = home / "replayed"
    recorded = run_command(
        "lerobot-record",
        *record_arguments(root, episodes=1, seconds=8, video=False),
        "--robot.objects=[object_06,object_03]",
        "--robot.seed=3",
        "--robot.episode=1",
        "--robot.variation.mass=0.1",
        "--dataset.fps=20",
        "--dataset.reset_time_s=0",
        home=home,
    )
    (verdict,) = re.findall(r"Trial 1, object_03: .*", recorded)
    assert "object_03: success (" in verdict
    replayed = run_command(
        "lerobot-replay",
        "--robot.type=ur3_dexhand_sim",
        f"--robot.cameras={SMALL_CAMERA}",
        "--robot.variation.mass=0.1",
        "--dataset.repo_id=softgrasp/test",
        f"--dataset.root={root}",
        "--dataset.episode=0",
        "--play_sounds=false",
        home=home,
    )
    assert re.findall(r"Trial .*", replayed) == [verdict]
    assert "Not as it was recorded" not in replayed
    assert load(root).fps == 20
    assert read_episode_notes(root)[0]["verdict"] == "success"


def test_teleoperate(home: Path) -> None:
    output = run_command(
        "lerobot-teleoperate",
        "--robot.type=ur3_dexhand_sim",
        f"--robot.cameras={SMALL_CAMERA}",
        "--teleop.type=virtual_operator",
        "--fps=30",
        "--teleop_time_s=9",
        home=home,
    )
    assert "Trial 0, object_01: success" in output


def test_edit_dataset(home: Path, dataset: Path) -> None:
    run_command(
        "lerobot-edit-dataset",
        "--repo_id=softgrasp/test",
        f"--root={dataset}",
        "--new_repo_id=softgrasp/edited",
        f"--new_root={home / 'edited'}",
        "--operation.type=delete_episodes",
        "--operation.episode_indices=[0]",
        home=home,
    )
    assert load(home / "edited", "softgrasp/edited").num_episodes == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--robot.objects=[apple]"], "object_01"),
        (["--robot.torque.mode=maximal"], "ignore, limit, track"),
        (["--teleop.mapping=nowhere.json"], "nowhere.json"),
        (["--robot.fps=31"], "fps must divide 120"),
        (["--robot.fps=30", "--dataset.fps=60"], "--dataset.fps is 60 Hz, --robot.fps is 30 Hz"),
    ],
)
def test_wrong_options_are_explained(home: Path, tmp_path: Path, arguments: list[str], message: str) -> None:
    result = start("lerobot-record", *record_arguments(tmp_path / "never", episodes=1), *arguments, home=home)
    assert result.returncode != 0
    assert message in result.stdout
