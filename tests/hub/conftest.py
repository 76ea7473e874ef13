"""A local Hub for every test, and huggingface_hub's own client pointed at it."""

import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import HfApi, constants

from .server import LocalHub

OWNER, STRANGER = "maker", "stranger"
OWNER_TOKEN, STRANGER_TOKEN = "hf_theSecretOfTheMaker", "hf_theSecretOfTheStranger"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[LocalHub]:
    with LocalHub(tmp_path / "hub", {OWNER_TOKEN: OWNER, STRANGER_TOKEN: STRANGER}) as running:
        yield running


@pytest.fixture
def api(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[HfApi]:
    """The owner's client in this process, where the environment comes too late for most settings."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name, value in hub.proxy_variables().items():
        monkeypatch.setenv(name, value)
    huggingface_hub.close_session()  # the next one reads the proxy from the environment
    yield HfApi(endpoint=hub.endpoint, token=OWNER_TOKEN)
    huggingface_hub.close_session()


@pytest.fixture
def signed_in(api: HfApi, hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """As `api`, and for clients that are made without an address or a token as well."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", OWNER_TOKEN)
    return api


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's pauses between its attempts, left out."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
