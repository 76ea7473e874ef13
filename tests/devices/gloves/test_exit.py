"""However a process ends, the glove does not pull: read in the motors' registers after its death."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from softgrasp_plugin.devices.gloves import exit_guard

from .conftest import GloveBus

pytestmark = pytest.mark.slow


class Wearer:
    """The process of `wear_glove.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.devices.gloves.wear_glove"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.line() == "ready"

    def wear(self, glove_bus: GloveBus, ending: str) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{glove_bus.bus.port} {ending}\n")
        self._process.stdin.flush()
        word, pid = self.line().split()
        assert word == "feels"
        return int(pid)

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def wearer() -> Iterator[Wearer]:
    wearer = Wearer()
    yield wearer
    wearer.close()


def assert_free(glove_bus: GloveBus) -> None:
    assert glove_bus.index.get(102, 2) == 0
    assert glove_bus.index.get(64, 1) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_in_contact(glove_bus, wearer, number) -> None:
    pid = wearer.wear(glove_bus, "wait")
    assert glove_bus.currents[0] > 0
    os.kill(pid, number)
    assert wearer.line() == "finally"  # so that LeRobot closes its datasets
    assert wearer.line() == ("ended -2" if number == signal.SIGINT else f"ended {128 + number}")
    assert_free(glove_bus)


@pytest.mark.parametrize(("ending", "status"), [("raise", 1), ("return", 0)])
def test_exception_and_end_of_program_in_contact(glove_bus, wearer, ending, status) -> None:
    wearer.wear(glove_bus, ending)
    assert wearer.line() == "finally"
    assert wearer.line() == f"ended {status}"
    assert_free(glove_bus)


class Device:
    muted = stopped = 0

    def mute(self, timeout_s: float) -> bool:
        self.muted += 1
        return True

    def stop(self) -> None:
        self.stopped += 1


def test_a_handler_that_was_there_before_still_runs_and_comes_back() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        mine = signal.getsignal(signal.SIGTERM)
        device = Device()
        exit_guard.guard(device)
        signal.raise_signal(signal.SIGTERM)
        assert (device.muted, heard) == (1, [signal.SIGTERM])
        exit_guard.unguard(device)
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
