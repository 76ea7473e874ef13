"""`softgrasp-resize`: a copy of a dataset with pictures of the size that a policy sees.

```shell
softgrasp-resize --repo_id=$HF_USER/grasps --new_repo_id=$HF_USER/grasps_75x100 --image_size='[75, 100]'
lerobot-train --dataset.repo_id=$HF_USER/grasps_75x100 …
```

Every column, task, episode and note is kept, and compared with the original in the end. Small pictures are
stored as they are, without loss (``--video=true`` encodes them as the original's). What was interrupted goes
on when the same command is given again. On the robot the policy works with the original's camera: it resizes
what it sees in the same way.
"""

from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from ..bounds import require_within
from ..options import ends_in_a_line, parse_options, refuses_in_words


@refuses_in_words
@dataclass
class ResizeConfig:
    """Options of `softgrasp-resize`."""

    # The dataset, "user/name".
    repo_id: str
    # Name of the copy.
    new_repo_id: str
    # Height and width of the copy's pictures.
    image_size: tuple[int, int] = (75, 100)
    # Folder of the dataset. By default LeRobot's own place for this repo_id; what is not there is downloaded.
    root: Path | None = None
    # Folder of the copy. By default LeRobot's own place.
    new_root: Path | None = None
    # Encode pictures as videos, with loss; the sides have to be even then. Otherwise each is stored as it is.
    video: bool = False
    # Upload the copy.
    push_to_hub: bool = False
    # Upload it for yourself alone.
    private: bool = False

    def __post_init__(self) -> None:
        for side in self.image_size:
            require_within("image_size", side, 8, 2048, "pixels")
        if self.new_repo_id == self.repo_id and self.push_to_hub:
            raise ValueError(
                "--new_repo_id: a copy under the name of the dataset would replace it on the Hub."
            )
        if self.new_root is None:
            from lerobot.utils.constants import HF_LEROBOT_HOME  # slow to import

            self.new_root = Path(HF_LEROBOT_HOME) / self.new_repo_id


def make_copy(config: ResizeConfig) -> None:
    """Make the copy, and upload it if asked to.

    Raises:
        ValueError: see `copy_resized`.
    """
    from lerobot.datasets import LeRobotDataset  # slow to import

    from ..datasets.resizing import Copy, copy_resized

    assert config.new_root is not None
    source = LeRobotDataset(config.repo_id, root=config.root, video_backend="pyav")
    bars: dict[str, tqdm] = {}

    def report(what: str, done: int, total: int) -> None:
        bar = bars.setdefault(what, tqdm(desc=what.capitalize(), total=total))
        bar.update(done - bar.n)

    try:
        copy = Copy(source, config.new_repo_id, config.new_root, config.image_size, config.video)
        finished = copy_resized(copy, report)
    finally:
        for bar in bars.values():
            bar.close()
    size_mb = sum(path.stat().st_size for path in config.new_root.rglob("*") if path.is_file()) / 1e6
    print(
        f"{config.new_root}: {finished.num_episodes} episodes, {finished.num_frames} frames, {size_mb:.1f} MB"
    )
    if config.push_to_hub:
        finished.push_to_hub(private=config.private, tags=["softgrasp"])
        print(f"Pushed to https://huggingface.co/datasets/{config.new_repo_id}")


def run(config: ResizeConfig) -> None:
    """Make the copy; a bad input ends with one line instead of a traceback."""
    with ends_in_a_line("softgrasp-resize"):
        make_copy(config)


def main() -> None:
    """Entry point of `softgrasp-resize`."""
    config = parse_options(ResizeConfig)

    from lerobot.utils.import_utils import register_third_party_plugins
    from lerobot.utils.utils import init_logging

    init_logging()
    register_third_party_plugins()
    run(config)


if __name__ == "__main__":
    main()
