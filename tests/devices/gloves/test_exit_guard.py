"""A signal in the moment of saving waits for the save; at any other time it takes effect at once."""

import signal
from collections.abc import Iterator

import pytest

from softgrasp_plugin.devices.gloves import exit_guard


class Device:
    """Counts how often it was released."""

    muted = 0

    def mute(self, timeout_s: float) -> bool:
        self.muted += 1
        return True

    def stop(self) -> None:
        pass


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    exit_guard.guard(device)
    yield device
    exit_guard.unguard(device)


def saving(number: int) -> str:
    """Send a signal from a function that the guard takes for LeRobot's own."""
    namespace = {"__name__": "lerobot.datasets.dataset_writer", "signal": signal, "number": number}
    exec("def save_episode():\n    signal.raise_signal(number)\n    return 'whole'", namespace)
    return namespace["save_episode"]()  # type: ignore[operator, no-any-return]


def test_a_save_is_finished_and_the_glove_released_at_once(device: Device) -> None:
    assert saving(signal.SIGINT) == "whole"
    assert device.muted == 1
    with pytest.raises(KeyboardInterrupt):
        exit_guard.deliver_postponed()
    exit_guard.deliver_postponed()  # once


def test_outside_a_save_a_signal_takes_effect_at_once(device: Device) -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    assert device.muted == 2
