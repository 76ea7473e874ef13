"""The five stages of a grasp, found in a recorded episode (SoftGrasp, section 4.1.2)."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from ..joints import NUM_JOINTS, THUMB_SWING, FloatArray
from .contact import ContactState, ContactTracker, IntArray
from .lift import LiftConfig, LiftSupervisor, is_grasped

BoolArray = NDArray[np.bool_]

_LEFT_POSE = 0.02
"""Closure by which a joint must have left its initial pose before the hand counts as closing."""
_HEIGHT_TOLERANCE_M = 0.002
"""Height that counts as off the ground, and distance from the top that counts as there."""
_SLOWED_DOWN = 2.0
"""How much faster than settled a joint may still move when clutching begins."""
_QUIET_MARGIN = 1.5
"""How much livelier than the end of the episode a quiet moment may be."""


class Stage(IntEnum):
    """The stages in the order in which a grasp passes through them."""

    PREPARATION = 1
    """Initial pose, no contact."""
    CLOSING = 2
    """Fingers bend; torques rise rapidly on contact."""
    CLUTCHING = 3
    """Angles and torques tend to stabilise."""
    RECLUTCHING = 4
    """The object is lifted; slight adjustment."""
    STABLE = 5
    """Held off the ground, nothing changes."""


def segment_stages(
    closure: FloatArray,
    torque: FloatArray,
    fps: float,
    lift_height: FloatArray | None = None,
    config: LiftConfig | None = None,
) -> IntArray:
    """Label every frame of one episode with its stage.

    * Closing starts when a joint touches or a bending joint leaves its initial pose.
    * Clutching starts when the hand has grasped (`is_grasped`) and its joints are coming to rest.
    * Re-clutching starts when the arm rises.
    * Stable is the quiet end of the episode, at the top and with the hand still in contact.

    Where the height was not recorded, the lift is that of a `LiftSupervisor` run over the episode. If it
    never lifts (a noisy or weak sensor), the lift is read from what it does to the grasp: the first
    disturbance after the hand has come to rest.

    Args:
        closure: (N, 6) measured closure.
        torque: (N, 6) measured fingertip force, newtons, 0 when nothing is touched.
        fps: frames per second.
        lift_height: (N,) height of the arm in metres above any fixed level, if it was recorded.
        config: thresholds; the defaults of `LiftConfig` if None.

    Returns:
        (N,) values of `Stage`, never decreasing. A stage that the episode does not reach does not occur.

    Raises:
        ValueError: if shapes disagree, a value is not finite, or `fps` is not positive.
    """
    config = LiftConfig() if config is None else config
    closure, torque = np.asarray(closure, dtype=np.float64), np.asarray(torque, dtype=np.float64)
    if closure.ndim != 2 or closure.shape[1] != NUM_JOINTS or closure.shape != torque.shape:
        raise ValueError(
            f"expected closure and torque of shape (N, {NUM_JOINTS}), got {closure.shape} and {torque.shape}"
        )
    if lift_height is not None and np.shape(lift_height) != closure.shape[:1]:
        raise ValueError(f"expected lift_height of shape {closure.shape[:1]}, got {np.shape(lift_height)}")
    if not 0 < fps < np.inf:
        raise ValueError(f"fps must be a positive number, got {fps}")
    for signal in (closure, torque, lift_height):
        if signal is not None and not np.isfinite(signal).all():
            raise ValueError("closure, torque and lift_height must be finite; drop the frames that hold NaN")
    if len(closure) == 0:
        return np.zeros(0, dtype=np.int64)

    window = max(round(config.settle_s * fps), 1)
    state = _contact_states(closure, torque, fps, config)
    touching = (state != ContactState.FREE).any(axis=1)
    grasped = np.array([is_grasped(row) for row in state])
    bent = (np.abs(closure - closure[0])[:, :THUMB_SWING] > _LEFT_POSE).any(axis=1)
    slow = (_change(closure, window) * fps / window < _SLOWED_DOWN * config.settle_closure_rate).all(axis=1)
    quiet = _quiet(closure, torque, window, fps, config)

    closing = _first(touching | bent)
    clutching = _first((grasped if grasped.any() else touching) & slow)
    if lift_height is None:
        lifting, at_top = _find_lift(closure, torque, quiet, clutching, fps, config)
    else:
        lifting, at_top = _read_lift(np.asarray(lift_height, dtype=np.float64))
    reclutching = _first(lifting)
    stable = _start_of_last_run(quiet & touching & at_top, window)
    if stable <= reclutching:
        stable = len(closure)

    starts = np.minimum.accumulate([stable, reclutching, clutching, closing])
    passed = np.arange(len(closure))[:, None] >= starts
    return np.asarray(Stage.PREPARATION + passed.sum(axis=1), dtype=np.int64)


def _contact_states(closure: FloatArray, torque: FloatArray, fps: float, config: LiftConfig) -> IntArray:
    tracker = ContactTracker(config.contact)
    rate = np.diff(closure, axis=0, prepend=np.inf) * fps
    return np.stack([tracker.update(*row) for row in zip(torque, rate, strict=True)])


def _change(signal: FloatArray, window: int) -> FloatArray:
    """Range (N, D) of each column from a frame to `window` frames later; the last frames share a window."""
    window = min(window, len(signal) - 1)
    change = np.ptp(np.lib.stride_tricks.sliding_window_view(signal, window + 1, axis=0), axis=-1)
    return np.concatenate([change, np.repeat(change[-1:], window, axis=0)])


def _quiet(closure: FloatArray, torque: FloatArray, window: int, fps: float, config: LiftConfig) -> BoolArray:
    """Frames (N,) from which nothing changes for a window, measured against the end of the episode.

    Noise on real sensors may exceed the settle rates for good; what the episode ends on then counts as rest.
    """
    closures = _change(closure, window).max(axis=1) / config.settle_closure_rate
    torques = _change(torque, window).max(axis=1) / config.settle_torque_rate
    activity = np.maximum(closures, torques) * fps / window
    at_the_end = float(np.median(activity[-2 * window :]))
    return np.asarray(activity < max(1.0, _QUIET_MARGIN * at_the_end), dtype=np.bool_)


def _read_lift(height: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Frames (N,) at which the arm has left its first height, and at which it is at the top."""
    return height - height[0] > _HEIGHT_TOLERANCE_M, height > height.max() - _HEIGHT_TOLERANCE_M


def _find_lift(
    closure: FloatArray, torque: FloatArray, quiet: BoolArray, clutching: int, fps: float, config: LiftConfig
) -> tuple[BoolArray, BoolArray]:
    """As `_read_lift`, for an episode without heights."""
    supervisor = LiftSupervisor(config)
    height = np.array(
        [supervisor.update(*row, index / fps) for index, row in enumerate(zip(closure, torque, strict=True))]
    )
    if height.any():
        return _read_lift(height)
    at_rest = np.maximum.accumulate(quiet & (np.arange(len(quiet)) >= clutching))
    return at_rest & ~quiet, np.ones_like(quiet)


def _first(frames: BoolArray) -> int:
    """Index of the first True; the length if there is none."""
    return int(np.argmax(frames)) if frames.any() else len(frames)


def _start_of_last_run(frames: BoolArray, at_least: int) -> int:
    """Where the True frames that end the episode start; its length if they are fewer than `at_least`."""
    breaks = np.flatnonzero(~frames)
    start = int(breaks[-1]) + 1 if breaks.size else 0
    return start if len(frames) - start >= at_least else len(frames)
