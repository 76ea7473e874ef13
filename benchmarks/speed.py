"""What is fast by design, each as a ratio measured in one run: both sides by turns, so that whatever else the
computer does meets both.

    python benchmarks/speed.py
    python benchmarks/speed.py --repo_id=local/grasps --root=outputs/grasps --parts='["data", "tick"]'

Without a dataset two demonstrations of the virtual operator are recorded at 480×640 first.

`data`: batches of samples from LeRobot's dataset as recorded, from a copy of `softgrasp-resize`, and from the
memory of `softgrasp-train`. `training`: samples per second of whole trainings with recommended.yaml, as
LeRobot's log has them, by `lerobot-train` from the recording, by `lerobot-train` from the copy, and by
`softgrasp-train`; memory that is freed is kept in all of them (`softgrasp_plugin/allocator.py`). `tick`: one
frame of 480×640 through `select_action`, in float32 and bfloat16, with the convolutions' weights packed once
and as PyTorch has them, and LeRobot's ACT with its own defaults, except that it predicts at every tick, too:
it sees all pixels, where ours resizes to 75×100 (hence a third ACT, given that size), and nothing packs it.
`camera`: processor time of a picture.

With a GPU ticks and trainings run there, too. Times are the least, the median and the 99th percentile by the
clock, and processor time of all threads, which other programs lengthen least.
"""

import os
import re
import subprocess
import sys
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
from turns import by_turns, devices, ratio, synchronizing, table, where

from softgrasp_plugin.allocator import KEEP_FREED_MEMORY, keep_freed_memory
from softgrasp_plugin.datasets.frame_cache import FOLDER_VARIABLE, CachedDataset, as_is
from softgrasp_plugin.datasets.resizing import Copy, copy_resized
from softgrasp_plugin.hub_configs import config_path
from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies import packed_conv
from softgrasp_plugin.policies.example import make_example_config_of
from softgrasp_plugin.scripts.steps import console_script
from softgrasp_plugin.simulation.world import World

SIZE = (75, 100)
COPY = "local/copy"


@dataclass
class SpeedConfig:
    repo_id: str = "local/grasps"
    root: Path | None = None
    repetitions: int = 100
    batch_size: int = 16
    batches: int = 3
    training_steps: int = 20
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    parts: list[str] = field(default_factory=lambda: ["data", "training", "tick", "camera"])


