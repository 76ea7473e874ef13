"""A training step: mixed precision, fused Adam, the memory allocator, and frames that a batch has twice.

    python benchmarks/training_step.py
    python benchmarks/training_step.py --small=true --parts='["step", "allocator"]'

`step`: forward, backward, clipping and Adam in float32 or bfloat16, with PyTorch's Adam or fused, by turns.
`allocator`: the same step in processes that differ in their environment only, by turns; minor page faults
(memory that the system hands out and clears anew) are counted beside the time. `frames`: how many of the
frames of a batch are the same, at the size of the paper's dataset. The policy is `softgrasp` of
recommended.yaml, with random inputs; `--small=true` is the network of the demonstration.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import draccus
import numpy as np
import torch
from lerobot.optim import AdamConfig
from policy_latency import CHUNK, SMALL_HEADS, LatencyConfig, make_candidate
from turns import Times, by_turns, ratio, synchronizing, table, where

from softgrasp_plugin.allocator import KEEP_FREED_MEMORY
from softgrasp_plugin.policies.fused_adam import FusedAdamConfig
from softgrasp_plugin.policies.precision import autocast

DEMO = CHUNK | SMALL_HEADS | {"backbone_stages": 1, "feature_dim": 64, "image_size": (36, 48)}

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "as it is": {},
    "freed memory kept": KEEP_FREED_MEMORY,
    "the same, one arena": KEEP_FREED_MEMORY | {"MALLOC_ARENA_MAX": "1"},
    "one arena": {"MALLOC_ARENA_MAX": "1"},
    "huge pages of PyTorch": {"THP_MEM_ALLOC_ENABLE": "1"},
    "huge pages of glibc": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
}
"""What glibc (and PyTorch) read when a program starts."""


@dataclass
class StepConfig:
    small: bool = False
    batch_size: int = 32
    repetitions: int = 10
    threads: int = 1
    device: str = "cpu"
    rounds: int = 3
    parts: list[str] = field(default_factory=lambda: ["step", "allocator", "frames"])


def make_step(config: StepConfig, use_amp: bool, optimizer_config: Any) -> Callable[[], None]:
    fields = DEMO if config.small else CHUNK | {"image_size": (75, 100)}
    size = (36, 48) if config.small else (75, 100)
    latency = LatencyConfig(*size, config.batch_size, device=config.device, use_amp=use_amp)
    candidate = make_candidate("softgrasp", "softgrasp", fields, latency)
    policy = candidate.policy.to(config.device).train()
    batch = {key: value.to(config.device) for key, value in candidate.batch.items()}
    optimizer = optimizer_config.build(policy.parameters())

    def step() -> None:
        with autocast(config.device, use_amp):
            loss, _ = policy.forward(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
        optimizer.step()
        optimizer.zero_grad()

    return step


def step(config: StepConfig) -> None:
    adam, fused = AdamConfig(lr=1e-4), FusedAdamConfig(lr=1e-4)
    calls = {
        "float32, Adam": make_step(config, False, adam),
        "float32, fused Adam": make_step(config, False, fused),
        "bf16, fused Adam": make_step(config, True, fused),
    }
    times = by_turns(calls, config.repetitions, synchronize=synchronizing(config.device))
    network = "demo.yaml" if config.small else "recommended.yaml"
    table(f"step of {network}, batch {config.batch_size} (ms)", times)
    for name in list(calls)[1:]:
        print(ratio(times, "float32, Adam", name))


def allocator(config: StepConfig) -> None:
    """Each environment in `rounds` processes."""
    for precision in ("float32", "bf16"):
        times = {name: Times([], []) for name in ENVIRONMENTS}
        faults: dict[str, list[float]] = {name: [] for name in ENVIRONMENTS}
        for _ in range(config.rounds):
            for name, variables in ENVIRONMENTS.items():
                done = subprocess.run(
                    [sys.executable, __file__, *_options(config, f"only_{precision}")],
                    env=os.environ | variables,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                result = json.loads(done.stdout.splitlines()[-1])
                times[name].wall += result["wall"]
                times[name].processor += result["processor"]
                faults[name].append(result["faults"])
        table(f"step in {precision} by allocator (ms)", times)
        for name in list(ENVIRONMENTS)[1:]:
            print(ratio(times, "as it is", name))
        counts = ", ".join(f"{name} {np.median(values):.0f}" for name, values in faults.items())
        print(f"  page faults a step: {counts}")


def _options(config: StepConfig, part: str) -> list[str]:
    options = {key: value for key, value in asdict(config).items() if key not in ("parts", "rounds")}
    return [*(f"--{key}={str(value).lower()}" for key, value in options.items()), f'--parts=["{part}"]']


def only(config: StepConfig, use_amp: bool) -> None:
    """One process of `allocator`."""
    call = make_step(config, use_amp, FusedAdamConfig(lr=1e-4))
    by_turns({"": call}, 3, warm_up=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    times = by_turns({"": call}, config.repetitions, warm_up=0, synchronize=synchronizing(config.device))[""]
    faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / config.repetitions
    print(json.dumps({"wall": times.wall, "processor": times.processor, "faults": faults}))


def frames(config: StepConfig) -> None:
    """Distinct frames of a batch: random rows of 90 episodes of 300, stacks of [-10, -5, 0]."""
    generator = np.random.default_rng(0)
    start = np.repeat(np.arange(90) * 300, 300)
    for size in (32, 64):
        shares = []
        for _ in range(1000):
            rows = generator.choice(len(start), size, replace=False)
            stacks = np.maximum(rows[:, None] + np.array([-10, -5, 0]), start[rows][:, None])
            shares.append(len(np.unique(stacks)) / stacks.size)
        print(f"\na batch of {size}: {np.mean(shares):.2%} of its frames are distinct")


@draccus.wrap()
def main(config: StepConfig) -> None:
    torch.set_num_threads(config.threads)
    known: dict[str, Callable[[], None]] = {
        "step": lambda: step(config),
        "allocator": lambda: allocator(config),
        "frames": lambda: frames(config),
        "only_float32": lambda: only(config, False),
        "only_bf16": lambda: only(config, True),
    }
    print(f"{where()}, {config.threads} threads")
    for part in config.parts:
        known[part]()


if __name__ == "__main__":
    main()
