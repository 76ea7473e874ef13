"""`softgrasp-train`: `lerobot-train` with frames from memory.

```shell
softgrasp-train --config_path=hub_configs/train/recommended.yaml --dataset.repo_id=$HF_USER/grasps \
    --output_dir=outputs/train/grasps
```

The training is LeRobot's own `train`, with its options, checkpoints, resuming, evaluations and logs, in one
process or in several (`accelerate launch`, `torchrun`). Only the frames come from elsewhere: each is decoded
once, at the size that the policy sees, into a file below ``$SOFTGRASP_FRAME_CACHE`` (by default beside
LeRobot's datasets), and on a GPU they stay in its memory. The ``--num_workers`` are not needed.

Frames that are kept at the policy's size are rounded to bytes after resizing, not before: they differ from
those of ``lerobot-train`` by a 510th of the range at most.
"""

# LeRobot's options take seconds to import, and are imported where somebody asks for them.

import sys

_USAGE = """usage: softgrasp-train [OPTION]...

lerobot-train with frames from memory: the same options, checkpoints, resuming, evaluations and logs.

  softgrasp-train --config_path=hub_configs/train/recommended.yaml --dataset.repo_id=USER/DATASET \\
      --output_dir=FOLDER

All options: softgrasp-train --policy.type=softgrasp --help
Configurations: hub_configs/README.md. What cannot come from memory: docs/fast_training.md."""


def main() -> None:
    """Entry point of `softgrasp-train`."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(_USAGE)
        return
    from lerobot.configs import parser
    from lerobot.configs.train import TrainPipelineConfig
    from lerobot.utils.import_utils import register_third_party_plugins

    from ..options import ends_in_a_line

    @parser.wrap()
    def run(settings: TrainPipelineConfig) -> None:
        with ends_in_a_line("softgrasp-train"):
            from ..datasets.caching_accelerator import train_from_memory  # Accelerate takes seconds to import

            train_from_memory(settings)

    register_third_party_plugins()
    run()


if __name__ == "__main__":
    main()
