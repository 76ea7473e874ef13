"""Whether a trained policy fits what it is about to drive: its columns by name, its rate, its pictures.

LeRobot hands a policy a vector without names. A policy that learned its columns in another order than the
robot gives them would put the thumb's command on the little finger, and nothing would say so; one that
learned at another rate would close at another speed than it was shown.
"""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from lerobot.configs import FeatureType, PreTrainedConfig
from lerobot.robots.robot import Robot
from lerobot.utils.constants import ACTION, OBS_IMAGES, OBS_STATE

from ..envs.config_softgrasp_sim import SoftGraspSimEnvConfig
from ..joints import IMAGE_FEATURE, STATE_KEYS
from ..observed_columns import ObservedColumns
from ..running_command import running_command

logger = logging.getLogger(__name__)

_SEEN_BY_POLICIES = (".pos", ".vel")
"""Endings of the scalars that `lerobot-rollout` gives to a policy and takes from it."""

_SAME = 0.02
"""Rates and aspect ratios that differ by a smaller share count as equal: a picture has whole pixels."""


@dataclass(frozen=True)
class Driven:
    """What a policy is about to drive.

    Attributes:
        name: for messages, such as "the robot ur3_dexhand".
        state_names: columns of `observation.state`, in order.
        action_names: columns of `action`, in order.
        image_sizes: (height, width) of the pictures by observation key.
        fps: rate of the control loop in Hz; None if it is not known.
        fps_option: the option that sets the rate.
        observed: the options that decide the columns; None where there are none.
    """

    name: str
    state_names: Sequence[str]
    action_names: Sequence[str]
    image_sizes: Mapping[str, tuple[int, int]]
    fps: float | None
    fps_option: str
    observed: ObservedColumns | None = None


def check_running_policy(robot: Robot) -> None:
    """Refuse the policy of the running command if it cannot drive this robot; call it before anything moves.

    A command without a policy, and a program of one's own, pass.

    Raises:
        ValueError: see `check_policy_fits`.
    """
    command = running_command()
    if command is None or not isinstance(command.policy, PreTrainedConfig):
        return
    observed = robot.observation_features
    sizes = {
        f"{OBS_IMAGES}.{key}": (shape[0], shape[1])
        for key, shape in observed.items()
        if isinstance(shape, tuple)
    }
    driven = Driven(
        name=f"the robot {robot.name}",
        state_names=[key for key in observed if observed[key] is float and key.endswith(_SEEN_BY_POLICIES)],
        action_names=[key for key in robot.action_features if key.endswith(_SEEN_BY_POLICIES)],
        image_sizes=_renamed(sizes, getattr(command.config, "rename_map", {})),
        fps=command.fps,
        fps_option="--fps",
        observed=getattr(robot, "observed", None),  # another plugin's robot has no such options
    )
    check_policy_fits(command.policy, driven)


def check_running_environment(policy: PreTrainedConfig) -> None:
    """Refuse a policy that cannot act in the simulation of the running `lerobot-eval` or `lerobot-train`.

    Raises:
        ValueError: see `check_policy_fits`.
    """
    command = running_command()
    config = None if command is None else command.config
    env = getattr(config, "env", None)
    if not isinstance(env, SoftGraspSimEnvConfig) or getattr(config, "env_eval_freq", 1) <= 0:
        return
    sizes = {IMAGE_FEATURE: (env.observation_height, env.observation_width)}
    driven = Driven(
        name="the environment softgrasp_sim",
        state_names=env.observed.state_names,
        action_names=env.observed.action_names,
        image_sizes=_renamed(sizes, getattr(config, "rename_map", {})),
        fps=env.fps,
        fps_option="--env.fps",
        observed=env.observed,
    )
    check_policy_fits(policy, driven)


def refuse_compilation() -> None:
    """Refuse `--use_torch_compile=true` for a policy whose `select_action` does not pass through what LeRobot
    compiles; the flag would only make the first ticks wait.

    Raises:
        ValueError: if the running `lerobot-rollout` was asked to compile.
    """
    command = running_command()
    if command is not None and getattr(command.config, "use_torch_compile", False):
        raise ValueError(
            "--use_torch_compile=true compiles `predict_action_chunk`, which predicts from whole stacks of "
            "pictures. At every tick this policy encodes the newest picture alone and remembers the others, "
            "which saves more: leave the flag out. On a CPU --policy.use_amp=true makes a tick faster."
        )


def refuse_moved_columns(before: Mapping[str, int], now: Mapping[str, int], has_deadband: bool) -> None:
    """Refuse to train a checkpoint further on a dataset whose joints lie in other columns than it goes by.

    A resumed training keeps the checkpoint's statistics, column by column, so that joints would be normalised
    with each other's ranges. A new training that starts from a checkpoint takes the new dataset's, but keeps
    the columns of the actions that its `closure_deadband` holds.

    Args:
        before: columns by channel, from the checkpoint; empty in a new training.
        now: the same, from the dataset.
        has_deadband: whether the checkpoint has a `closure_deadband`.

    Raises:
        ValueError: naming the channels.
    """
    command = running_command()
    resumes = command is not None and bool(getattr(command.config, "resume", False))
    moved = [
        f"{channel} was column {before[channel]} and is column {now[channel]}"
        for channel in before
        if channel in now and before[channel] != now[channel]
        if resumes or (has_deadband and channel.startswith(ACTION))
    ]
    if moved and resumes:
        raise ValueError(
            f"This training cannot be resumed on this dataset: {'; '.join(moved)}. Resume with the dataset "
            "it began with, or start a new training from the checkpoint with --policy.path."
        )
    if moved:
        raise ValueError(
            f"This checkpoint cannot be trained further on this dataset: {'; '.join(moved)}, and the "
            "`closure_deadband` in its postprocessor goes by those columns. Record the joints in their "
            "order, or train anew with --policy.type."
        )


