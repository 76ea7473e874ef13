"""Emulated serial lines, and how they can go wrong."""

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from ..devices.realtime import prefer_this_thread

try:
    import pty
    import tty
except ImportError as error:
    raise ImportError(
        "Emulated serial lines are pseudo terminals, which only Linux and macOS have."
    ) from error

_IDLE_S = 0.010


@dataclass
class Faults:
    """What the next replies suffer; every count is used up by the replies it spoils.

    Attributes:
        silent: answer nothing at all, until set back.
        deaf: hear nothing either, so that nothing sent takes effect, until set back.
        drop: how many replies get lost.
        corrupt: how many replies arrive with their last byte (part of the checksum) inverted.
        wrong_id: how many replies carry another device's id.
        late: how many replies come late, by `late_s`; later replies wait behind them, as on a real line.
        late_s: seconds.
        garbage: bytes sent before each reply.
        split_s: pause between two halves of each reply, in seconds; 0 sends it whole.
    """

    silent: bool = False
    deaf: bool = False
    drop: int = 0
    corrupt: int = 0
    wrong_id: int = 0
    late: int = 0
    late_s: float = 0.0
    garbage: bytes = b""
    split_s: float = 0.0

    def take(self, name: str) -> bool:
        """Whether the fault of that name strikes now; one fewer is left."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def deliver(self, reply: bytes, send: Callable[[bytes], None]) -> None:
        """Send a reply, or what the faults leave of it."""
        if not reply or self.silent or self.take("drop"):
            return
        if self.take("late"):
            time.sleep(self.late_s)
        if self.take("corrupt"):
            reply = reply[:-1] + bytes([reply[-1] ^ 0xFF])
        reply = self.garbage + reply
        if self.split_s > 0.0:
            half = len(reply) // 2
            send(reply[:half])
            time.sleep(self.split_s)
            reply = reply[half:]
        send(reply)


class SerialLine:
    """A pseudo-terminal whose far end answers; a driver opens `port` as it would open a USB adapter.

    Args:
        answer: called with each chunk of bytes received; returns the replies it completes. Runs in the line's
            thread.
        faults: how the line misbehaves; shared with whoever injects them.
        idle: called by the same thread whenever nothing has come for 10 ms; what it returns is sent unasked.
    """

    def __init__(
        self,
        answer: Callable[[bytes], list[bytes]],
        faults: Faults,
        idle: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self._answer = answer
        self._idle = idle
        self.faults = faults
        self._master, self._slave = pty.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        self.port: str = os.ttyname(self._slave)
        self._wake_r, self._wake_w = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"emulator {self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unplug: the port disappears for whoever has it open."""
        if self._thread.is_alive():
            os.write(self._wake_w, b"x")
            self._thread.join()

    def _run(self) -> None:
        # A real device does not compete for this computer's processor.
        prefer_this_thread()
        try:
            while True:
                ready, _, _ = select.select([self._master, self._wake_r], [], [], _IDLE_S)
                if self._wake_r in ready:
                    return
                if not ready:
                    self.faults.deliver(self._idle() or b"", self._offer)
                    continue
                data = os.read(self._master, 4096)
                for reply in [] if self.faults.deaf else self._answer(data):
                    self.faults.deliver(reply, self._send)
        finally:
            for descriptor in (self._master, self._slave, self._wake_r, self._wake_w):
                os.close(descriptor)

    def _send(self, data: bytes) -> None:
        os.write(self._master, data)

    def _offer(self, data: bytes) -> None:
        """Send what nobody may be waiting for: what finds no room is lost, as in a real adapter."""
        os.set_blocking(self._master, False)
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)
        os.set_blocking(self._master, True)


class SerialEmulator:
    """A device at the far end of an emulated serial line; a context manager.

    Args:
        answer: as for `SerialLine`.
        faults: how the line misbehaves; None for not at all.
        idle: as for `SerialLine`.

    Attributes:
        faults: may be changed while the line is in use.
        port: what a driver opens.
    """

    def __init__(
        self,
        answer: Callable[[bytes], list[bytes]],
        faults: Faults | None,
        idle: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self.faults = faults if faults is not None else Faults()
        self._line = SerialLine(answer, self.faults, idle)
        self.port = self._line.port

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unplug the adapter."""
        self._line.close()
