"""Recordings in the authors' layout, made up for the tests."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

IMAGE_SIZE = (64, 96)
OFFSET_KGF = np.array([-0.025, -0.02, -0.01, 0.0, -0.01, -0.03])


def make_signals(rows: int = 60, scale: float = 1.0) -> dict[str, Any]:
    """Signals of a grasp: still, closing, holding while the arm rises; `scale` 1000 gives raw registers."""
    time = np.linspace(0.0, 1.0, rows)
    closing = np.clip((time - 0.2) / 0.3, 0.0, 1.0)[:, None]
    closure = closing * np.linspace(0.3, 0.8, 6)
    force = OFFSET_KGF + np.clip(closing - 0.5, 0.0, None) * np.linspace(0.8, 2.0, 6)
    joint = (1.0 - closure) * scale
    actions = np.zeros((rows, 18))
    actions[:, 2] = 0.05 + np.clip(time - 0.7, 0.0, None)
    actions[:, 6::2] = joint
    return {
        "joint": joint,
        "force": force * scale,
        "actions": actions,
        "rewards": np.zeros(1, dtype=np.int64),
        "init_state_dict": {"qpos": np.zeros(24)},
    }


def write_recording(parent: Path, name: str, signals: dict[str, Any] | None = None, images: int = 60) -> Path:
    """Write a recording with `images` frames of `IMAGE_SIZE` and return its folder."""
    folder = parent / name
    frames = folder / name
    frames.mkdir(parents=True)
    (folder / f"{name}.pickle").write_bytes(
        pickle.dumps(make_signals() if signals is None else signals, protocol=4)
    )
    height, width = IMAGE_SIZE
    ramp = np.linspace(0, 200, width, dtype=np.uint8)
    for frame in range(images):
        pixels = np.broadcast_to(ramp[None, :, None], (height, width, 3)).copy()
        pixels[..., 0] = frame % 256  # tells the frames apart after encoding
        Image.fromarray(pixels).save(frames / f"{frame}.jpg", quality=95)
    return folder
