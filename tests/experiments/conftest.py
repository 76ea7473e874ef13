"""One small set of demonstrations for all tests of this folder."""

import logging
from pathlib import Path

import pytest
from accelerate.state import AcceleratorState

from softgrasp_plugin.experiments.demonstrations import demonstrate
from softgrasp_plugin.experiments.plan import DemonstrationConfig

REPO_ID = "softgrasp/test_demonstrations"
SMALL = DemonstrationConfig(objects=("object_01", "object_04"), per_object=1, seed=3, height=48, width=64)


@pytest.fixture(scope="session")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a dataset with one demonstration of each of two objects."""
    root = tmp_path_factory.mktemp("demonstrations") / "dataset"
    assert list(demonstrate(SMALL, REPO_ID, root)) == [1, 2]
    return root


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training is a process of its own: Accelerate keeps the precision, LeRobot sets up logging."""
    AcceleratorState._reset_state(True)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
