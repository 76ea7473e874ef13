from pathlib import Path

import torch

from softgrasp_plugin.experiments.frames import decoded_frames, open_demonstrations, samples
from softgrasp_plugin.joints import IMAGE_FEATURE
from softgrasp_plugin.policies.softgrasp.example import make_example_config

from .conftest import REPO_ID


def test_samples_are_stacks_of_what_the_policy_reads_beside_its_chunk(demonstrations: Path) -> None:
    policy = make_example_config(48, 64, chunk_size=10, num_stack=2, frameskip=3)
    batch = samples(open_demonstrations(REPO_ID, demonstrations, policy), policy).__getitems__([0, 40])
    assert batch[IMAGE_FEATURE].shape == (2, 2, 3, 48, 64)
    assert batch["observation.state"].shape == (2, 2, 12)
    assert batch["action"].shape == (2, len(policy.action_delta_indices), 12)


def test_pictures_that_the_policy_does_not_read_are_not_delivered(demonstrations: Path) -> None:
    policy = make_example_config(48, 64, modalities=["angle", "torque"])
    assert IMAGE_FEATURE not in samples(open_demonstrations(REPO_ID, demonstrations, policy), policy)[0]


def test_frames_lie_beside_the_dataset_where_every_node_of_a_cluster_finds_them(demonstrations: Path) -> None:
    dataset = open_demonstrations(REPO_ID, demonstrations)
    frames = decoded_frames(dataset, IMAGE_FEATURE)
    assert frames.shape == (len(dataset), 3, 48, 64)
    assert frames.dtype is torch.uint8
    folder = demonstrations.with_name(f"{demonstrations.name}.frames")
    assert len(list(folder.glob("*.npy"))) == 1
