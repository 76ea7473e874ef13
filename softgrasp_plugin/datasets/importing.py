"""Writing the authors' recordings as a LeRobotDataset v3, whole or not at all."""

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.datasets import LeRobotDataset
from lerobot.utils.constants import ACTION, OBS_STATE, OBS_STR
from lerobot.utils.feature_utils import hw_to_dataset_features
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm  # type: ignore[import-untyped]

from ..grasping.stages import segment_stages
from ..joints import CAMERA_KEY, IMAGE_FEATURE, STATE_KEYS
from .recordings import Recording

logger = logging.getLogger(__name__)

ROBOT_TYPE = "ur3_dexhand"
STAGE_FEATURE = "stage"
"""Stage of the grasp, 1…5 (SoftGrasp, section 4.1.2). Policies do not see it: LeRobot passes on to them only
`observation.*` and `action`."""


@dataclass(frozen=True)
class ImportOptions:
    """How recordings become episodes.

    Attributes:
        fps: frame rate of the recordings.
        task: what the demonstrations do, stored with every frame.
        image_size: (height, width) to shrink images to; None keeps them as they are.
        video: store images as video, else as PNG.
        segments: cut each recording into this many consecutive episodes of equal length, so that LeRobot can
            hold some of them out.
        stages: add the stage label; without it the features are those of `lerobot-record`, and the datasets
            can be merged.
    """

    fps: int
    task: str
    image_size: tuple[int, int] | None = None
    video: bool = True
    segments: int = 1
    stages: bool = True


def write_dataset(recordings: Sequence[Recording], repo_id: str, root: Path, options: ImportOptions) -> None:
    """Write `recordings` as the episodes of a new LeRobotDataset at `root`.

    The dataset is written beside `root` and renamed when it is complete: on any failure, or Ctrl-C, nothing
    is left.

    Args:
        recordings: at least one.
        repo_id: name of the dataset, "user/name".
        root: folder of the new dataset.
        options: see `ImportOptions`.

    Raises:
        FileExistsError: `root` exists.
        ValueError: an image cannot be read or differs in size, or a recording is too short for
            `options.segments`.
    """
    for recording in recordings:
        if len(recording) < 2 * options.segments:
            raise ValueError(
                f"{recording.name} has {len(recording)} frames: too few for --segments={options.segments}."
            )
    image_shape = _load_image(recordings[0].images[0], options.image_size).shape
    with _new_folder(root) as folder:
        dataset = LeRobotDataset.create(
            repo_id=repo_id,
            fps=options.fps,
            features=_features(image_shape, options),
            root=folder,
            robot_type=ROBOT_TYPE,
            use_videos=options.video,
            streaming_encoding=options.video,
            # Nothing is read back here, so LeRobot need not look for torchcodec, and complain at length.
            video_backend="pyav",
            # LeRobot drops frames when this queue is full, for a camera does not wait; an import may.
            encoder_queue_maxsize=max(len(recording) for recording in recordings),
        )
        try:
            with tqdm(total=sum(map(len, recordings)), unit="frame", desc=f"Writing {repo_id}") as progress:
                for recording in recordings:
                    _add_recording(dataset, recording, image_shape, options, progress)
        except BaseException:
            dataset.clear_episode_buffer()  # ends the encoder's thread, which would write on
            raise
        finally:
            dataset.finalize()


def segment_bounds(length: int, segments: int) -> list[tuple[int, int]]:
    """Half-open frame ranges of `segments` consecutive parts of `length` frames, equal up to one frame."""
    edges = [length * part // segments for part in range(segments + 1)]
    return list(pairwise(edges))


def _add_recording(
    dataset: LeRobotDataset,
    recording: Recording,
    image_shape: tuple[int, ...],
    options: ImportOptions,
    progress: tqdm,
) -> None:
    state = np.hstack([recording.closure, recording.torque]).astype(np.float32)
    action = np.hstack([recording.command, recording.torque]).astype(np.float32)
    stages = segment_stages(
        recording.closure, recording.torque, options.fps, lift_height=recording.lift_height
    )
    for start, stop in segment_bounds(len(recording), options.segments):
        for frame in range(start, stop):
            path = recording.images[frame]
            image = _load_image(path, options.image_size)
            if image.shape != image_shape:
                raise ValueError(
                    f"{path} is {_size(image.shape)}, the first image is {_size(image_shape)}. "
                    "Pass --image_size to make them equal."
                )
            row: dict[str, Any] = {
                OBS_STATE: state[frame],
                ACTION: action[frame],
                IMAGE_FEATURE: image,
                "task": options.task,
            }
            if options.stages:
                row[STAGE_FEATURE] = np.array([stages[frame]], dtype=np.int64)
            dataset.add_frame(row)
            progress.update()
        dataset.save_episode()


def _features(image_shape: tuple[int, ...], options: ImportOptions) -> dict[str, Any]:
    """The features that `lerobot-record` gives the same robot, and the stage."""
    scalars = dict.fromkeys(STATE_KEYS, float)
    features: dict[str, Any] = {
        **hw_to_dataset_features(scalars, ACTION, options.video),
        **hw_to_dataset_features({**scalars, CAMERA_KEY: image_shape}, OBS_STR, options.video),
    }
    if options.stages:
        features[STAGE_FEATURE] = {"dtype": "int64", "shape": (1,), "names": None}
    return features


def _load_image(path: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Decode an RGB image of shape (height, width, 3)."""
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} is not a readable image ({error}). Copy the recording again.") from error
    if size is not None:
        height, width = size
        rgb = rgb.resize(
            (width, height), Image.Resampling.BILINEAR
        )  # Pillow's filters widen when shrinking: no aliasing
    return np.asarray(rgb)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}×{shape[0]}"


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """A path to write to, renamed to `target` when the block ends well and removed when it does not."""
    if target.exists():
        raise FileExistsError(f"{target} exists already. Choose another --root, or remove it first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    # On the same file system, so that the rename is atomic.
    workspace = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield workspace / target.name
        (workspace / target.name).rename(target)
    finally:
        shutil.rmtree(workspace)