def check_policy_fits(policy: PreTrainedConfig, driven: Driven) -> None:
    """Compare what a policy was trained on with what it is about to drive.

    Columns are compared where the policy's configuration knows their names (this plugin's policies do) or at
    least their number. Pictures of another size and the same shape are warned about, not refused.

    Args:
        policy: its configuration, of this plugin or any other.
        driven: what it will drive.

    Raises:
        ValueError: naming every column, rate or picture that differs.
    """
    layout = None if driven.observed is None else driven.observed.fault(policy)
    faults = [
        *([] if layout is None else [layout]),
        *_column_faults(OBS_STATE, _state_names(policy), driven.state_names),
        *_column_faults(ACTION, _action_names(policy), driven.action_names),
        *_rate_faults(policy, driven),
        *_image_faults(policy, driven),
    ]
    if faults:
        raise ValueError(f"This policy cannot drive {driven.name}: {' '.join(faults)}")


def column_differences(trained: Sequence[str | None], given: Sequence[str]) -> list[str]:
    """Which columns differ, in words; a trained name None is not known and fits any."""
    return [
        f"column {index} is {ours or 'absent'} in training and {theirs or 'absent'} here"
        for index, (ours, theirs) in enumerate(zip_longest(trained, given, fillvalue=""))
        if ours is not None and ours != theirs
    ]


def _column_faults(feature: str, trained: Sequence[str | None] | None, given: Sequence[str]) -> Iterable[str]:
    if trained is None:
        return
    differences = column_differences(trained, given)
    if len(trained) > len(given) and not differences:  # nameless columns in excess
        differences = [f"it has {len(trained)} columns in training and {len(given)} here"]
    if differences:
        yield (
            f"In {feature!r}, {'; '.join(differences)}. Joints would be exchanged: train on a dataset with "
            "the columns in this order, or drive the robot with the options of the recording."
        )


def _state_names(policy: PreTrainedConfig) -> list[str | None] | None:
    """Names of the columns the policy reads, None for a column without; None if it reads no state."""
    state = policy.robot_state_feature
    if state is None:
        return None
    names = getattr(policy, "state_feature_names", None)
    if names:
        return list(names)
    columns = getattr(policy, "state_angle_columns", None), getattr(policy, "state_torque_columns", None)
    return _named_columns(state.shape[0], *columns)


def _action_names(policy: PreTrainedConfig) -> list[str | None] | None:
    action = policy.action_feature
    if action is None:
        return None
    names = getattr(policy, "action_feature_names", None)
    if names:
        return list(names)
    columns = getattr(policy, "action_angle_columns", None), getattr(policy, "action_torque_columns", None)
    return _named_columns(action.shape[0], *columns)


def _named_columns(
    width: int, angles: Sequence[int] | None, torques: Sequence[int] | None
) -> list[str | None]:
    """Column names as far as a configuration that stores only columns tells them."""
    names: list[str | None] = [None] * width
    half = len(STATE_KEYS) // 2
    for columns, keys in ((angles, STATE_KEYS[:half]), (torques, STATE_KEYS[half:])):
        for column, key in zip(columns or (), keys, strict=False):
            names[column] = key
    return names


def _rate_faults(policy: PreTrainedConfig, driven: Driven) -> Iterable[str]:
    trained = getattr(policy, "dataset_fps", None)
    if trained and driven.fps and abs(driven.fps / trained - 1) > _SAME:
        yield (
            f"It was trained at {trained:g} Hz and would be asked at {driven.fps:g} Hz, so that everything "
            f"happens at {driven.fps / trained:.2g} times the speed it was shown: set "
            f"{driven.fps_option}={trained:g}."
        )


def _image_faults(policy: PreTrainedConfig, driven: Driven) -> Iterable[str]:
    inputs = policy.input_features or {}
    for key, feature in inputs.items():
        if feature.type is not FeatureType.VISUAL:
            continue
        if key not in driven.image_sizes:
            if getattr(policy, "image_key", None) == key:  # others may do without, or LeRobot refuses them
                yield f"It sees {key!r}, and the cameras here are {sorted(driven.image_sizes) or 'none'}."
            continue
        trained, given = tuple(feature.shape[-2:]), driven.image_sizes[key]
        if trained == given:
            continue
        sizes = f"{key!r} was {trained[1]}×{trained[0]} pixels in training and is {given[1]}×{given[0]} here"
        if abs(math.log(given[1] / given[0] * trained[0] / trained[1])) > _SAME:
            yield f"{sizes}, another shape: what it shows would be stretched. Set the camera as it was."
        else:
            logger.warning("%s; the policy resizes it, but has not seen such pictures.", sizes)


def _renamed[T](values: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names.get(key, key): value for key, value in values.items()}
