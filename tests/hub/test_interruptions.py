"""Connections cut in the middle of a file, through huggingface_hub."""

from pathlib import Path

import httpx
import numpy as np
import pytest
from huggingface_hub import HfApi

from .server import LocalHub

REPO = "maker/grasps"
MIB = 1 << 20
LARGE = np.random.default_rng(0).bytes(24 * MIB)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "large.mp4"
    path.write_bytes(LARGE)
    return path


def _upload(api: HfApi, file: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", exist_ok=True)
    api.upload_file(path_or_fileobj=file, path_in_repo=file.name, repo_id=REPO, repo_type="dataset")


def _download(api: HfApi, folder: Path) -> bytes:
    return Path(api.hf_hub_download(REPO, "large.mp4", repo_type="dataset", cache_dir=folder)).read_bytes()


@pytest.mark.usefixtures("no_waiting")
class TestCutConnections:
    def test_one_cut_upload_is_sent_again(self, api: HfApi, hub: LocalHub, file: Path) -> None:
        hub.faults.cut_uploads(after=9 * MIB, times=1)
        _upload(api, file)
        assert hub.faults.count == 1
        assert hub.read(hub.dataset(REPO), "large.mp4") == LARGE

    def test_an_upload_that_is_always_cut_leaves_no_trace(
        self, api: HfApi, hub: LocalHub, file: Path
    ) -> None:
        hub.faults.cut_uploads(after=9 * MIB)
        with pytest.raises(RuntimeError, match=r"uploading .large\.mp4"):
            _upload(api, file)
        assert set(hub.dataset(REPO).head.files) == {".gitattributes"}
        assert file.read_bytes() == LARGE
        hub.faults.clear()
        _upload(api, file)
        assert hub.read(hub.dataset(REPO), "large.mp4") == LARGE

    def test_a_cut_download_continues_where_it_was(
        self, api: HfApi, hub: LocalHub, file: Path, tmp_path: Path
    ) -> None:
        _upload(api, file)
        hub.faults.cut_downloads(after=15 * MIB, times=1)
        assert _download(api, tmp_path / "cache") == LARGE
        # The client keeps what it has in whole pieces of ten MiB.
        assert [request.range for request in hub.requests if request.range] == [f"bytes={10 * MIB}-"]

    def test_a_download_that_is_always_cut_leaves_no_broken_file(
        self, api: HfApi, hub: LocalHub, file: Path, tmp_path: Path
    ) -> None:
        _upload(api, file)
        hub.faults.cut_downloads(after=MIB)
        with pytest.raises(httpx.TransportError):
            _download(api, tmp_path / "cache")
        assert not list((tmp_path / "cache").rglob("large.mp4"))
        hub.faults.clear()
        assert _download(api, tmp_path / "cache") == LARGE
