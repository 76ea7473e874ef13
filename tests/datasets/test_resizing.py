from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.datasets import resizing
from softgrasp_plugin.datasets.resizing import Copy, copy_resized
from softgrasp_plugin.files import write_json
from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.pictures import resize_bytes
from softgrasp_plugin.running_command import NOTES_FILE

from ..policies.synthetic import REPO_ID, make_dataset

SIZE = (24, 32)


def silent(what: str, done: int, total: int) -> None:
    """Hears of the progress and says nothing."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> LeRobotDataset:
    root = tmp_path_factory.mktemp("data") / "dataset"
    make_dataset(root, episodes=3, frames=20, height=48, width=64, video=True)
    write_json(root / NOTES_FILE, {"1": {"object": "object_01"}})
    return LeRobotDataset(REPO_ID, root=root, video_backend="pyav")


def make_copy(source: LeRobotDataset, root: Path, **changes: Any) -> Copy:
    return Copy(source, "local/small", root, **{"image_size": SIZE, "video": False, **changes})


@pytest.mark.parametrize("video", [False, True])
def test_everything_but_the_pictures_is_kept(source: LeRobotDataset, tmp_path: Path, video: bool) -> None:
    copy = copy_resized(make_copy(source, tmp_path / "copy", video=video), silent)
    assert (copy.num_episodes, copy.num_frames, copy.fps) == (3, 60, 30)
    assert copy.meta.features[IMAGE_FEATURE]["shape"] == (24, 32, 3)
    assert copy.meta.features["action"]["names"] == source.meta.features["action"]["names"]
    assert copy.meta.robot_type == source.meta.robot_type
    assert list(copy.meta.tasks.index) == list(source.meta.tasks.index)
    assert (tmp_path / "copy" / NOTES_FILE).read_text() == (Path(source.root) / NOTES_FILE).read_text()
    for key, stats in source.meta.stats.items():
        if key != IMAGE_FEATURE:
            for name, value in stats.items():
                np.testing.assert_allclose(copy.meta.stats[key][name], value, err_msg=f"{key} {name}")
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == sorted(
        ["data", "meta", *["videos"] * video]
    ), "nothing is left over"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy"]
    for index in (0, 25, 59):
        before, after = source[index], copy[index]
        assert before["task"] == after["task"]
        expected = resize_bytes((before[IMAGE_FEATURE] * 255).round()[None].byte(), SIZE)[0] / 255
        tolerance = 0.1 if video else 1e-6
        assert (after[IMAGE_FEATURE] - expected).abs().mean() < tolerance


def test_a_copy_that_was_interrupted_goes_on(
    source: LeRobotDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        if what.startswith("written"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_resized(make_copy(source, tmp_path / "copy"), interrupt)
    written = []
    frames = resizing._frames
    monkeypatch.setattr(resizing, "_frames", lambda *args: written.append(args[1]) or frames(*args))
    copy = copy_resized(make_copy(source, tmp_path / "copy"), silent)
    assert written == [1, 2]
    assert copy.num_frames == 60
    copy_resized(make_copy(source, tmp_path / "copy"), silent)
    assert written == [1, 2], "it is done"


def test_a_copy_that_was_killed_while_writing_is_made_anew(source: LeRobotDataset, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    copy_resized(make_copy(source, root), silent)
    file = next((root / "data").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1000])  # a table without its end
    assert copy_resized(make_copy(source, root), silent).num_frames == 60


def test_nothing_is_added_to_another_copy(source: LeRobotDataset, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    copy_resized(make_copy(source, root), silent)
    with pytest.raises(ValueError, match="is a copy of something else"):
        copy_resized(make_copy(source, root, image_size=(12, 16)), silent)
    (root / resizing.ORIGIN_FILE).unlink()
    with pytest.raises(ValueError, match="choose another --new_root"):
        copy_resized(make_copy(source, root), silent)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_size": (24, 40)}, "would stretch"),
        ({"image_size": (96, 128)}, "larger than"),
        ({"image_size": (21, 28), "video": True}, "set --video=false"),
    ],
)
def test_what_would_be_no_copy_is_refused(
    source: LeRobotDataset, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        copy_resized(make_copy(source, tmp_path / "copy", **changes), silent)
    assert not (tmp_path / "copy").exists()


def test_a_dataset_is_not_copied_onto_itself(source: LeRobotDataset) -> None:
    with pytest.raises(ValueError, match="own folder"):
        copy_resized(make_copy(source, Path(source.root)), silent)
