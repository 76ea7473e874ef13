"""A serial port that names its device when it fails, and the adapter setting that decides its speed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import serial

from .errors import DeviceLostError

_PORT_ERRORS: tuple[type[Exception], ...] = (serial.SerialException, OSError)
with suppress(ImportError):  # Windows has none
    import termios

    _PORT_ERRORS += (termios.error,)

logger = logging.getLogger(__name__)

RECOMMENDED_LATENCY_MS = 1
_USB_SERIAL = Path("/sys/bus/usb-serial/devices")
_READ_SLICE_S = 0.005


@contextmanager
def port_failures(device: str) -> Iterator[None]:
    """Turn whatever a serial port raises into a `DeviceLostError` that names the device."""
    try:
        yield
    except _PORT_ERRORS as error:
        raise DeviceLostError(
            device,
            f"the serial port failed ({error}).",
            "Check cable and power, that no other program uses the port, and its name with "
            "`lerobot-find-port`; then connect again.",
        ) from error


class SerialLink:
    """A port held exclusively: 8 data bits, no parity, 1 stop bit.

    Args:
        port: path of the serial port.
        baudrate: bits per second.
        device: name of the device for messages.

    Every method raises `DeviceLostError` if the port fails.
    """

    def __init__(self, port: str, baudrate: int, device: str) -> None:
        self._port = port
        self._baudrate = baudrate
        self._device = device
        self._serial: serial.Serial | None = None

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    def open(self) -> None:
        with port_failures(self._device):
            self._serial = serial.Serial(self._port, self._baudrate, timeout=_READ_SLICE_S, exclusive=True)
        warn_about_latency(self._port, self._device)

    def close(self) -> None:
        if self._serial is not None:
            self._serial.close()
            self._serial = None

    def write(self, data: bytes) -> None:
        """Drop what arrived unasked, then send."""
        with port_failures(self._device):
            self._opened.reset_input_buffer()
            self._opened.write(data)

    def read(self) -> bytes:
        """What has arrived, or arrives within 5 ms."""
        with port_failures(self._device):
            return bytes(self._opened.read(max(1, self._opened.in_waiting)))

    @property
    def _opened(self) -> serial.Serial:
        if self._serial is None:
            raise serial.PortNotOpenError
        return self._serial


def latency_timer_ms(port: str) -> int | None:
    """How long the port's USB adapter holds bytes back, in milliseconds; None where it has no such timer.

    FTDI adapters do so for 16 ms by default, which limits a request-reply protocol to some 60 exchanges a
    second.
    """
    timer = _latency_timer(port)
    return int(timer.read_text()) if timer.exists() else None


def latency_remedy(port: str) -> str:
    """The command that sets the latency timer."""
    return f"echo {RECOMMENDED_LATENCY_MS} | sudo tee {_latency_timer(port)}"


def warn_about_latency(port: str, device: str) -> None:
    """Log a warning if the adapter's latency timer slows the device down."""
    latency = latency_timer_ms(port)
    if latency is not None and latency > RECOMMENDED_LATENCY_MS:
        logger.warning(
            "%s: the USB adapter holds bytes back for %d ms. Run: %s", device, latency, latency_remedy(port)
        )


def _latency_timer(port: str) -> Path:
    return _USB_SERIAL / Path(port).resolve().name / "latency_timer"
