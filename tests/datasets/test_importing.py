import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot.datasets import LeRobotDataset
from lerobot.utils.feature_utils import dataset_to_policy_features

from softgrasp_plugin.datasets import importing
from softgrasp_plugin.datasets.importing import STAGE_FEATURE, ImportOptions, segment_bounds, write_dataset
from softgrasp_plugin.datasets.recordings import Recording, read_recording
from softgrasp_plugin.grasping.stages import Stage
from softgrasp_plugin.joints import IMAGE_FEATURE, STATE_KEYS

from .synthetic import IMAGE_SIZE, make_signals, write_recording

REPO_ID = "tester/apple"


def options(**changes: Any) -> ImportOptions:
    return ImportOptions(fps=30, task="Grasp the apple.", **changes)


@pytest.fixture
def recordings(tmp_path: Path) -> list[Recording]:
    source = tmp_path / "source"
    return [
        read_recording(write_recording(source, "apple_1", make_signals(60), images=60)),
        read_recording(write_recording(source, "apple_2", make_signals(40, scale=1000.0), images=38)),
    ]


def load(root: Path) -> LeRobotDataset:
    return LeRobotDataset(REPO_ID, root=root, video_backend="pyav")


def test_writes_a_video_dataset(tmp_path: Path, recordings: list[Recording]) -> None:
    write_dataset(recordings, REPO_ID, tmp_path / "out", options())
    dataset = load(tmp_path / "out")
    assert (dataset.num_episodes, dataset.num_frames, dataset.fps) == (2, 98, 30)
    assert dataset.meta.robot_type == importing.ROBOT_TYPE
    for key in ("observation.state", "action"):
        assert dataset.features[key]["names"] == list(STATE_KEYS)
    assert dataset.features[IMAGE_FEATURE]["dtype"] == "video"
    assert dataset.features[IMAGE_FEATURE]["shape"] == (*IMAGE_SIZE, 3)

    item = dataset[60 + 20]  # frame 20 of the second episode
    recording = recordings[1]
    expected = np.hstack([recording.closure[20], recording.torque[20]])
    np.testing.assert_allclose(item["observation.state"], expected, atol=1e-6)
    np.testing.assert_allclose(
        item["action"], np.hstack([recording.command[20], recording.torque[20]]), atol=1e-6
    )
    assert item["task"] == "Grasp the apple."
    # No frame was lost or shifted by the encoder: the red channel counts the frames.
    for index, frame in ((5, 5), (59, 59), (60, 0), (97, 37)):
        assert dataset[index][IMAGE_FEATURE][0].mean() * 255 == pytest.approx(frame, abs=4)


def test_labels_the_stages_without_showing_them_to_policies(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    write_dataset(recordings, REPO_ID, tmp_path / "out", options(video=False))
    dataset = load(tmp_path / "out")
    stages = np.array(dataset.hf_dataset[STAGE_FEATURE])[:60]
    assert stages[0] == Stage.PREPARATION
    assert Stage.CLOSING in stages
    assert (np.diff(stages) >= 0).all()
    assert set(dataset_to_policy_features(dataset.features)) == {"observation.state", "action", IMAGE_FEATURE}
    assert dataset.features[IMAGE_FEATURE]["dtype"] == "image"


def test_without_stages_the_features_are_those_of_a_recording(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    write_dataset(recordings, REPO_ID, tmp_path / "out", options(video=False, stages=False))
    assert STAGE_FEATURE not in load(tmp_path / "out").features


def test_shrinks_images(tmp_path: Path, recordings: list[Recording]) -> None:
    write_dataset(recordings[:1], REPO_ID, tmp_path / "out", options(video=False, image_size=(32, 48)))
    image = load(tmp_path / "out")[30][IMAGE_FEATURE]
    assert tuple(image.shape) == (3, 32, 48)
    assert image[0].mean() * 255 == pytest.approx(30, abs=2)
    # Shrinking averages: the ramp stays a ramp.
    assert (np.diff(image[1].mean(0).numpy()) >= 0).all()


def test_segments_become_episodes_and_keep_the_next_command(
    tmp_path: Path, recordings: list[Recording]
) -> None:
    write_dataset(recordings, REPO_ID, tmp_path / "out", options(video=False, segments=4))
    dataset = load(tmp_path / "out")
    assert list(dataset.meta.episodes["length"]) == [15, 15, 15, 15, 9, 10, 9, 10]
    np.testing.assert_allclose(dataset[24]["action"][:6], recordings[0].closure[25], atol=1e-6)


@given(st.integers(1, 5000), st.integers(1, 50))
def test_segment_bounds_cover_every_frame_once(length: int, segments: int) -> None:
    bounds = segment_bounds(length, segments)
    assert len(bounds) == segments
    assert [frame for start, stop in bounds for frame in range(start, stop)] == list(range(length))
    lengths = [stop - start for start, stop in bounds]
    assert max(lengths) - min(lengths) <= 1


def test_too_many_segments(tmp_path: Path, recordings: list[Recording]) -> None:
    with pytest.raises(ValueError, match="apple_2 has 38 frames: too few for --segments=20"):
        write_dataset(recordings, REPO_ID, tmp_path / "out", options(segments=20))
    assert not (tmp_path / "out").exists()


def test_refuses_an_existing_target(tmp_path: Path, recordings: list[Recording]) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "precious").touch()
    with pytest.raises(FileExistsError, match="exists already"):
        write_dataset(recordings, REPO_ID, target, options())
    assert [path.name for path in target.iterdir()] == ["precious"]


@pytest.mark.parametrize("video", [True, False])
def test_a_corrupt_image_leaves_nothing_behind(
    tmp_path: Path, recordings: list[Recording], video: bool
) -> None:
    broken = recordings[1].images[17]
    broken.write_bytes(broken.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"17\.jpg is not a readable image"):
        write_dataset(recordings, REPO_ID, tmp_path / "out", options(video=video))
    assert_nothing_left(tmp_path)


def test_an_image_of_another_size_leaves_nothing_behind(tmp_path: Path, recordings: list[Recording]) -> None:
    image = importing.Image.new("RGB", (50, 40))
    image.save(recordings[0].images[9])
    with pytest.raises(ValueError, match=r"9\.jpg is 50×40, the first image is 96×64.*--image_size"):
        write_dataset(recordings, REPO_ID, tmp_path / "out", options())
    assert_nothing_left(tmp_path)


@pytest.mark.parametrize("video", [True, False])
def test_ctrl_c_leaves_nothing_behind(
    tmp_path: Path, recordings: list[Recording], video: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = LeRobotDataset.add_frame, []

    def interrupted(self: LeRobotDataset, frame: dict[str, Any]) -> None:
        calls.append(frame)
        if len(calls) == 70:  # in the second episode
            raise KeyboardInterrupt
        original(self, frame)

    monkeypatch.setattr(LeRobotDataset, "add_frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(recordings, REPO_ID, tmp_path / "out", options(video=video))
    assert_nothing_left(tmp_path)


def assert_nothing_left(tmp_path: Path) -> None:
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    assert not [thread for thread in threading.enumerate() if "Encoder" in type(thread).__name__]
