"""`softgrasp-import`: the SoftGrasp authors' recordings as a LeRobotDataset.

```shell
softgrasp-import --recordings=data/test_recordings --repo_id=${HF_USER}/apple --root=data/apple
lerobot-dataset-viz --repo-id ${HF_USER}/apple --root data/apple --episode-index 0
```

One recording can be held out in parts: cut it with ``--segments=10`` and train with
``--dataset.eval_split=0.2`` (its last two tenths, in which a grasp mostly holds still), or leave out parts in
which the hand moves, as with ``--dataset.episodes=[0,1,3,4,5,6,7]``; ``softgrasp-plot --held_out_episodes``
measures the error on them.
"""

# LeRobot and PyTorch take seconds to import, and are imported where there is something to do.

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..bounds import require_within
from ..options import ends_in_a_line, parse_options, refuses_in_words

logger = logging.getLogger(__name__)

# As the Hub takes it; the name becomes a folder, which must not lie anywhere else.
_REPO_ID = re.compile(r"[A-Za-z0-9_][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)


@refuses_in_words
@dataclass
class ImportConfig:
    """Options of `softgrasp-import`."""

    # One recording (`<name>/<name>.pickle`, `<name>/<name>/0.jpg` …), or a folder of several.
    recordings: Path
    # Name of the new dataset, "user/name".
    repo_id: str
    # Folder of the new dataset; by default LeRobot's own place for this repo_id.
    root: Path | None = None
    # Frame rate of the recordings.
    fps: int = 30
    # What the demonstrations do; language-conditioned policies read it.
    task: str = "Grasp the object and lift it."
    # [height, width] to shrink the images to; by default their own size.
    image_size: tuple[int, int] | None = None
    # Store images as video (small), else as PNG.
    video: bool = True
    # Cut each recording into this many episodes, so that some can be held out.
    segments: int = 1
    # Add the stage of the grasp to every frame. Without it the dataset can be merged with those of
    # `lerobot-record`.
    stages: bool = True
    # At most so many first frames, up to the first contact, give the zero of the force sensors; 0: as
    # recorded.
    free_air_frames: int = 30
    # Upload the dataset to the Hub when it is written.
    push_to_hub: bool = False
    # Upload to a private repository.
    private: bool = False

    def __post_init__(self) -> None:
        if not _REPO_ID.fullmatch(self.repo_id) or ".." in self.repo_id:
            raise ValueError(
                f"--repo_id={self.repo_id!r}: expected user/name, of letters, digits, '-', '_' and '.'."
            )
        require_within("--fps", self.fps, 1, 1000, "Hz")
        require_within("--segments", self.segments, 1, 10_000)
        require_within("--free_air_frames", self.free_air_frames, 0, 100_000)
        for side in self.image_size or ():
            require_within("--image_size: [height, width]", side, 16, 4096, "pixels")


def import_recordings(config: ImportConfig) -> Path:
    """Import recordings as `config` says.

    Returns:
        The folder of the new dataset.

    Raises:
        ValueError: a recording is malformed.
        OSError: a file is missing, or the target exists.
    """
    from lerobot.datasets import LeRobotDataset
    from lerobot.utils.constants import HF_LEROBOT_HOME

    from ..datasets.importing import ImportOptions, segment_bounds, write_dataset
    from ..datasets.recordings import find_recordings, read_recording

    root = config.root if config.root is not None else HF_LEROBOT_HOME / config.repo_id
    if root.exists():  # before reading gigabytes
        raise FileExistsError(f"{root} exists already. Choose another --root, or remove it first.")
    recordings = [
        read_recording(folder, config.free_air_frames) for folder in find_recordings(config.recordings)
    ]
    for number, recording in enumerate(recordings):
        first = number * config.segments
        episodes = (
            f"episode {first}" if config.segments == 1 else f"episodes {first}…{first + config.segments - 1}"
        )
        logger.info("%s → %s", recording.name, "\n    ".join([episodes, *recording.notes]))
        if config.segments > 1:
            bounds = segment_bounds(len(recording), config.segments)
            logger.info("    cut at frames %s", ", ".join(str(start) for start, _ in bounds[1:]))
    options = ImportOptions(
        config.fps, config.task, config.image_size, config.video, config.segments, config.stages
    )
    write_dataset(recordings, config.repo_id, root, options)
    logger.info(
        "Wrote %d episodes, %d frames to %s",
        len(recordings) * config.segments,
        sum(map(len, recordings)),
        root,
    )
    if config.push_to_hub:
        dataset = LeRobotDataset(config.repo_id, root=root, video_backend="pyav")
        dataset.push_to_hub(tags=["softgrasp"], private=config.private)
    return root


def run(config: ImportConfig) -> None:
    """Import recordings; a bad input ends with one line instead of a traceback."""
    with ends_in_a_line("softgrasp-import"):
        import_recordings(config)


def main() -> None:
    """Entry point of `softgrasp-import`."""
    # Errors only: the video encoder otherwise prints a page per episode, over the progress bar.
    os.environ.setdefault("SVT_LOG", "1")
    config = parse_options(ImportConfig)

    from lerobot.utils.utils import init_logging

    init_logging()
    run(config)


if __name__ == "__main__":
    main()
