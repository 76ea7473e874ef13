"""Reading demonstrations in the layout that the SoftGrasp authors published, in our units.

One folder per recording: ``<name>/<name>.pickle`` with the signals and ``<name>/<name>/<frame>.jpg`` with the
images (repository nubot-nudt/SoftGrasp, data/test_recordings). The pickle is a dict of arrays, one row per
frame:

* ``joint`` (N, 6): joint angles of the RH56, 1 open … 0 closed, or the register's 1000 … 0;
* ``force`` (N, 6): FORCE_ACT of the RH56 in kilograms-force, or the register's grams-force, not zeroed;
* ``actions`` (N, 18): position of the tool (metres), three pose numbers, then the six angles interleaved with
  zeros. In the published recording these angles repeat ``joint``, so they were measured, not commanded.
  Column 2 is the height of the tool; ``trajectory`` (N, 6), which should hold it too, repeats the last pose
  throughout.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..joints import JOINTS, NUM_JOINTS, FloatArray
from .restricted_pickle import load_plain_pickle

logger = logging.getLogger(__name__)

NEWTON_PER_KGF = 9.80665
RAW_SCALE = 1000.0
"""The authors divide the registers of the RH56 (ANGLE_ACT 0…1000, FORCE_ACT in grams-force) by this."""

MAX_IMAGE_BYTES = 1 << 26
_FRAME_NAME = re.compile(r"0|[1-9][0-9]{0,8}")

# Radians, percent and degrees end here. A register that stays below this belongs to a hand that never opens.
_LARGEST_OTHER_UNIT = 400.0

# FORCE_ACT ends at ±4000 g; more than this can be no kilograms-force.
_LARGEST_FORCE_KGF = 4.5
# A force that has moved this far from the first frame is a contact, not noise of the free sensor.
_CONTACT_RISE_N = 0.5
# An offset this large means that the hand already held something when the recording began.
_PLAUSIBLE_OFFSET_N = 2.0


@dataclass(frozen=True)
class Recording:
    """One demonstration, cut to the frames that have both an image and a row.

    Attributes:
        name: name of the recording's folder.
        closure: shape (N, 6), measured closure, 0 open … 1 closed.
        torque: shape (N, 6), fingertip force in newtons, free-air offset subtracted.
        command: shape (N, 6), the closure to command at each frame.
        lift_height: shape (N,), height of the tool above its lowest point in metres; None where not recorded.
        images: N paths of JPEG files, in order.
        notes: what was detected and decided, one line each, for the user.
    """

    name: str
    closure: FloatArray
    torque: FloatArray
    command: FloatArray
    lift_height: FloatArray | None
    images: tuple[Path, ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def find_recordings(folder: Path) -> list[Path]:
    """List the recordings in `folder`, which may be one recording or hold several.

    Returns:
        Folders of recordings, in natural order ("apple_2" before "apple_10").

    Raises:
        FileNotFoundError: `folder` does not exist, or holds no recording.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"--recordings={folder} is not a folder. Give one recording, or a folder that holds recordings."
        )
    folder = folder.resolve()
    if _pickle_of(folder).is_file():
        return [folder]
    children = [child for child in folder.iterdir() if child.is_dir()]
    found = sorted((child for child in children if _pickle_of(child).is_file()), key=_natural_order)
    if not found:
        raise FileNotFoundError(
            f"No recording found in {folder}. Expected {folder.name}/{folder.name}.pickle with its images in "
            f"{folder.name}/{folder.name}/, or folders with <name>/<name>.pickle and <name>/<name>/0.jpg, …"
        )
    if skipped := sorted(child.name for child in set(children) - set(found)):
        logger.warning("Skipped, for they hold no <name>.pickle: %s", ", ".join(skipped))
    return found


