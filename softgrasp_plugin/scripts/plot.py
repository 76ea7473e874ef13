"""`softgrasp-plot`: a demonstration over time, and what a policy makes of it.

```shell
softgrasp-plot --repo_id=${HF_USER}/apple --root=data/apple --episode=0 --video=mp4
softgrasp-plot --repo_id=${HF_USER}/apple --root=data/apple \
    --policy_path=outputs/train/checkpoints/last/pretrained_model --eval_split=0.2
```

With a policy it also draws the attention paid to each modality, and prints and draws the prediction errors on
held-out episodes: those that ``lerobot-train --dataset.eval_split=0.2`` held out, or those named in
``--held_out_episodes``.
"""

# LeRobot, PyTorch and matplotlib take seconds to import, and are imported where there is something to draw.

import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ..bounds import require_within
from ..grasping.lift import LiftConfig
from ..joints import IMAGE_FEATURE
from ..options import parse_options, refuses_in_words

_FILMS = ("mp4", "gif", "webp")


@refuses_in_words
@dataclass
class PlotConfig:
    """Options of `softgrasp-plot`."""

    # Name of the dataset, "user/name".
    repo_id: str
    # Folder of the dataset; by default LeRobot's own place for this repo_id, or the Hub.
    root: Path | None = None
    # The episode to draw.
    episode: int = 0
    # Where the figures go.
    output_dir: Path = Path("outputs/softgrasp_plot")
    # Checkpoint (its folder `pretrained_model`) or repository of a policy.
    policy_path: str | None = None
    # Measure errors on the last episodes of each task, as lerobot-train holds them out with the same
    # --dataset.eval_split.
    eval_split: float = 0.0
    # Measure errors on these episodes. By default those of eval_split, else the drawn episode.
    held_out_episodes: list[int] | None = None
    # Camera whose images are drawn.
    image_key: str = IMAGE_FEATURE
    # Images in the strip.
    num_images: int = 7
    # The lift supervisor of the recording (its --robot.lift), which tells when the arm rose where the
    # dataset has no stages of its own.
    lift: LiftConfig = field(default_factory=LiftConfig)
    # "png", "pdf" or "svg".
    format: str = "png"
    # Also write the episode as a film, with torques and attention running along: "mp4", or for a web page
    # "gif" or "webp".
    video: str | None = None

    def __post_init__(self) -> None:
        require_within("--episode", self.episode, 0, 10**9)
        require_within("--eval_split", self.eval_split, 0.0, 0.999)
        for episode in self.held_out_episodes or ():
            require_within("--held_out_episodes", episode, 0, 10**9)
        require_within("--num_images", self.num_images, 1, 100)
        if self.policy_path is None and (self.eval_split or self.held_out_episodes):
            raise ValueError("Errors are those of a policy: give --policy_path too.")
        if self.held_out_episodes is not None and not self.held_out_episodes:
            raise ValueError("--held_out_episodes=[] names no episode.")
        if self.format not in ("png", "pdf", "svg"):
            raise ValueError(f"--format={self.format}: expected png, pdf or svg.")
        if self.video is not None and self.video not in _FILMS:
            raise ValueError(f"--video={self.video}: expected {', '.join(_FILMS)}.")


def main() -> None:
    """Run `softgrasp-plot`; a mistake in the input ends with one line and exit status 1."""
    config = parse_options(PlotConfig)

    from lerobot.utils.import_utils import register_third_party_plugins
    from lerobot.utils.utils import init_logging

    from .plotting import plot

    init_logging()
    logging.getLogger().setLevel(logging.WARNING)
    register_third_party_plugins()
    try:
        plot(config)
    except (OSError, ValueError) as error:
        sys.exit(f"softgrasp-plot: {error}")


if __name__ == "__main__":
    main()
