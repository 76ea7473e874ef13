"""How short of processor time this computer is, as the kernel measures it."""

import time
from pathlib import Path

BUSY = 0.5
"""Above this share of waiting, threads are left alone for longer than a device may be silent (measured)."""

_PRESSURE = Path("/proc/pressure/cpu")


class ProcessorPressure:
    """The share of time for which something that could run had to wait, since this object was made."""

    def __init__(self) -> None:
        self._start, self._waited = time.monotonic(), _waited_s()

    @property
    def is_busy(self) -> bool:
        """Whether real-time limits cannot be expected to hold; False where the kernel does not measure it."""
        return (_waited_s() - self._waited) / (time.monotonic() - self._start) > BUSY


def _waited_s() -> float:
    if not _PRESSURE.exists():
        return 0.0
    some = _PRESSURE.read_text().splitlines()[0]
    return 1e-6 * int(some.split("total=")[1])
