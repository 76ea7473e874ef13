"""How the loss falls in bfloat16 beside float32, and with fused Adam beside PyTorch's, from the same seeds.

    python benchmarks/loss_curves.py --repo_id=local/grasps --root=outputs/grasps

Whole trainings by `softgrasp-train` with recommended.yaml, every side with every seed, one after the other.
Printed are the mean loss of every `window` steps, per side the mean of the seeds and the largest distance of
a seed from it, and the processor time of a training, starting and decoding included. `--options` go to every
training, such as those of a smaller network.
"""

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import draccus
import numpy as np
from turns import where

from softgrasp_plugin.datasets.frame_cache import FOLDER_VARIABLE
from softgrasp_plugin.hub_configs import config_path

_CHILD = "train"
SIDES = {
    "float32, fused Adam": ("--policy.use_amp=false", "--optimizer.type=fused_adam"),
    "bf16, fused Adam": ("--policy.use_amp=true", "--optimizer.type=fused_adam"),
    "float32, Adam": ("--policy.use_amp=false", "--optimizer.type=adam"),
}


@dataclass
class CurvesConfig:
    repo_id: str
    root: Path
    steps: int = 500
    window: int = 50
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2])
    threads: int = 1
    options: list[str] = field(default_factory=list)


def train(config: CurvesConfig, side: str, seed: int, folder: Path) -> tuple[list[float], float]:
    """Mean loss of every window of steps, and seconds of processor."""
    command = [
        *(sys.executable, __file__, _CHILD),
        f"--config_path={config_path('train/recommended.yaml')}",
        *SIDES[side],
        f"--dataset.repo_id={config.repo_id}",
        f"--dataset.root={config.root}",
        f"--output_dir={folder / f'{side} {seed}'}",
        f"--steps={config.steps}",
        f"--log_freq={config.window}",
        f"--seed={seed}",
        "--save_checkpoint=false",
        *config.options,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": str(config.threads), FOLDER_VARIABLE: str(folder)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"loss"')]
    return [line["loss"] for line in lines], spent


def show_losses(record: logging.LogRecord) -> bool:
    """Print in full what LeRobot logs with three digits."""
    if hasattr(record.msg, "to_dict"):
        print(json.dumps({"loss": record.msg.to_dict()["loss"]}), flush=True)
    return True


@draccus.wrap()
def main(config: CurvesConfig) -> None:
    print(f"{where()}, {config.threads} threads, {' '.join(config.options)}")
    curves: dict[str, list[list[float]]] = {side: [] for side in SIDES}
    spent: dict[str, list[float]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as name:
        for seed in config.seeds:
            for side in SIDES:
                losses, seconds = train(config, side, seed, Path(name))
                curves[side].append(losses)
                spent[side].append(seconds)
                print(f"seed {seed}, {side}: {seconds:.0f} s of processor; {losses}", flush=True)
    print(f"\n{'steps up to':<16}" + "".join(f"{side:>28}" for side in SIDES) + "   (mean loss ± seeds)")
    for window in range(config.steps // config.window):
        row = f"{(window + 1) * config.window:<16}"
        for side in SIDES:
            losses = np.array(curves[side])[:, window]
            row += f"{losses.mean():>19.4f} ± {np.abs(losses - losses.mean()).max():.4f}"
        print(row)
    print(f"{'processor (s)':<16}" + "".join(f"{np.mean(spent[side]):>28.0f}" for side in SIDES))


if __name__ == "__main__":
    if sys.argv[1:2] == [_CHILD]:
        from softgrasp_plugin.scripts.train import main as softgrasp_train

        logging.getLogger().addFilter(show_losses)
        sys.argv[:2] = ["softgrasp-train"]
        softgrasp_train()
    else:
        main()