def record(config: SpeedConfig, root: Path) -> None:
    """Two demonstrations at 480×640 with LeRobot's own command."""
    command = [
        console_script("lerobot-record"),
        f"--config_path={config_path('record/simulation.yaml')}",
        f"--dataset.repo_id={config.repo_id}",
        f"--dataset.root={root}",
        "--dataset.num_episodes=2",
        "--robot.cameras={side: {type: softgrasp_sim, height: 480, width: 640, fps: 30}}",
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def tick(config: SpeedConfig, folder: Path) -> None:
    for device in devices():
        _tick(config, device)


def _tick(config: SpeedConfig, device: str) -> None:
    calls: dict[str, Callable[[], object]] = {}
    kinds = {"float32": False, "bf16": True}
    packings = (True, False) if device == "cpu" else (None,)
    for kind, use_amp in kinds.items():
        for packing in packings:
            ours = make_candidate("softgrasp", "softgrasp", {}, LatencyConfig(480, 640, use_amp=use_amp))
            ours.policy.to(device).reset()
            frame = {key: value.to(device) for key, value in ours.frame.items()}

            def act(policy=ours.policy, frame=frame, packing=packing) -> None:  # type: ignore[no-untyped-def]
                packed_conv._packing = packing
                policy.select_action(frame)

            names = {None: kind, True: f"{kind}, packed", False: f"{kind}, not packed"}
            calls[names[packing]] = act
    calls["LeRobot's ACT, float32"] = _act(device, 480, 640, None)
    calls["LeRobot's ACT, bf16"] = _act(device, 480, 640, torch.bfloat16)
    calls["LeRobot's ACT, float32, at 75×100"] = _act(device, *SIZE, None)
    times = by_turns(calls, config.repetitions, synchronize=synchronizing(device))
    packed_conv._packing = None
    table(f"tick at 480×640 on {device} (ms)", times)
    for kind in kinds if device == "cpu" else ():
        print(ratio(times, f"{kind}, not packed", f"{kind}, packed"))
    for kind in kinds:
        ours_fast = f"{kind}, packed" if device == "cpu" else kind
        print(ratio(times, f"LeRobot's ACT, {kind}", ours_fast))


def _act(device: str, height: int, width: int, dtype: torch.dtype | None) -> Callable[[], object]:
    theirs = act_candidate(LatencyConfig(height, width))
    theirs.policy.to(device).reset()
    theirs.policy.eval()
    frame = {key: value.to(device) for key, value in theirs.frame.items()}

    def act() -> None:
        with torch.autocast(device, dtype=dtype, enabled=dtype is not None):  # as `lerobot-eval` does
            theirs.policy.select_action(frame)

    return act


def data(config: SpeedConfig, folder: Path) -> None:
    policy = make_example_config_of(PreTrainedConfig.get_choice_class("softgrasp"), 480, 640)

    def opened(repo_id: str, root: Path | None) -> LeRobotDataset:
        meta = LeRobotDatasetMetadata(repo_id, root=root)
        deltas = resolve_delta_timestamps(policy, meta)
        return LeRobotDataset(
            repo_id, root=root, delta_timestamps=deltas, video_backend="pyav", return_uint8=True
        )

    recorded = opened(config.repo_id, config.root)
    started = time.perf_counter()
    memory = CachedDataset(recorded, {IMAGE_FEATURE: SIZE}, folder=folder / "frames of data")
    decoded = time.perf_counter() - started
    generator = np.random.default_rng(0)

    def batch(dataset, collate=None) -> Callable[[], object]:  # type: ignore[no-untyped-def]
        def load() -> object:
            chosen = generator.integers(len(dataset), size=config.batch_size).tolist()
            return next(iter(DataLoader(dataset, config.batch_size, sampler=chosen, collate_fn=collate)))

        return load

    calls = {
        "LeRobot, as recorded": batch(recorded),
        "LeRobot, copy of softgrasp-resize": batch(opened(COPY, make_copy(config, folder))),
        "softgrasp-train, from memory": batch(memory, as_is),
    }
    torch.set_num_threads(1)  # as in a worker of a data loader
    times = by_turns(calls, config.batches, warm_up=1)
    torch.set_num_threads(config.threads)
    height, width, _ = recorded.meta.features[IMAGE_FEATURE]["shape"]
    table(f"a sample of 3 frames at {height}×{width} (ms)", times, config.batch_size)
    for name, values in times.items():
        rate = config.batch_size / np.median(values.wall), config.batch_size / np.median(values.processor)
        print(f"  {name}: {rate[0]:.0f} samples/s, {rate[1]:.0f} per second of processor")
    for name in list(times)[1:]:
        print(ratio(times, "LeRobot, as recorded", name))
    print(f"  {len(recorded)} frames: decoded in {decoded:.1f} s ({len(recorded) / decoded:.0f} frames/s)")


def make_copy(config: SpeedConfig, folder: Path) -> Path:
    """The dataset at the policy's size; made once."""
    root = folder / "copy"
    if not root.exists():
        source = LeRobotDataset(config.repo_id, root=config.root, video_backend="pyav")
        started = time.perf_counter()
        copy_resized(Copy(source, COPY, root, SIZE, False), lambda *_: None)
        print(f"\nsoftgrasp-resize: {len(source)} frames copied in {time.perf_counter() - started:.1f} s")
    return root


def training(config: SpeedConfig, folder: Path) -> None:
    """Whole trainings; the first steps, in which everything is warmed up, do not count."""
    copy = make_copy(config, folder)
    sides = {
        "lerobot-train, as recorded": ("lerobot-train", config.repo_id, config.root),
        "lerobot-train, copy of softgrasp-resize": ("lerobot-train", COPY, copy),
        "softgrasp-train": ("softgrasp-train", config.repo_id, config.root),
    }
    print(
        "\nsamples per second of a training (median; of a step, seconds of computing and of waiting for data)"
    )
    for device in devices():
        for name, (program, repo_id, root) in sides.items():
            command = [
                console_script(program),
                f"--config_path={config_path('train/recommended.yaml')}",
                f"--policy.device={device}",
                f"--dataset.repo_id={repo_id}",
                f"--dataset.root={root}",
                "--dataset.video_backend=pyav",
                f"--output_dir={folder / f'{device} {name}'}",
                f"--batch_size={config.batch_size}",
                f"--steps={config.training_steps}",
                "--log_freq=1",
                "--save_checkpoint=false",
                f"--num_workers={config.threads}",
            ]
            environment = os.environ | KEEP_FREED_MEMORY | {FOLDER_VARIABLE: str(folder / "frames")}
            environment["OMP_NUM_THREADS"] = str(config.threads)
            done = subprocess.run(
                command, env=environment, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
            )
            numbers = [
                re.findall(rf"{meter}:([\d.]+)", done.stdout + done.stderr)
                for meter in ("smp/s", "updt_s", "data_s")
            ]
            rate, update, waiting = np.median(np.array(numbers, float)[:, config.training_steps // 4 :], 1)
            print(f"  {device}, {name}: {rate:.0f} ({update:.3f}, {waiting:.3f})")


def camera(config: SpeedConfig, folder: Path) -> None:
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


@draccus.wrap()
def main(config: SpeedConfig) -> None:
    torch.set_num_threads(config.threads)
    keep_freed_memory()
    print(f"{where()}, {config.threads} threads", flush=True)
    known: dict[str, Callable[[SpeedConfig, Path], None]] = {
        "data": data,
        "training": training,
        "tick": tick,
        "camera": camera,
    }
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if config.root is None and {"data", "training"} & set(config.parts):
            config.root = folder / "recording"
            record(config, config.root)
        for part in config.parts:
            known[part](config, folder)
            sys.stdout.flush()
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
