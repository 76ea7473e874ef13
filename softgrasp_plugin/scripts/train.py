"""`softgrasp-train`: `lerobot-train` with frames from memory.

```shell
softgrasp-train --config_path=hub_configs/train/recommended.yaml --dataset.repo_id=$HF_USER/grasps \
    --output_dir=outputs/train/grasps
```

The training is LeRobot's own `train`, with its options, checkpoints, resuming, evaluations and logs, in one
process or in several (`accelerate launch`, `torchrun`). Only the frames come from elsewhere: each is decoded
once, at the size that the policy sees, into a file below ``$SOFTGRASP_FRAME_CACHE`` (by default beside
LeRobot's datasets), and on a GPU they stay in its memory. The ``--num_workers`` are not needed. Memory that a
step frees is kept for the next (`allocator.py`).

Frames that are kept at the policy's size are rounded to bytes after resizing, not before: they differ from
those of ``lerobot-train`` by a 510th of the range at most.
"""

from typing import Any

import torch
from lerobot.configs import parser
from lerobot.configs.train import TrainPipelineConfig
from lerobot.utils.import_utils import register_third_party_plugins

from ..allocator import keep_freed_memory
from ..lerobot_internals import train_with
from ..options import ends_in_a_line


def image_sizes(settings: TrainPipelineConfig, cameras: list[str]) -> dict[str, tuple[int, int] | None]:
    """Cameras of the dataset that the policy reads, with the size that it sees them at.

    Args:
        settings: a validated configuration.
        cameras: keys of the dataset's cameras.
    """
    policy = settings.policy
    key, size = getattr(policy, "image_key", None), getattr(policy, "image_size", None)
    if key is None:  # a policy of somebody else, which may see all of them, as they are
        return dict.fromkeys(cameras)
    read = [camera for camera in cameras if settings.rename_map.get(camera, camera) == key]
    return dict.fromkeys(read if "image" in policy.modalities else [], tuple(size) if size else None)


def train_from_memory(settings: TrainPipelineConfig) -> None:
    """Train as `lerobot-train` does.

    Raises:
        ValueError: if an option asks for what frames in memory cannot give.
    """
    from accelerate.utils import DistributedDataParallelKwargs
    from lerobot.datasets import LeRobotDatasetMetadata

    from ..datasets.caching_accelerator import CachingAccelerator
    from ..datasets.frame_cache import NO_TRANSFORMS

    keep_freed_memory()
    if settings.job.is_remote:
        raise ValueError("--job.target: jobs on the Hub run lerobot-train; submit them with it.")
    if settings.dataset.streaming:
        raise ValueError("--dataset.streaming=true reads what does not fit: use lerobot-train for that.")
    if settings.dataset.image_transforms.enable:
        raise ValueError(NO_TRANSFORMS)
    settings.validate()
    dataset = settings.dataset
    meta = LeRobotDatasetMetadata(dataset.repo_id, root=dataset.root, revision=dataset.revision)
    trained = settings.trainable_config
    accelerator = CachingAccelerator(
        image_sizes(settings, meta.camera_keys),
        # As LeRobot makes its own.
        step_scheduler_with_optimizer=False,
        mixed_precision=mixed_precision(trained),
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        cpu=trained.device == "cpu",
    )
    train_with(settings, accelerator)


def mixed_precision(trained: Any) -> str | None:
    """What LeRobot's `train` asks of Accelerate: a policy's `dtype`, or where it has none, `use_amp`."""
    if hasattr(trained, "dtype"):
        return {"bfloat16": "bf16", "float16": "fp16", "float32": "no"}.get(trained.dtype)
    if getattr(trained, "use_amp", False):
        dtype = torch.get_autocast_dtype(torch.device(trained.device).type)
        return {torch.bfloat16: "bf16", torch.float16: "fp16"}[dtype]
    return None


@parser.wrap()
def run(settings: TrainPipelineConfig) -> None:
    """Train; a bad input ends with one line instead of a traceback."""
    with ends_in_a_line("softgrasp-train"):
        train_from_memory(settings)


def main() -> None:
    """Entry point of `softgrasp-train`."""
    register_third_party_plugins()
    run()


if __name__ == "__main__":
    main()
