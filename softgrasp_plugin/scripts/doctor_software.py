"""What can be wrong with the software beside LeRobot: videos, pictures, weights, the simulation, a dataset or
a policy that does not fit.
"""

import importlib
import importlib.util
import logging
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from ..bounds import require_within
from ..joints import STATE_KEYS, TORQUE_KEYS
from .doctor_checks import Finding, Level

_GRASP_S = 2.0
_GL_PROBE = """
import mujoco
model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><light/></worldbody></mujoco>")
mujoco.Renderer(model, 8, 8)
"""


def check_video() -> Finding:
    """Which decoder reads videos, and what the slower one costs."""
    if importlib.util.find_spec("torchcodec") is not None:
        try:
            importlib.import_module("torchcodec")
        except Exception:  # it lists every FFmpeg that it did not find
            return Finding(
                Level.AMBER,
                "video",
                "torchcodec finds no FFmpeg, so PyAV decodes: slower, the same pictures; datasets with video "
                "cannot be streamed.",
                "sudo apt-get install ffmpeg, or nothing.",
            )
        return Finding(Level.GREEN, "video", "torchcodec decodes")
    return Finding(Level.GREEN, "video", "PyAV decodes (torchcodec is not installed)")


def check_renderer() -> Finding:
    """Whether OpenGL draws; the ray camera needs nothing."""
    try:
        probe = subprocess.run(
            [sys.executable, "-c", _GL_PROBE], capture_output=True, timeout=60, check=False
        )
        works = probe.returncode == 0
    except subprocess.TimeoutExpired:
        works = False
    if works:
        return Finding(Level.GREEN, "camera of the simulation", "ray (default) and --robot.renderer=gl work")
    return Finding(
        Level.GREEN,
        "camera of the simulation",
        "ray (default) works; --robot.renderer=gl does not on this computer, and nothing needs it",
    )


def check_weights() -> Finding:
    """Whether the ImageNet weights of ResNet-18 are here, for those who ask for them."""
    import torch
    from torchvision.models import ResNet18_Weights

    name = ResNet18_Weights.IMAGENET1K_V1.url.rpartition("/")[2]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    found = "are here" if path.is_file() else "would be downloaded by a training that asks for them"
    return Finding(Level.GREEN, "ImageNet weights", f"{found} ({path})")


def check_simulated_grasp() -> Finding:
    """Let the virtual operator grasp for two seconds, and say how fast that is."""
    from ..simulation.devices import SimulatedHand
    from ..simulation.operator import OperatorModel
    from ..simulation.world import World

    try:
        world = World(object_id=1, fps=30, seed=0)
        operator, fingers = OperatorModel(world), SimulatedHand(world)
        fingers.connect()
        started = time.monotonic()
        for _ in range(round(_GRASP_S * 30)):
            fingers.write(operator.expected_closure)
            world.step()
        hand = fingers.read()
    except Exception as error:  # whatever it is, it belongs into the report
        return Finding(
            Level.RED,
            "simulated grasp",
            f"{type(error).__name__}: {error}",
            "Reinstall mujoco, and report it.",
        )
    speed = _GRASP_S / (time.monotonic() - started)
    closed = f"{_GRASP_S:.0f} s simulated: closed to {hand.closure.max():.2f}, {hand.torque.max():.1f} N felt"
    if not hand.closure.max() > 0.1:
        return Finding(Level.RED, "simulated grasp", f"{closed}: the hand did not move.", "Report it.")
    level = Level.GREEN if speed > 1.0 else Level.AMBER
    return Finding(
        level,
        "simulated grasp",
        f"{closed}; {speed:.1f} times real time without pictures",
        "" if level is Level.GREEN else "Something else uses the processor: recordings will be jerky.",
    )


def check_limits(robot: Any, teleop: Any) -> Iterator[Finding]:
    """The limits in force, as configured; they are reported, not judged."""
    hand: Any = getattr(robot, "hand", None)
    arm: Any = getattr(robot, "arm", None)
    if hand is not None:
        said = [f"max_force_n {hand.max_force_n:g} N", f"max_closure_speed {robot.max_closure_speed:g} /s"]
        said += [f"speed {hand.speed:g}"] if hasattr(hand, "speed") else []
        said += [f"torque.mode {robot.torque.mode}"]
        if hasattr(arm, "max_height_m"):
            said += [f"arm {arm.max_height_m:g} m, {arm.max_speed_m_s:g} m/s at most"]
        yield Finding(Level.GREEN, "limits of the robot", ", ".join(said))
    glove = getattr(teleop, "glove", None)
    if glove is not None:
        said = [f"feedback.max_torque {teleop.feedback.max_torque:g} N"]
        said += [
            f"{joint} {motor.max_current_ma:g} mA" for joint, motor in getattr(glove, "motors", {}).items()
        ]
        yield Finding(Level.GREEN, "limits of the glove", ", ".join(said))


