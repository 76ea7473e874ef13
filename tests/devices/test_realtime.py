import gc
import os
import subprocess
import sys
import threading

import pytest

from softgrasp_plugin.devices import realtime

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="scheduling is asked of Linux")


def in_a_thread(function) -> list:
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results


def policy() -> int:
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK


def test_a_thread_is_preferred_where_the_system_grants_it_and_what_it_starts_is_not() -> None:
    def ask() -> tuple[bool, int, int]:
        granted = realtime.prefer_this_thread()
        (child,) = in_a_thread(policy)
        return granted, policy(), child

    before = policy()  # SVT-AV1 sets the thread that encodes a video to SCHED_FIFO, if it may
    (result,) = in_a_thread(ask)
    granted, mine, childs = result
    assert mine == (os.SCHED_RR if granted else before)
    assert childs == (os.SCHED_OTHER if granted else before)
    assert policy() == before, "the thread that started it is not touched"


def test_a_process_can_be_preferred_with_all_its_threads() -> None:
    def ask() -> tuple[bool, int]:
        granted = realtime.prefer_this_thread(inherited=True)
        (child,) = in_a_thread(policy)
        return granted, child

    before = policy()
    (result,) = in_a_thread(ask)
    granted, childs = result
    assert childs == (os.SCHED_RR if granted else before)


def test_a_refusal_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert not realtime.prefer_this_thread()


def test_threads_hand_over_quickly_and_what_is_there_is_spared_by_the_collector() -> None:
    code = (
        "import gc, sys, lerobot_robot_softgrasp\n"
        "from softgrasp_plugin.devices import realtime\n"
        "realtime.shorten_pauses()\n"
        "assert sys.getswitchinterval() <= 0.0005\n"
        "frozen = gc.get_freeze_count()\n"
        "assert frozen > 10_000, frozen\n"
        "later = [[] for _ in range(1000)]\n"
        "realtime.shorten_pauses()\n"
        "assert gc.get_freeze_count() <= frozen, 'once is enough'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert gc.isenabled()
