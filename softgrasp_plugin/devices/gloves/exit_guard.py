"""No process ends with a glove that pulls: signals and the interpreter's exit release every running glove
first.

LeRobot's commands disconnect their devices in a `finally`, but not before they have encoded a video, and not
at all under SIGTERM, which ends Python without running any `finally`. Here SIGINT, SIGTERM and SIGHUP first
silence the gloves and are then passed on to whoever handled them before; where that was nobody they end the
process as `SystemExit`, so that datasets are closed properly too.

A signal that falls into the moment of saving an episode is kept until the robot is asked for its next
observation (`deliver_postponed`): a save that is cut off takes the dataset's own tables with it. The gloves
are released at once all the same.
"""

import atexit
import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

logger = logging.getLogger(__name__)

# A terminal that closes sends SIGHUP where there is one; Windows has none.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_RELEASE_TIMEOUT_S = 0.5

_DATASET_MODULES = ("lerobot.datasets.", f"{__package__.partition('.')[0]}.datasets.")
_SAVING = frozenset({"save_episode", "finalize", "end_episode_files"})
"""Functions of the modules above that write an episode or the tables of a dataset."""


class Guarded(Protocol):
    """Something that must not outlive the process with force on."""

    def mute(self, timeout_s: float) -> bool: ...

    def stop(self) -> None: ...


_running: list[Guarded] = []
_postponed: list[int] = []
_previous: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {}


def guard(device: Guarded) -> None:
    """Release `device` on every way out of this process."""
    if not _running:
        atexit.register(_at_exit)
        _install_handlers()
    _running.append(device)


def unguard(device: Guarded) -> None:
    """`device` has been released; the last one to leave restores the signal handlers."""
    if device not in _running:
        return
    _running.remove(device)
    if not _running:
        atexit.unregister(_at_exit)
        _restore_handlers()


def _install_handlers() -> None:
    if threading.current_thread() is not threading.main_thread():
        logger.warning(
            "The glove was connected outside the main thread: only the interpreter's exit is guarded, "
            "signals are not."
        )
        return
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            _previous[number] = signal.signal(number, _on_signal)


def _restore_handlers() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number, handler in _previous.items():
        # Whoever installed a handler after us keeps it.
        if signal.getsignal(number) is _on_signal and handler is not None:
            signal.signal(number, handler)
    _previous.clear()
    _postponed.clear()  # the command has ended by itself


def _on_signal(number: int, frame: FrameType | None) -> None:
    for device in list(_running):
        if not device.mute(_RELEASE_TIMEOUT_S):
            logger.error(
                "The glove could not be released within %.1f s of a signal; take its power away.",
                _RELEASE_TIMEOUT_S,
            )
    if _is_saving(frame):
        logger.warning("An episode is being saved; the command ends when that is done.")
        _postponed[:] = [number]
        return
    handler = _previous.get(signal.Signals(number))
    if callable(handler):
        handler(number, frame)
    else:
        raise SystemExit(128 + number)


def deliver_postponed() -> None:
    """Let a signal that was kept back take effect now, when nothing is being saved."""
    if _postponed:
        signal.raise_signal(_postponed.pop())


def _is_saving(frame: FrameType | None) -> bool:
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(_DATASET_MODULES) and frame.f_code.co_name in _SAVING:
            return True
        frame = frame.f_back
    return False


def _at_exit() -> None:
    for device in list(_running):
        device.stop()
