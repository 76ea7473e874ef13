"""Repairing a dataset keeps every whole episode and loses nothing of the rest."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.datasets.checkpoints import CHECKPOINT_FILE, Checkpoints
from softgrasp_plugin.datasets.repair import examine_dataset, repair_dataset

FRAMES = 5
FEATURES = {
    "observation.state": {"dtype": "float32", "shape": (2,), "names": ["a", "b"]},
    "observation.images.side": {
        "dtype": "image",
        "shape": (16, 16, 3),
        "names": ["height", "width", "channels"],
    },
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a dataset as it is on disk while its fourth episode is recorded."""
    root = tmp_path_factory.mktemp("repair") / "recording"
    dataset = LeRobotDataset.create("softgrasp/test", 30, FEATURES, root=root, use_videos=False)
    checkpoints = Checkpoints(dataset)
    for episode in range(3):
        for frame in range(FRAMES):
            state = np.array([episode, frame], np.float32)
            image = np.full((16, 16, 3), 50 * episode, np.uint8)
            dataset.add_frame({"observation.state": state, "observation.images.side": image, "task": "t"})
        dataset.save_episode()
        checkpoints.update()
    copy = root.with_name("killed")
    shutil.copytree(root, copy)
    dataset.finalize()
    checkpoints.end()
    assert not (root / CHECKPOINT_FILE).exists()
    assert dataset.meta.info.data_files_size_in_mb >= 1
    return copy


def assert_readable(root: Path, episodes: int) -> None:
    dataset = LeRobotDataset("softgrasp/test", root=root)
    assert dataset.num_episodes == episodes
    assert len(dataset) == episodes * FRAMES
    for index in range(len(dataset)):
        assert dataset[index]["observation.state"].tolist() == list(divmod(index, FRAMES))
    np.testing.assert_allclose(dataset.meta.stats["observation.state"]["max"], [episodes - 1, FRAMES - 1])


def test_after_a_kill_nothing_needs_repair(killed: Path) -> None:
    damage = examine_dataset(killed)
    assert not damage.problems
    assert len(damage.rows) == 3
    assert_readable(killed, 3)


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("meta/info.json", 3),
        ("meta/stats.json", 3),
        ("meta/tasks.parquet", 3),
        (CHECKPOINT_FILE, 3),
        ("meta/episodes/chunk-000/file-002.parquet", 3),
        ("meta/episodes/chunk-000/file-001.parquet", 1),
        ("data/chunk-000/file-002.parquet", 2),
        ("data/chunk-000/file-000.parquet", 0),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.7])
def test_a_file_cut_off(killed: Path, tmp_path: Path, name: str, whole: int, share: float) -> None:
    root = tmp_path / "cut"
    shutil.copytree(killed, root)
    content = (root / name).read_bytes()
    cut = content[: int(len(content) * share)]
    (root / name).write_bytes(cut)
    before = {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    damage = examine_dataset(root)
    assert len(damage.rows) == whole
    assert any(Path(name).name in problem for problem in damage.problems)
    if not whole:
        with pytest.raises(ValueError, match=r"No episode of .* is whole"):
            repair_dataset(damage)
        return
    backup = repair_dataset(damage)
    assert_readable(root, whole)
    assert not examine_dataset(root).problems
    for path, original in before.items():  # every byte is in the dataset or beside it
        kept = [folder / path for folder in (root, backup) if (folder / path).exists()]
        assert original in [file.read_bytes() for file in kept], path


def test_without_a_description_nothing_is_guessed(killed: Path, tmp_path: Path) -> None:
    root = tmp_path / "lost"
    shutil.copytree(killed, root)
    (root / CHECKPOINT_FILE).unlink()
    (root / "meta/info.json").write_text("{")
    with pytest.raises(ValueError, match=r"info\.json cannot be read .* Copy meta/info\.json"):
        examine_dataset(root)
    with pytest.raises(ValueError, match="is not a dataset"):
        examine_dataset(tmp_path)