def read_recording(folder: Path, free_air_frames: int = 30) -> Recording:
    """Read one recording and convert it to our units; images are only listed, not decoded.

    Args:
        folder: the recording's folder.
        free_air_frames: at most this many first frames, up to the first contact, give the free-air offset of
            each force sensor; 0 to subtract nothing.

    Raises:
        ValueError: the recording is malformed: refused or empty pickle, missing or misshapen array, a value
            that is not finite or out of range, missing frames.
    """
    if _pickle_of(folder).is_symlink():
        raise ValueError(
            f"{_pickle_of(folder)} is a link; copy the recording again, with the files themselves."
        )
    signals = _read_signals(_pickle_of(folder))
    images = _list_images(folder / folder.name)
    joint, force = signals["joint"], signals["force"]
    length = min(len(images), len(joint), len(force))
    notes = [_describe_lengths(len(images), len(joint), len(force), length)]

    joint_scale = _joint_scale(folder.name, joint)
    force_scale = _force_scale(folder.name, force, joint_scale)
    force_unit = "grams-force" if force_scale == RAW_SCALE else "kilograms-force"
    notes.append(f"scale: joint 0…{joint_scale:g}, force in {force_unit}")

    closure = 1.0 - joint[:length] / joint_scale
    torque = force[:length] / force_scale * NEWTON_PER_KGF
    offset, offset_note = _free_air_offset(torque, free_air_frames)
    notes.append(offset_note)

    actions = signals.get("actions")
    command, command_note = _command(closure, actions, joint_scale)
    notes.append(command_note)
    lift_height = None if actions is None else actions[:length, 2] - actions[:length, 2].min()
    return Recording(
        name=folder.name,
        closure=np.clip(closure, 0.0, 1.0),
        torque=torque - offset,
        command=np.clip(command, 0.0, 1.0),
        lift_height=lift_height,
        images=images[:length],
        notes=tuple(notes),
    )


def _pickle_of(folder: Path) -> Path:
    return folder / f"{folder.name}.pickle"


def _natural_order(path: Path) -> list[tuple[str, int]]:
    return [(text, int(digits or 0)) for text, digits in re.findall(r"(\D*)(\d*)", path.name)]


def _read_signals(path: Path) -> dict[str, FloatArray]:
    content = load_plain_pickle(path)
    if not isinstance(content, Mapping):
        raise ValueError(
            f"{path} holds a {type(content).__name__}; expected a dict with the arrays 'joint' and 'force'."
        )
    missing = [key for key in ("joint", "force") if key not in content]
    if missing:
        raise ValueError(f"{path} has no {' and no '.join(map(repr, missing))}; it holds {_shown(content)}.")
    signals = {key: _numbers(path, key, content[key], NUM_JOINTS) for key in ("joint", "force")}
    actions = content.get("actions")
    if isinstance(actions, np.ndarray) and actions.ndim == 2 and actions.shape[1] == 6 + 2 * NUM_JOINTS:
        signals["actions"] = _numbers(path, "actions", actions, actions.shape[1])
        shortest = min(len(signals["joint"]), len(signals["force"]))
        if len(signals["actions"]) < shortest:
            raise ValueError(
                f"{path}: 'actions' has {len(signals['actions'])} rows; 'joint' and 'force' have at least "
                f"{shortest}."
            )
    return signals


def _shown(content: Mapping[Any, Any]) -> str:
    names = sorted(f"{key!s:.40}" for key in content)
    return f"{', '.join(names[:10])}{' …' if len(names) > 10 else ''}" or "nothing"


def _numbers(path: Path, key: str, value: Any, width: int) -> FloatArray:
    if not isinstance(value, np.ndarray):  # a list may be shared a million times in a small file
        raise ValueError(
            f"{path}: '{key}' is object of type {type(value).__name__}; expected an array, (frames, {width})."
        )
    array = value
    if array.ndim != 2 or array.shape[1] != width or array.dtype.kind not in "iuf":
        raise ValueError(
            f"{path}: '{key}' is {array.dtype} of shape {array.shape}; expected numbers, (frames, {width})."
        )
    if len(array) < 2:
        raise ValueError(f"{path}: '{key}' has {len(array)} rows; a demonstration needs at least 2.")
    bad = ~np.isfinite(array)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"{path}: {bad.sum()} values of '{key}' are not finite, the first at row {row}, column {column}."
        )
    return array.astype(np.float64)


