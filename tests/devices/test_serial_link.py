import logging
from pathlib import Path

import pytest

from softgrasp_plugin.devices import serial_link
from softgrasp_plugin.devices.errors import DeviceLostError
from softgrasp_plugin.devices.serial_link import SerialLink, latency_timer_ms, warn_about_latency
from softgrasp_plugin.emulators.wire import Faults, SerialLine


@pytest.fixture
def adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    timer = tmp_path / "ttyUSB0" / "latency_timer"
    timer.parent.mkdir()
    monkeypatch.setattr(serial_link, "_USB_SERIAL", tmp_path)
    return timer


def test_a_slow_adapter_is_named_with_the_remedy(adapter: Path, caplog: pytest.LogCaptureFixture) -> None:
    adapter.write_text("16\n")
    assert latency_timer_ms("/dev/ttyUSB0") == 16
    with caplog.at_level(logging.WARNING):
        warn_about_latency("/dev/ttyUSB0", "my hand")
    assert (
        f"my hand: the USB adapter holds bytes back for 16 ms. Run: echo 1 | sudo tee {adapter}"
        in caplog.text
    )


def test_a_fast_adapter_is_fine(adapter: Path, caplog: pytest.LogCaptureFixture) -> None:
    adapter.write_text("1\n")
    warn_about_latency("/dev/ttyUSB0", "my hand")
    assert latency_timer_ms("/dev/ttyACM0") is None
    assert not caplog.records


def test_what_is_written_comes_back() -> None:
    line = SerialLine(lambda data: [data.upper()], Faults())
    link = SerialLink(line.port, 115_200, "echo")
    link.open()
    link.write(b"abc")
    received = b""
    while len(received) < 3:
        received += link.read()
    assert received == b"ABC"
    link.close()
    assert not link.is_open
    line.close()


def test_a_closed_link_is_lost() -> None:
    with pytest.raises(DeviceLostError, match="my hand: the serial port failed"):
        SerialLink("/dev/ttyUSB0", 115_200, "my hand").write(b"x")
