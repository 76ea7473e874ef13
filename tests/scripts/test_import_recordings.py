import os
import pickle
from pathlib import Path

import pytest
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.scripts import import_recordings
from softgrasp_plugin.scripts.import_recordings import ImportConfig

from ..datasets.synthetic import write_recording


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["softgrasp-import", *arguments])
    import_recordings.main()


def test_imports_several_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("apple_1", "apple_2"):
        write_recording(tmp_path / "in", name, images=20)
    arguments = (f"--recordings={tmp_path / 'in'}", "--repo_id=tester/apple", f"--root={tmp_path / 'out'}")
    run(monkeypatch, *arguments, "--image_size=[64,64]", "--segments=2", "--task=Pick the apple.")
    dataset = LeRobotDataset("tester/apple", root=tmp_path / "out", video_backend="pyav")
    assert (dataset.num_episodes, dataset.num_frames) == (4, 40)
    assert dataset[0]["task"] == "Pick the apple."
    assert tuple(dataset[39]["observation.images.side"].shape) == (3, 64, 64)

    with pytest.raises(SystemExit, match=r"softgrasp-import: .*exists already\. Choose another --root"):
        run(monkeypatch, *arguments)


def test_default_root_is_lerobots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lerobot.utils.constants.HF_LEROBOT_HOME", tmp_path / "home")
    config = ImportConfig(write_recording(tmp_path, "apple", images=4), "tester/apple", video=False)
    assert import_recordings.import_recordings(config) == tmp_path / "home" / "tester" / "apple"


def test_a_hostile_pickle_runs_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hostile:
        def __reduce__(self) -> object:
            return os.system, (f"touch {tmp_path / 'trap'}",)

    write_recording(tmp_path / "in", "apple_1", images=4)
    folder = write_recording(tmp_path / "in", "apple_2", images=4)
    (folder / "apple_2.pickle").write_bytes(pickle.dumps({"joint": Hostile(), "force": Hostile()}))
    with pytest.raises(SystemExit, match=r"apple_2\.pickle: refused: it asks for the global 'posix\.system'"):
        run(monkeypatch, f"--recordings={tmp_path / 'in'}", "--repo_id=t/a", f"--root={tmp_path / 'out'}")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"fps": 0}, "--fps must .*got 0"),
        ({"segments": 0}, "--segments must .*got 0"),
        ({"free_air_frames": -1}, "--free_air_frames must .*got -1"),
        ({"image_size": (0, 640)}, r"--image_size: .*got 0"),
    ],
)
def test_impossible_options(option: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImportConfig(Path("in"), "tester/apple", **option)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "repo_id", ["../..", "a/../b", "/etc/x", "user", "a/b/c", "a/.hidden", "a/b c", "a/b\n"]
)
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, repo_id: str) -> None:
    with pytest.raises(ValueError, match=r"--repo_id=.*expected user/name"):
        ImportConfig(tmp_path, repo_id)