def _list_images(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is missing: a recording keeps its images there, as 0.jpg, 1.jpg, …")
    # Other names are not frames: the authors' loader leaves masked_<frame>.jpg behind.
    by_frame = {int(path.stem): path for path in folder.glob("*.jpg") if _FRAME_NAME.fullmatch(path.stem)}
    if len(by_frame) < 2:
        raise ValueError(
            f"{folder} holds {len(by_frame)} images named <frame>.jpg; a demonstration needs at least 2."
        )
    first, last = min(by_frame), max(by_frame)
    if first != 0:
        raise ValueError(
            f"{folder} starts at {first}.jpg; expected 0.jpg, since row 0 of the pickle belongs to it."
        )
    if lacking := last + 1 - len(by_frame):
        gaps = islice((frame for frame in range(last) if frame not in by_frame), min(lacking, 5))
        shown = ", ".join(f"{frame}.jpg" for frame in gaps)
        raise ValueError(
            f"{folder} lacks {lacking} of its frames 0…{last}: {shown}{' …' if lacking > 5 else ''}. "
            "Copy it again."
        )
    images = tuple(by_frame[frame] for frame in range(last + 1))
    for path in images:
        _require_own_file(path)
    return images


def _require_own_file(path: Path) -> None:
    """Refuse what would block (a pipe), never end (a device) or show another file (a link)."""
    if path.is_symlink() or not path.is_file():
        raise ValueError(
            f"{path} is not an ordinary file; copy the recording again, with the files themselves."
        )
    if path.stat().st_size > MAX_IMAGE_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size} bytes; an image has {MAX_IMAGE_BYTES} at most.")


def _describe_lengths(images: int, joint: int, force: int, length: int) -> str:
    if images == joint == force:
        return f"{length} frames"
    counts = f"{images} images, {joint} rows of joint, {force} rows of force"
    return f"lengths differ: {counts}; cut to the common {length} frames"


def _joint_scale(name: str, joint: FloatArray) -> float:
    low, high = joint.min(), joint.max()
    scale = 1.0 if high <= 1.5 else RAW_SCALE
    if scale == RAW_SCALE and high <= _LARGEST_OTHER_UNIT:
        raise ValueError(
            f"{name}: 'joint' ranges over {low:g}…{high:g}, which looks like radians, percent or degrees; "
            f"expected 0 (closed) … 1 (open), or the register's 0…{RAW_SCALE:g} of a hand that opens."
        )
    # The RH56 may report a few counts beyond its ends.
    if low < -0.05 * scale or high > 1.05 * scale:
        raise ValueError(
            f"{name}: 'joint' ranges over {low:g}…{high:g}; expected 0…1, or the register's 0…{RAW_SCALE:g}."
        )
    return scale


def _force_scale(name: str, force: FloatArray, joint_scale: float) -> float:
    largest = np.abs(force).max()
    if largest > _LARGEST_FORCE_KGF * RAW_SCALE:
        raise ValueError(
            f"{name}: 'force' reaches {largest:g}; expected at most {_LARGEST_FORCE_KGF:g} kilograms-force, "
            f"or {RAW_SCALE:g} times that in grams-force."
        )
    # Small numbers may be either; then both signals were scaled alike.
    return RAW_SCALE if largest > _LARGEST_FORCE_KGF else joint_scale


def _free_air_offset(torque: FloatArray, free_air_frames: int) -> tuple[FloatArray, str]:
    """Median of each sensor over the first frames that touch nothing, and a line about it."""
    if free_air_frames == 0:
        return np.zeros(NUM_JOINTS), "free-air offset: not subtracted (free_air_frames=0)"
    risen = np.abs(torque[:free_air_frames] - torque[0]).max(axis=1) > _CONTACT_RISE_N
    frames = int(risen.argmax()) if risen.any() else len(risen)
    offset: FloatArray = np.median(torque[:frames], axis=0)
    listed = ", ".join(f"{joint} {value:+.2f}" for joint, value in zip(JOINTS, offset.tolist(), strict=True))
    note = f"free-air offset subtracted, in N, from the first {frames} frames: {listed}"
    if np.abs(offset).max() > _PLAUSIBLE_OFFSET_N:
        raise ValueError(
            f"{note}. More than {_PLAUSIBLE_OFFSET_N:g} N is no offset: the recording starts with the hand "
            "touching something. Pass --free_air_frames=0 to keep the forces as they were recorded."
        )
    return offset, note


def _command(closure: FloatArray, actions: FloatArray | None, joint_scale: float) -> tuple[FloatArray, str]:
    """The commanded closure if the recording has one, else the closure measured at the next frame."""
    if actions is not None:
        recorded = 1.0 - actions[: len(closure), 6::2] / joint_scale
        if not np.allclose(recorded, closure, atol=1e-3):
            return recorded, "action: the commanded angles in 'actions'"
    return np.concatenate(
        [closure[1:], closure[-1:]]
    ), "action: closure measured at the next frame ('actions' holds no command)"
