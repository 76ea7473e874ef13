"""`softgrasp-import` to a private repository, and training that streams from it."""

from pathlib import Path

import pytest
from lerobot.datasets import CODEBASE_VERSION

from softgrasp_plugin.scripts.import_recordings import ImportConfig, import_recordings

from ..datasets.synthetic import write_recording
from .clients import Machine, train_arguments
from .conftest import OWNER_TOKEN
from .server import LocalHub

DATASET = "maker/real"


@pytest.mark.slow
def test_imported_recordings_are_private_tagged_and_streamed(hub: LocalHub, tmp_path: Path) -> None:
    owner = Machine(hub, tmp_path / "owner", OWNER_TOKEN)
    write_recording(tmp_path / "recordings", "apple")
    # As images: LeRobot streams videos only where torchcodec finds FFmpeg.
    what = (f"--recordings={tmp_path / 'recordings'}", f"--repo_id={DATASET}", "--video=false")
    owner.run("softgrasp-import", *what, "--push_to_hub=true", "--private=true")
    repository = hub.dataset(DATASET)
    assert repository.private
    assert repository.tags == {CODEBASE_VERSION: repository.head.oid}

    # One worker at least: LeRobot streams one shard per worker.
    workers = ("--num_workers=1", "--dataloader_multiprocessing_context=fork")
    streamed = (*train_arguments(DATASET, tmp_path / "run"), "--dataset.streaming=true", *workers)
    Machine(hub, tmp_path / "reader", OWNER_TOKEN).run("lerobot-train", *streamed)
    assert (tmp_path / "run/checkpoints/last/pretrained_model/model.safetensors").is_file()


@pytest.mark.usefixtures("signed_in")
def test_importing_uploads_nothing_unless_asked(hub: LocalHub, tmp_path: Path) -> None:
    write_recording(tmp_path / "recordings", "apple")
    import_recordings(ImportConfig(tmp_path / "recordings", DATASET, tmp_path / "root", video=False))
    assert (tmp_path / "root/meta/info.json").is_file()
    assert not hub.requests
    assert not hub.refused_hosts
