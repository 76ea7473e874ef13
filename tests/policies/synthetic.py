"""A small LeRobotDataset with the keys of a SoftGrasp recording, for tests of the front doors."""

from pathlib import Path

import numpy as np
from lerobot.datasets import LeRobotDataset

from softgrasp_plugin.joints import IMAGE_FEATURE, NUM_JOINTS
from softgrasp_plugin.policies.softgrasp.example import example_features

REPO_ID = "local/synthetic_grasps"


def make_dataset(
    root: Path,
    *,
    episodes: int,
    frames: int,
    height: int,
    width: int,
    video: bool,
    measures_torque: bool = True,
) -> Path:
    """Write `episodes` closing motions of `frames` frames at 30 Hz, in which torque follows closure."""
    features = example_features(height, width, measures_torque)
    features[IMAGE_FEATURE]["dtype"] = "video" if video else "image"
    dataset = LeRobotDataset.create(REPO_ID, fps=30, features=features, root=root, use_videos=video)
    rng = np.random.default_rng(0)
    for _ in range(episodes):
        speed = rng.uniform(0.8, 1.2, NUM_JOINTS)
        for frame in range(frames):
            closure = np.clip(speed * frame / frames, 0, 1)
            torque = np.clip(4 * (closure - 0.5), 0, None)
            state = np.concatenate([closure, torque] if measures_torque else [closure]).astype(np.float32)
            image = np.full((height, width, 3), int(200 * closure.mean()), np.uint8)
            image[:, : width // 2] = rng.integers(0, 40, (height, width // 2, 3), dtype=np.uint8)
            dataset.add_frame(
                {"observation.state": state, "action": state, IMAGE_FEATURE: image, "task": "object_01"}
            )
        dataset.save_episode()
    dataset.finalize()
    return root