def check_features(repo_id: str, root: Path | None) -> Generator[Finding, None, float | None]:
    """Whether a dataset's columns, units and statistics are such as a policy of this package trains on.

    Args:
        repo_id: its name.
        root: its folder; None for LeRobot's own place, or the Hub.

    Returns:
        Its frame rate; None if it cannot be read.
    """
    from lerobot.datasets import LeRobotDatasetMetadata

    subject = f"dataset {root or repo_id}"
    try:
        meta = LeRobotDatasetMetadata(repo_id, root=root)
    except Exception as error:  # of the Hub, of files, of pyarrow
        yield Finding(Level.RED, subject, f"cannot be read ({error!s:.200}).", "Give a folder, or user/name.")
        return None
    yield from _check_columns(subject, meta)
    yield Finding(
        Level.GREEN,
        subject,
        f"{meta.total_episodes} episodes, {meta.fps} frames per second, cameras "
        f"{', '.join(meta.camera_keys) or 'none'}, robot {meta.robot_type}",
    )
    return float(meta.fps)


def _check_columns(subject: str, meta: Any) -> Iterator[Finding]:
    from ..policies.joint_columns import feature_names
    from ..units import check_closure_statistics

    for feature in ("observation.state", "action"):
        try:
            names = feature_names(meta.features, feature)
            missing = [key for key in STATE_KEYS if key not in names]
            if tuple(missing) == TORQUE_KEYS:
                yield Finding(
                    Level.GREEN,
                    subject,
                    f"{feature} has closures and no torques, as a hand without torque sensing records it: "
                    'train with --policy.modalities=\'["image", "angle"]\'',
                )
            elif missing:
                yield Finding(
                    Level.AMBER,
                    subject,
                    f"{feature} lacks {', '.join(missing)}; a policy here that needs them refuses it.",
                    "Record with a robot of this package, or train LeRobot's own policies.",
                )
            if meta.stats and feature in meta.stats:
                check_closure_statistics(names, meta.stats[feature]["min"], meta.stats[feature]["max"])
        except ValueError as error:
            yield Finding(Level.RED, subject, f"{feature}: {error}")
        else:
            yield Finding(Level.GREEN, subject, f"{feature}: {len(names)} columns, units as expected")


def check_policy(path: str, dataset_fps: float | None = None) -> Iterator[Finding]:
    """What a policy sees and was trained on, from its folder or repository."""
    from lerobot.configs import PreTrainedConfig

    subject = f"policy {path}"
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.ERROR)  # which device it was trained on is not the question
    try:
        config: Any = PreTrainedConfig.from_pretrained(path)
    except Exception as error:  # of the Hub, of files, of draccus
        yield Finding(
            Level.RED,
            subject,
            f"cannot be read ({error!s:.300}).",
            "Give a folder `pretrained_model`, or user/name.",
        )
        return
    finally:
        logging.getLogger().setLevel(level)
    inputs = ", ".join(
        f"{key} {tuple(feature.shape)}" for key, feature in (config.input_features or {}).items()
    )
    yield Finding(Level.GREEN, subject, f"{config.type}: sees {inputs}")
    normalization = {
        str(key): getattr(mode, "value", mode) for key, mode in config.normalization_mapping.items()
    }
    yield Finding(Level.GREEN, subject, f"normalisation {normalization}")
    if hasattr(config, "dataset_fps"):
        try:
            config.validate_features()
            require_within("dataset_fps", config.dataset_fps or 0.0, 0.0, 1000.0, "Hz", above_low=True)
        except ValueError as error:
            yield Finding(Level.RED, subject, str(error), "Train it again, or take another checkpoint.")
            return
        fits = dataset_fps is None or dataset_fps == config.dataset_fps
        yield Finding(
            Level.GREEN if fits else Level.RED,
            subject,
            f"senses {', '.join(config.modalities)}; asked {config.dataset_fps:g} times per second"
            + ("" if fits else f", but the dataset has {dataset_fps:g} frames per second"),
        )
