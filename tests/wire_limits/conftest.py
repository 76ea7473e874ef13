import ctypes
import logging
import random
import time
from collections.abc import Iterator

import pytest

from .meter import RUNNING


@pytest.fixture(autouse=True)
def no_thread_crashes(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No thread of a device dies by anything but a `DeviceError`."""
    with caplog.at_level(logging.ERROR):
        yield
        crashed = [record for record in caplog.records if record.exc_info is not None]
    assert not crashed, [record.getMessage() + f" {record.exc_info}" for record in crashed]


def stop_the_process(seconds: float) -> None:
    """Stand still as after SIGSTOP: no thread of this process runs, and time goes on."""
    # PyDLL keeps Python's lock during the call.
    RUNNING.stop(lambda: ctypes.PyDLL(None).usleep(int(seconds * 1e6)))


def rest(source: random.Random) -> None:
    """What passes between two actions: mostly a few milliseconds, now and then a stalled loop or process."""
    chance = source.random()
    if chance < 0.01:
        stop_the_process(source.uniform(0.05, 0.4))
    elif chance < 0.02:
        time.sleep(source.uniform(0.1, 0.4))
    else:
        time.sleep(source.uniform(0.0, 0.008))
