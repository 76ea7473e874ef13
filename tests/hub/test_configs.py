"""The files in hub_configs/ upload nothing by themselves, and say how they are used."""

from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "hub_configs"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml"))
# Parts of a configuration that LeRobot uploads by default.
UPLOADED_BY_DEFAULT = {"record": "dataset", "train": "policy", "rollout": "dataset"}


def _load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_uploaded_unless_asked(name: str) -> None:
    config = _load(name)
    part = UPLOADED_BY_DEFAULT.get(name.partition("/")[0])
    if part in config:
        assert config[part]["push_to_hub"] is False
    uploading = [key for key, value in config.items() if isinstance(value, dict) and value.get("push_to_hub")]
    assert not uploading
    assert not config.get("save_checkpoint_to_hub", False)


@pytest.mark.parametrize("name", FILES)
def test_the_head_says_how_to_run_it(name: str) -> None:
    head = (FOLDER / name).read_text(encoding="utf-8").partition("\n\n")[0]
    comment = "\n".join(line for line in head.splitlines() if line.startswith("#"))
    assert f"--config_path=hub_configs/{name}" in comment or "make demo" in comment


def test_the_table_lists_every_file() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in FILES if f"`{name}`" not in table] == []
