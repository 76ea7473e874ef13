"""`softgrasp-resize --push_to_hub=true`: the copy is on the Hub, whole and under its own name."""

from pathlib import Path

from huggingface_hub import HfApi

from softgrasp_plugin.scripts.resize import ResizeConfig, make_copy

from ..policies.synthetic import REPO_ID, make_dataset


def test_a_copy_is_uploaded(signed_in: HfApi, tmp_path: Path) -> None:
    root = make_dataset(tmp_path / "dataset", episodes=1, frames=12, height=24, width=32, video=True)
    config = ResizeConfig(
        repo_id=REPO_ID,
        new_repo_id="maker/small",
        image_size=(12, 16),
        root=root,
        new_root=tmp_path / "copy",
        push_to_hub=True,
    )
    make_copy(config)
    files = signed_in.list_repo_files("maker/small", repo_type="dataset")
    assert {"README.md", "meta/info.json", "meta/softgrasp_resize.json"} <= set(files)
    assert not [name for name in files if name.startswith(("videos/", "images/"))]
