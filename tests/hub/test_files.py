"""Uploads and downloads, whole and in parts, through huggingface_hub."""

import hashlib
from pathlib import Path

import httpx
import numpy as np
import pytest
from huggingface_hub import HfApi, ModelCard
from huggingface_hub.errors import HfHubHTTPError, RemoteEntryNotFoundError

from .conftest import OWNER_TOKEN
from .server import LocalHub

REPO = "maker/grasps"
BINARY = np.random.default_rng(0).bytes(200_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small dataset-like folder: two LFS files, one regular file."""
    (tmp_path / "local/videos/side").mkdir(parents=True)
    (tmp_path / "local/videos/side/file-000.mp4").write_bytes(BINARY)
    (tmp_path / "local/data.parquet").write_bytes(BINARY[:1000])
    (tmp_path / "local/info.json").write_text('{"fps": 30}')
    return tmp_path / "local"


def _push(api: HfApi, folder: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", exist_ok=True)
    api.upload_folder(repo_id=REPO, folder_path=folder, repo_type="dataset")


def test_a_folder_comes_back_as_it_was(api: HfApi, hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    _push(api, folder)
    assert len(hub.dataset(REPO).commits) == 2, "a folder is one commit"
    copy = Path(api.snapshot_download(REPO, repo_type="dataset", cache_dir=tmp_path / "cache"))
    for path in ("videos/side/file-000.mp4", "data.parquet", "info.json"):
        assert (copy / path).read_bytes() == (folder / path).read_bytes()
    sent = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(hub.dataset(REPO).head.files) == sent | {".gitattributes"}


def test_only_what_changed_is_sent_and_fetched_again(
    api: HfApi, hub: LocalHub, folder: Path, tmp_path: Path
) -> None:
    _push(api, folder)
    api.snapshot_download(REPO, repo_type="dataset", cache_dir=tmp_path / "cache")
    (folder / "info.json").write_text('{"fps": 15}')
    hub.requests.clear()
    _push(api, folder)
    copy = api.snapshot_download(REPO, repo_type="dataset", cache_dir=tmp_path / "cache")
    assert Path(copy, "info.json").read_text() == '{"fps": 15}'
    assert not [request for request in hub.requests if request.method == "PUT"]
    fetched = [
        request.path for request in hub.requests if request.method == "GET" and "/resolve/" in request.path
    ]
    assert [path.rpartition("/")[2] for path in fetched] == ["info.json"]


def test_pushing_the_same_again_makes_no_commit(api: HfApi, hub: LocalHub, folder: Path) -> None:
    _push(api, folder)
    head = hub.dataset(REPO).head
    _push(api, folder)
    assert hub.dataset(REPO).head == head


def test_the_tree_is_listed_flat_and_deep(api: HfApi, folder: Path) -> None:
    _push(api, folder)
    flat = {entry.path: entry for entry in api.list_repo_tree(REPO, repo_type="dataset", expand=True)}
    assert set(flat) == {".gitattributes", "data.parquet", "info.json", "videos"}
    assert flat["data.parquet"].lfs.sha256 == hashlib.sha256(BINARY[:1000]).hexdigest()
    assert flat["info.json"].lfs is None
    assert flat["info.json"].last_commit.title == "Upload folder using huggingface_hub"
    below = [entry.path for entry in api.list_repo_tree(REPO, "videos", repo_type="dataset", recursive=True)]
    assert below == ["videos/side", "videos/side/file-000.mp4"]
    with pytest.raises(RemoteEntryNotFoundError):
        list(api.list_repo_tree(REPO, "no_such_folder", repo_type="dataset"))
    (info,) = api.get_paths_info(REPO, ["info.json", "missing"], repo_type="dataset")
    assert (info.path, info.size) == ("info.json", 11)


def test_a_missing_file_is_remembered_as_missing(
    api: HfApi, hub: LocalHub, folder: Path, tmp_path: Path
) -> None:
    _push(api, folder)
    with pytest.raises(RemoteEntryNotFoundError):
        api.hf_hub_download(REPO, "missing.json", repo_type="dataset", cache_dir=tmp_path / "cache")
    (marker,) = (tmp_path / "cache").rglob(".no_exist/*/missing.json")
    assert marker.parent.name == hub.dataset(REPO).head.oid


def test_ranges_and_etags(api: HfApi, hub: LocalHub, folder: Path) -> None:
    _push(api, folder)
    url = f"{hub.endpoint}/datasets/{REPO}/resolve/main/videos/side/file-000.mp4"
    head = httpx.head(url)
    assert head.headers["ETag"] == head.headers["X-Linked-Etag"] == f'"{hashlib.sha256(BINARY).hexdigest()}"'
    assert int(head.headers["Content-Length"]) == len(BINARY)
    for header, expected in {
        "bytes=5-9": BINARY[5:10],
        "bytes=199990-": BINARY[199990:],
        "bytes=-7": BINARY[-7:],
    }.items():
        part = httpx.get(url, headers={"Range": header})
        assert (part.status_code, part.content) == (206, expected)
    assert httpx.get(url, headers={"Range": "bytes=200000-"}).status_code == 416
    git_oid = hashlib.sha1(b'blob 11\0{"fps": 30}').hexdigest()
    assert (
        httpx.head(f"{hub.endpoint}/datasets/{REPO}/resolve/main/info.json").headers["ETag"] == f'"{git_oid}"'
    )


def test_files_and_folders_are_deleted(api: HfApi, hub: LocalHub, folder: Path) -> None:
    _push(api, folder)
    before = hub.dataset(REPO).head.oid
    api.delete_file("info.json", REPO, repo_type="dataset")
    api.delete_folder("videos", REPO, repo_type="dataset")
    assert set(hub.dataset(REPO).head.files) == {".gitattributes", "data.parquet"}
    assert hub.read(hub.dataset(REPO), "info.json", before[:10]) == b'{"fps": 30}', "the past stays"


def test_a_commit_on_an_outdated_parent_is_refused(api: HfApi, hub: LocalHub, folder: Path) -> None:
    _push(api, folder)
    old = hub.dataset(REPO).head.parent
    with pytest.raises(HfHubHTTPError, match="commit has happened since"):
        api.upload_file(
            path_or_fileobj=b"1", path_in_repo="a.txt", repo_id=REPO, repo_type="dataset", parent_commit=old
        )
    assert "a.txt" not in hub.dataset(REPO).head.files


@pytest.mark.parametrize(
    ("front_matter", "error"),
    [
        ("license: apache-2.0", None),
        ("tags: robotics", "list of strings"),
        ("- a", "mapping"),
        ("a: [", "not YAML"),
    ],
)
def test_front_matter_is_validated(hub: LocalHub, front_matter: str, error: str | None) -> None:
    response = httpx.post(
        f"{hub.endpoint}/api/validate-yaml",
        json={"content": f"---\n{front_matter}\n---\ntext", "repoType": "model"},
    )
    assert response.status_code == (200 if error is None else 400)
    if error is not None:
        assert error in response.json()["errors"][0]["message"]


def test_the_clients_own_validator_reaches_the_local_hub(api: HfApi, hub: LocalHub) -> None:
    ModelCard("---\nlicense: apache-2.0\n---\ntext").validate()
    assert hub.requests[-1].path == "/api/validate-yaml"
    assert not hub.refused_hosts


def test_no_other_host_is_reached(api: HfApi, hub: LocalHub) -> None:
    with pytest.raises(httpx.ProxyError, match="403"):
        httpx.get("https://example.org/")
    assert hub.refused_hosts == ["example.org:443"]


def test_the_token_is_not_sent_with_the_content(api: HfApi, hub: LocalHub, folder: Path) -> None:
    """On the Hub that address is another company's storage."""
    _push(api, folder)
    assert {request.has_token for request in hub.requests if request.method == "PUT"} == {False}
    assert not [request for request in hub.requests if OWNER_TOKEN in request.path]
