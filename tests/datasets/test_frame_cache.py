from pathlib import Path

import pytest
import torch
from lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from lerobot.datasets.factory import resolve_delta_timestamps
from torch import Tensor
from torch.utils.data import DataLoader

from softgrasp_plugin.datasets import frame_cache
from softgrasp_plugin.datasets.frame_cache import CachedDataset, as_is, cached_frames, fingerprint
from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.pictures import resize
from softgrasp_plugin.policies.softgrasp.example import make_example_config

from ..policies.synthetic import REPO_ID, make_dataset

HEIGHT, WIDTH = 48, 64


@pytest.fixture(scope="module", params=["videos", "images"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "dataset"
    video = request.param == "videos"
    return make_dataset(folder, episodes=3, frames=40, height=HEIGHT, width=WIDTH, video=video)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(frame_cache.FOLDER_VARIABLE, str(tmp_path / "frames"))
    return tmp_path / "frames"


def open_dataset(root: Path, episodes: list[int] | None = None, **overrides: int) -> LeRobotDataset:
    config = make_example_config(HEIGHT, WIDTH, **overrides)
    meta = LeRobotDatasetMetadata(REPO_ID, root=root)
    return LeRobotDataset(
        REPO_ID,
        root=root,
        episodes=episodes,
        delta_timestamps=resolve_delta_timestamps(config, meta),
        video_backend="pyav",
        return_uint8=True,
    )


@pytest.mark.parametrize("episodes", [None, [0, 2]])
@pytest.mark.parametrize("overrides", [{}, {"chunk_size": 10, "num_stack": 1}])
def test_batches_are_those_of_lerobots_loader(
    root: Path, episodes: list[int] | None, overrides: dict[str, int]
) -> None:
    theirs = open_dataset(root, episodes, **overrides)
    ours = CachedDataset(theirs, {IMAGE_FEATURE: None})
    indices = [0, 3, 39, 40, 44, len(theirs) - 1]
    expected = next(iter(DataLoader([theirs[index] for index in indices], batch_size=len(indices))))
    batch = ours.__getitems__(indices)
    assert len(ours) == len(theirs)
    assert batch.keys() == expected.keys()
    for key, value in expected.items():
        if not isinstance(value, Tensor):
            assert batch[key] == value
            continue
        if key == IMAGE_FEATURE and value.is_floating_point():  # as LeRobot delivers stored images
            value = (value * 255).round().to(torch.uint8)
        torch.testing.assert_close(batch[key], value, rtol=0, atol=0)


def test_frames_are_kept_at_the_size_the_policy_sees(root: Path) -> None:
    dataset = open_dataset(root)
    frames = cached_frames(dataset, IMAGE_FEATURE)
    small = cached_frames(dataset, IMAGE_FEATURE, (24, 32))
    assert small.shape == (120, 3, 24, 32)
    assert (small.float() - resize(frames.float(), (24, 32))).abs().max() <= 0.5 + 1e-4


def test_a_dataset_is_decoded_once_until_it_changes(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    decode = frame_cache._decode
    monkeypatch.setattr(frame_cache, "_decode", lambda *args: decoded.append(1) or decode(*args))
    dataset = open_dataset(root)
    for _ in range(2):
        cached_frames(dataset, IMAGE_FEATURE)
    assert len(decoded) == 1
    assert [path.suffix for path in folder.iterdir()] == [".npy"], "nothing is left over"
    assert not list(root.glob("*.npy")), "the dataset itself is as it was, and is uploaded as it was"
    before = fingerprint(dataset, IMAGE_FEATURE, (HEIGHT, WIDTH))
    assert fingerprint(open_dataset(root, [1]), IMAGE_FEATURE, (HEIGHT, WIDTH)) != before
    assert fingerprint(dataset, IMAGE_FEATURE, (24, 32)) != before
    kind = "videos" if dataset.meta.video_keys else "data"
    file = next(path for path in (root / kind).rglob("*") if path.is_file())
    content = file.read_bytes()
    try:
        file.write_bytes(content + b"another recording of the same length, under the same name")
        assert fingerprint(dataset, IMAGE_FEATURE, (HEIGHT, WIDTH)) != before
    finally:
        file.write_bytes(content)


def test_an_interrupted_decoding_leaves_nothing_that_could_be_used(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_dataset(root)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_frames(dataset, IMAGE_FEATURE, report=interrupt)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_said_before(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_cache, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(OSError, match=r"The decoded frames take .* SOFTGRASP_FRAME_CACHE"):
        cached_frames(open_dataset(root), IMAGE_FEATURE)


def test_what_changes_frames_while_they_are_read_is_refused(root: Path) -> None:
    dataset = open_dataset(root)
    dataset.set_image_transforms(lambda image: image)
    with pytest.raises(ValueError, match="image_transforms"):
        CachedDataset(dataset, {IMAGE_FEATURE: None})


def test_a_data_loader_gets_whole_batches_without_cameras_nobody_reads(root: Path) -> None:
    dataset = CachedDataset(open_dataset(root), {})
    batches = list(DataLoader(dataset, batch_size=32, collate_fn=as_is))
    assert sum(len(batch["action"]) for batch in batches) == len(dataset)
    assert IMAGE_FEATURE not in batches[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_frames_stay_on_the_gpu(root: Path) -> None:
    dataset = open_dataset(root)
    cpu, gpu = (CachedDataset(dataset, {IMAGE_FEATURE: None}, device) for device in ("cpu", "cuda"))
    ours, theirs = gpu.__getitems__([0, 5, 60]), cpu.__getitems__([0, 5, 60])
    assert ours[IMAGE_FEATURE].is_cuda
    torch.testing.assert_close(ours[IMAGE_FEATURE].cpu(), theirs[IMAGE_FEATURE])
