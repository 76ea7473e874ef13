import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from softgrasp_plugin.devices.errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceSilentError
from softgrasp_plugin.devices.polling import Poller


class Source:
    """Counts; raises or blocks when told to."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> int:
        self.gate.wait()
        if self.error is not None:
            raise self.error
        self.count += 1
        return self.count


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5.0
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def poller(source: Source) -> Iterator[Poller[int]]:
    poller = Poller("test device", source, 500.0)
    yield poller
    source.gate.set()
    poller.stop()


def test_the_newest_sample_is_handed_out(poller: Poller[int], source: Source) -> None:
    poller.start()
    first = poller.latest()
    eventually(lambda: poller.latest() > first + 3)
    assert poller.rate_hz > 0.0
    assert poller.age_s < 1.0


def test_nobody_polls_after_stop(poller: Poller[int], source: Source) -> None:
    poller.start()
    poller.stop()
    count = source.count
    time.sleep(0.02)
    assert source.count == count
    assert not poller.is_running
    with pytest.raises(DeviceSilentError, match="test device: it is not being read"):
        poller.latest()


def test_it_can_be_started_again(poller: Poller[int], source: Source) -> None:
    poller.start()
    poller.stop()
    poller.start()
    assert poller.latest() > 0


def test_a_passing_error_passes(poller: Poller[int], source: Source) -> None:
    poller.start()
    source.error = DeviceSilentError("test device", "no reply.", "Wait.")
    with pytest.raises(DeviceSilentError, match=r"silent for \d+ ms.*no reply.*Check power and cable"):  # noqa: PT012
        while True:
            poller.latest()
            time.sleep(0.002)
    assert poller.is_running
    source.error = None
    count = source.count
    eventually(lambda: source.count > count)
    assert poller.latest() > count


@pytest.mark.parametrize("kind", [DeviceLostError, DeviceFaultError])
def test_a_final_error_ends_it_and_is_reported(
    poller: Poller[int], source: Source, kind: type[DeviceLostError] | type[DeviceFaultError]
) -> None:
    poller.start()
    source.error = kind("test device", "it is gone.", "Plug it in.")
    eventually(lambda: not poller.is_running)
    for _ in range(2):
        with pytest.raises(kind, match=r"test device: it is gone\. Plug it in\."):
            poller.latest()


def test_a_bug_in_the_driver_is_reported_too(poller: Poller[int], source: Source) -> None:
    poller.start()
    source.error = ZeroDivisionError("a bug")
    eventually(lambda: not poller.is_running)
    with pytest.raises(
        DeviceSilentError, match=r"ended with ZeroDivisionError: a bug.*fault of the program"
    ) as caught:
        poller.latest()
    assert "cable" not in str(caught.value)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_hanging_device_is_stale_not_fresh(source: Source) -> None:
    poller = Poller("test device", source, 500.0, stale_after_s=0.03)
    poller.start()
    source.gate.clear()
    with pytest.raises(DeviceSilentError, match=r"test device: it has been silent for \d+ ms"):  # noqa: PT012
        while True:
            poller.latest()
            time.sleep(0.002)
    source.gate.set()
    poller.stop()


def test_a_sample_is_as_old_as_the_question(source: Source) -> None:
    now = [100.0]

    def slow_poll() -> int:
        now[0] += 0.05
        return 1

    poller = Poller("test device", slow_poll, 1000.0, stale_after_s=1e9, clock=lambda: now[0])
    poller.start()
    assert poller.age_s >= 0.049
    poller.stop()


def test_start_fails_if_nothing_comes(poller: Poller[int], source: Source) -> None:
    source.error = ConnectionError("nothing there")
    with pytest.raises(DeviceSilentError, match=r"has not answered yet \(nothing there\)"):
        poller.start(first_sample_timeout_s=0.05)
    assert not poller.is_running


def test_rates_must_be_positive(source: Source) -> None:
    with pytest.raises(ValueError, match="test device: rate_hz"):
        Poller("test device", source, 0.0)


def test_it_ends_with_the_main_thread(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Thread(target=lambda: None)
    poller = Poller("test device", source, 500.0)
    monkeypatch.setattr(threading, "main_thread", lambda: ended)
    ended_count = source.count
    with pytest.raises(DeviceSilentError):
        poller.start(first_sample_timeout_s=0.05)
    assert source.count == ended_count
    assert not poller.is_running


def test_the_last_error_has_cause_count_and_the_fitting_remedy(source: Source) -> None:
    poller = Poller("test device", source, 500.0, stale_after_s=0.03)
    poller.start()
    source.error = DeviceError("test device", "it postponed register 1546 (device busy).", "Wait for it.")
    deadline = time.monotonic() + 5.0
    while True:
        assert time.monotonic() < deadline
        try:
            poller.latest()
        except DeviceSilentError as error:
            message = str(error)
            break
    assert re.search(r"silent for \d+ ms \(it postponed register 1546 \(device busy\)\)", message)
    assert re.search(r"after [1-9]\d* failed readings? in a row\. Wait for it\.$", message)
    assert "cable" not in message, "the driver knows that it is none"
    poller.stop()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e308, -1.0, True, "60"])
def test_rates_and_patience_are_numbers_in_reason(source: Source, bad: float) -> None:
    with pytest.raises(ValueError, match="test device: rate_hz"):
        Poller("test device", source, bad)
    with pytest.raises(ValueError, match="test device: stale_after_s"):
        Poller("test device", source, 100.0, stale_after_s=bad)


def test_it_gives_up_after_errors_without_a_sample_between(source: Source) -> None:
    now = [100.0]
    replies: list[int | None] = [1, None, None, 1, None, None, 1, *[None] * 9]

    def slow_poll() -> int:
        now[0] += 0.03
        reply = replies.pop(0)
        if reply is None:
            raise ConnectionError("a lost packet")
        return reply

    poller = Poller("test device", slow_poll, 1000.0, give_up_after_s=0.1, clock=lambda: now[0])
    poller.start()
    eventually(lambda: not poller.is_running)
    assert poller.failures == 4 + 5  # the last of them 0.12 s after the first of its row
    assert str(poller.error) == "a lost packet"
    with pytest.raises(DeviceSilentError, match=r"a lost packet.*after 5 failed readings in a row"):
        poller.latest()


@pytest.mark.parametrize(
    "error", [None, DeviceLostError("test device", "it is gone.", ""), ZeroDivisionError()]
)
def test_the_last_act_comes_last_however_it_ends(source: Source, error: Exception | None) -> None:
    acts: list[int] = []
    poller = Poller("test device", source, 500.0, last_act=lambda: acts.append(source.count))
    poller.start()
    assert acts == []
    if error is None:
        poller.stop()
    else:
        source.error = error
        eventually(lambda: not poller.is_running)
    assert acts == [source.count]
    assert poller.error is error


def test_the_last_act_is_over_when_a_start_has_failed(source: Source) -> None:
    acts: list[str] = []
    poller = Poller(
        "test device", source, 500.0, give_up_after_s=0.01, last_act=lambda: acts.append("release")
    )
    source.error = ConnectionError("nothing there")
    with pytest.raises(DeviceSilentError, match=r"has not answered yet \(nothing there\), after"):
        poller.start(first_sample_timeout_s=None)
    assert acts == ["release"]
