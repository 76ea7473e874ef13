"""Settings of the whole test suite."""

import signal
from functools import cache
from pathlib import Path

import pytest
from draccus.wrappers import docstring
from hypothesis import settings

import lerobot_robot_softgrasp  # noqa: F401  registers everything, as LeRobot's commands do

# How long an example takes depends on what else the machine is doing; what it does is what is tested.
settings.register_profile("softgrasp", deadline=None)
settings.load_profile("softgrasp")

# For the texts of `--help` draccus reads the sources of every policy whenever it parses: 0.4 of its 0.5 s.
docstring.get_attribute_docstring = cache(docstring.get_attribute_docstring)

# What a shell or nohup starts in the background is deaf to these, and commands under test would inherit it.
for _number, _handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if hasattr(signal, _number) and signal.getsignal(getattr(signal, _number)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _number), _handler)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Caches and outputs of all commands of the session."""
    return tmp_path_factory.mktemp("home")
