"""Both sides of a comparison by turns, so that whatever else the computer does meets both."""

import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

_COLUMNS = ("least", "median", "p99", "proc. least", "proc. median")
"""By the clock, then processor time of all threads."""


@dataclass
class Times:
    """Seconds of each repetition, by the clock and of the processor."""

    wall: list[float]
    processor: list[float]

    def row(self, name: str, per: int = 1) -> str:
        wall, processor = (1e3 * np.array(values) / per for values in (self.wall, self.processor))
        numbers = (
            wall.min(),
            np.median(wall),
            np.percentile(wall, 99),
            processor.min(),
            np.median(processor),
        )
        return f"{name:<42}" + "".join(f"{number:13.2f}" for number in numbers)


def by_turns(
    calls: dict[str, Callable[[], object]],
    repetitions: int,
    warm_up: int = 2,
    synchronize: Callable[[], object] = lambda: None,
) -> dict[str, Times]:
    """Time every call `repetitions` times, one after the other.

    Args:
        calls: what to time, by name.
        repetitions: how often.
        warm_up: further times before that count for nothing.
        synchronize: waits for the device.
    """
    times = {name: Times([], []) for name in calls}
    for repetition in range(-warm_up, repetitions):
        for name, call in calls.items():
            synchronize()
            wall, processor = time.perf_counter(), time.process_time()
            call()
            synchronize()
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            if repetition >= 0:
                times[name].wall.append(wall)
                times[name].processor.append(processor)
    return times


def ratio(times: dict[str, Times], slow: str, fast: str) -> str:
    """How many times faster, by the least and by the median, by the clock and of the processor."""
    numbers = [
        f(getattr(times[slow], of)) / f(getattr(times[fast], of))
        for of in ("wall", "processor")
        for f in (min, np.median)
    ]
    return (
        f"  {fast} over {slow}: {numbers[0]:.1f}× (median {numbers[1]:.1f}×), processor {numbers[2]:.1f}× "
        f"(median {numbers[3]:.1f}×)"
    )


def table(title: str, times: dict[str, Times], per: int = 1) -> None:
    """Print milliseconds of each; `per` of them are one."""
    print(f"\n{title:<42}" + "".join(f"{name:>13}" for name in _COLUMNS))
    for name, values in times.items():
        print(values.row(name, per))


def synchronizing(device: str) -> Callable[[], object]:
    """What waits for a device."""
    return torch.cuda.synchronize if device.startswith("cuda") else lambda: None


def devices() -> Sequence[str]:
    """The processor, and the GPU if there is one."""
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def where() -> str:
    """The computer, how busy it was, and the commit."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    computer = names[0].split(":")[1].strip() if names else platform.machine()
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return (
        f"{computer}, {os.cpu_count()} processors{gpu}, load {os.getloadavg()[0]:.1f} before it began, torch "
        f"{torch.__version__}, commit {commit}"
    )
