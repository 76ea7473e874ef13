"""Keep the loops that move a hand, a glove or an arm on time, beside whatever else the computer does.

Measured on two cores at a load of 8: at ordinary priority a wire that is used every 10 ms was left alone for
up to 0.3 s and three recordings of four ended with a silent device; at real-time priority it was 0.05 s, and
none ended.
"""

import contextlib
import gc
import os
import sys
import threading

PRIORITY = 1
"""Of the kernel's 1…99: ahead of every ordinary program, behind whatever an administrator has set higher."""

SWITCH_INTERVAL_S = 0.0005

_prepared = threading.Event()


def prefer_this_thread(*, inherited: bool = False) -> bool:
    """Let the calling thread run as soon as it has something to do, before ordinary programs.

    Linux grants it to root and to whom /etc/security/limits.conf gives `rtprio`.

    Args:
        inherited: whether it holds for the threads and processes that this one starts from now on, too.

    Returns:
        Whether it was granted; without it the thread competes with everything else.
    """
    if not sys.platform.startswith("linux"):
        return False
    policy = os.SCHED_RR if inherited else os.SCHED_RR | os.SCHED_RESET_ON_FORK
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
        return True
    return False


def shorten_pauses() -> None:
    """Set Python up for threads that must not wait long for each other; once per process.

    A thread that computes in Python hands over within 0.5 ms instead of 5 ms: a tick of the glove needs
    Python's lock several times, and beside a loop that computes three quarters of the time the glove ran at
    75 Hz instead of 160 (benchmarks/feel_latency.py). And what exists by now is taken out of the garbage
    collector's work: a full collection in a process that has imported PyTorch and LeRobot stops every thread
    for 0.2 s and more, longer than a hand or a glove may be silent.
    """
    if _prepared.is_set():
        return
    _prepared.set()
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
    gc.collect()
    gc.freeze()
