"""Settings of the whole test suite."""

from pathlib import Path

import pytest
from hypothesis import settings

import lerobot_robot_softgrasp  # noqa: F401  registers everything, as LeRobot's commands do

# How long an example takes depends on what else the machine is doing; what it does is what is tested.
settings.register_profile("softgrasp", deadline=None)
settings.load_profile("softgrasp")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches and outputs of all commands of the session."""
    return tmp_path_factory.mktemp("home")
