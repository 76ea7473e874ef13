"""What is fast by design, each as a ratio measured in one run: both sides by turns, so that whatever else the
computer does meets both.

    python benchmarks/speed.py --repo_id=local/grasps --root=outputs/grasps

The tick: one frame through `select_action`, with weights packed once, without, and LeRobot's ACT at the same
camera. The data: batches of samples from LeRobot's dataset as recorded, from a copy of `softgrasp-resize`,
and from the memory of `softgrasp-train`. The camera: processor time of a picture against the time of the
thread that draws it; more is spent by threads that wait for each other. Times are the least and the median
of the repetitions; `processor` counts all threads, which other programs on the same computer lengthen least.
"""

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import draccus
import numpy as np
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.datasets import LeRobotDataset, LeRobotDatasetMetadata
from lerobot.datasets.factory import resolve_delta_timestamps
from policy_latency import LatencyConfig, act_candidate, make_candidate
from torch.utils.data import DataLoader

from softgrasp_plugin.datasets.frame_cache import CachedDataset, as_is
from softgrasp_plugin.datasets.resizing import Copy, copy_resized
from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies import packed_conv
from softgrasp_plugin.policies.example import make_example_config_of
from softgrasp_plugin.simulation.world import World

SIZE = (75, 100)


@dataclass
class SpeedConfig:
    repo_id: str
    root: Path
    repetitions: int = 20
    batch_size: int = 16
    batches: int = 3
    threads: int = 2
    parts: list[str] = field(default_factory=lambda: ["data", "tick", "camera"])


@dataclass
class Times:
    """Seconds of each repetition, by the clock and of the processor."""

    wall: list[float]
    processor: list[float]

    def row(self, name: str, per: int = 1) -> str:
        columns = [1e3 * np.array(values) / per for values in (self.wall, self.processor)]
        numbers = [f(values) for values in columns for f in (np.min, np.median)]
        return f"{name:<42}" + "".join(f"{number:12.2f}" for number in numbers)


def by_turns(calls: dict[str, Callable[[], object]], repetitions: int, warm_up: int = 2) -> dict[str, Times]:
    times = {name: Times([], []) for name in calls}
    for repetition in range(-warm_up, repetitions):
        for name, call in calls.items():
            wall, processor = time.perf_counter(), time.process_time()
            call()
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
    print(f"\n{title:<42}{'least':>12}{'median':>12}{'processor':>12}{'median':>12}")
    for name, values in times.items():
        print(values.row(name, per))


def tick(config: SpeedConfig) -> None:
    calls: dict[str, Callable[[], object]] = {}
    for use_amp in (False, True):
        latency = LatencyConfig(480, 640, use_amp=use_amp)
        ours = make_candidate("softgrasp", "softgrasp", {}, latency)
        ours.policy.reset()

        def act(packed: bool, candidate=ours) -> None:  # type: ignore[no-untyped-def]
            packed_conv._packing = packed
            candidate.policy.select_action(candidate.frame)

        kind = "bf16" if use_amp else "float32"
        # Switching drops the packed weights, so each has a policy of its own.
        other = make_candidate("softgrasp", "softgrasp", {}, latency)
        calls[f"{kind}, packed"] = lambda act=act: act(True)
        calls[f"{kind}, not packed"] = lambda act=act, other=other: act(False, other)
    theirs = act_candidate(LatencyConfig(480, 640))
    theirs.policy.reset()
    theirs.policy.eval()
    calls["LeRobot's ACT, float32"] = lambda: theirs.policy.select_action(theirs.frame)
    times = by_turns(calls, config.repetitions)
    table("tick at 480×640 (ms)", times)
    for kind in ("float32", "bf16"):
        print(ratio(times, f"{kind}, not packed", f"{kind}, packed"))
    print(ratio(times, "LeRobot's ACT, float32", "float32, packed"))
    packed_conv._packing = None


def data(config: SpeedConfig) -> None:
    policy = make_example_config_of(PreTrainedConfig.get_choice_class("softgrasp"), 480, 640)

    def opened(repo_id: str, root: Path) -> LeRobotDataset:
        meta = LeRobotDatasetMetadata(repo_id, root=root)
        deltas = resolve_delta_timestamps(policy, meta)
        return LeRobotDataset(
            repo_id, root=root, delta_timestamps=deltas, video_backend="pyav", return_uint8=True
        )

    with tempfile.TemporaryDirectory() as folder:
        source = LeRobotDataset(config.repo_id, root=config.root, video_backend="pyav")
        started = time.perf_counter()
        copy_resized(Copy(source, "local/copy", Path(folder, "copy"), SIZE, False), lambda *_: None)
        copied = time.perf_counter() - started
        recorded = opened(config.repo_id, config.root)
        started = time.perf_counter()
        memory = CachedDataset(recorded, {IMAGE_FEATURE: SIZE}, folder=Path(folder, "frames"))
        decoded = time.perf_counter() - started
        generator = np.random.default_rng(0)

        def batch(dataset, collate=None) -> Callable[[], object]:  # type: ignore[no-untyped-def]
            def load() -> object:
                chosen = generator.integers(len(dataset), size=config.batch_size).tolist()
                return next(iter(DataLoader(dataset, config.batch_size, sampler=chosen, collate_fn=collate)))

            return load

        calls = {
            "LeRobot, as recorded": batch(recorded),
            "LeRobot, copy of softgrasp-resize": batch(opened("local/copy", Path(folder, "copy"))),
            "softgrasp-train, from memory": batch(memory, as_is),
        }
        times = by_turns(calls, config.batches, warm_up=1)
    height, width, _ = source.meta.features[IMAGE_FEATURE]["shape"]
    table(f"a sample of 3 frames at {height}×{width} (ms)", times, config.batch_size)
    for name, values in times.items():
        rate = config.batch_size / np.median(values.wall), config.batch_size / np.median(values.processor)
        print(f"  {name}: {rate[0]:.0f} samples/s, {rate[1]:.0f} per second of processor")
    for name in list(times)[1:]:
        print(ratio(times, "LeRobot, as recorded", name))
    print(
        f"  {len(source)} frames: copied in {copied:.1f} s, decoded in {decoded:.1f} s "
        f"({len(source) / decoded:.0f} frames/s)"
    )


def camera(config: SpeedConfig) -> None:
    world = World(1)
    world.render(480, 640)
    spent, threads = [], []
    for _ in range(config.repetitions):
        world.step()
        processor, thread = time.process_time(), time.thread_time()
        world.render(480, 640)
        spent.append(1e3 * (time.process_time() - processor))
        threads.append(1e3 * (time.thread_time() - thread))
    total, alone = np.median(spent), np.median(threads)
    print(f"\ncamera at 480×640: {total:.1f} ms of processor, {alone:.1f} by the thread that draws")


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
    return (
        f"{computer}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before it began, torch "
        f"{torch.__version__}, commit {commit}"
    )


@draccus.wrap()
def main(config: SpeedConfig) -> None:
    torch.set_num_threads(config.threads)
    print(f"{where()}, {config.threads} threads")
    known: dict[str, Callable[[SpeedConfig], None]] = {"data": data, "tick": tick, "camera": camera}
    for part in config.parts:
        known[part](config)


if __name__ == "__main__":
    main()
