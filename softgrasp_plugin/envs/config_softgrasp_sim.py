"""Configuration of the `softgrasp_sim` environment."""

from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs.configs import EnvConfig
from lerobot.utils.constants import ACTION, OBS_STATE

from ..bounds import require_within
from ..grasping.torque_command import TorqueCommandConfig, require_ignored
from ..joints import IMAGE_FEATURE
from ..observed_columns import ObservedColumns
from ..running_command import running_command
from ..simulation.camera import check_picture_size, check_renderer
from ..simulation.catalogue import SIM_OBJECT_BY_TASK, expand_tasks
from ..simulation.clock import check_rate
from ..simulation.settings import WorldOptions

ALL_TASKS = "all"
_LONGEST_EPISODE = 100_000


@EnvConfig.register_subclass("softgrasp_sim")
@dataclass
class SoftGraspSimEnvConfig(WorldOptions, EnvConfig):
    """One task per object; `WorldSettings` says what its further options mean.

    Attributes:
        task: `object_01` … `object_12` of Table 2, or `random_01` … `random_66` that are not in it; several
            separated by commas; `all` stands for the twelve, `random` for the first six others, `diverse` for
            the sixty after them.
        fps: control rate in Hz; use the rate of the dataset that the policy was trained on.
        episode_length: control ticks until an undecided trial ends as a failure.
        observation_height: image height in pixels; use the recorded size.
        observation_width: image width in pixels.
        renderer: `ray` needs no graphics driver; `gl` uses MuJoCo's renderer where OpenGL works.
        torque: whether and how predicted torques limit or correct the grip, as on the robot.
        video_height: height of the pictures in the videos of an evaluation; None (with `video_width`) for
            those that the policy sees. Larger ones are drawn for the video alone.
        video_width: their width.
        arm_joints: also observe the arm's six joint angles in radians; as the dataset was recorded.
        measures_torque: False for a policy of closures alone, as a hand without torque sensing records them.
    """

    task: str | None = ALL_TASKS
    fps: int = 30
    episode_length: int = 300
    observation_height: int = 240
    observation_width: int = 320
    renderer: str = "ray"
    torque: TorqueCommandConfig = field(default_factory=TorqueCommandConfig)
    arm_joints: bool = False
    measures_torque: bool = True
    video_height: int | None = None
    video_width: int | None = None
    features: dict[str, PolicyFeature] = field(default_factory=dict)
    features_map: dict[str, str] = field(
        default_factory=lambda: {ACTION: ACTION, "agent_pos": OBS_STATE, IMAGE_FEATURE: IMAGE_FEATURE}
    )

    def __post_init__(self) -> None:
        """Derive the features from the image size.

        Raises:
            ValueError: for an unknown task, surface or renderer, or a number out of its range.
        """
        check_rate("--env.fps", self.fps)
        if self.max_parallel_tasks != 1:
            raise ValueError(
                f"--env.max_parallel_tasks={self.max_parallel_tasks}: LeRobot would call one policy from "
                "several threads at once, and a policy that remembers what it saw would mix up the tasks. "
                "Leave it at 1; --eval.batch_size runs several trials of a task side by side."
            )
        require_within("--env.episode_length", self.episode_length, 1, _LONGEST_EPISODE, "ticks")
        check_picture_size("--env.observation_", self.observation_height, self.observation_width)
        if (self.video_height is None) != (self.video_width is None):
            raise ValueError("--env.video_height and --env.video_width: give both, or neither.")
        if self.video_size is not None:
            check_picture_size("--env.video_", *self.video_size)
        check_renderer(self.renderer)
        if not self.measures_torque:
            require_ignored(self.torque, "--env.torque.mode", "--env.measures_torque")
        self.world  # noqa: B018 checked
        expand_tasks(self.task or ALL_TASKS)
        columns, state = (len(names) for names in (self.observed.action_names, self.observed.state_names))
        image = (self.observation_height, self.observation_width, 3)
        self.features = {
            ACTION: PolicyFeature(type=FeatureType.ACTION, shape=(columns,)),
            "agent_pos": PolicyFeature(type=FeatureType.STATE, shape=(state,)),
            IMAGE_FEATURE: PolicyFeature(type=FeatureType.VISUAL, shape=image),
        }

    def _check_against_training(self) -> None:
        """Refuse to try a policy with another state or another rate than it was trained on.

        Raises:
            ValueError: if one of them differs, naming the option.
        """
        command = running_command()
        if command is None:
            return
        # Here and not in `policies.fit` alone, which only this plugin's own policies ask.
        fault = self.observed.fault(command.policy)
        if fault is not None:
            raise ValueError(fault)
        if command.fps not in (None, self.fps):
            raise ValueError(
                f"--env.fps={self.fps}, but the policy is trained on {command.fps:g} frames per second: "
                f"use --env.fps={command.fps:g}."
            )

    @property
    def observed(self) -> ObservedColumns:
        """Which columns a policy is given, and the options that say so."""
        return ObservedColumns(
            self.measures_torque, "--env.measures_torque", self.arm_joints, "--env.arm_joints"
        )

    @property
    def tasks(self) -> tuple[str, ...]:
        """The selected tasks, in the order given."""
        return expand_tasks(self.task or ALL_TASKS)

    @property
    def video_size(self) -> tuple[int, int] | None:
        """(height, width) of a video's pictures; None for those that the policy sees."""
        if self.video_height is None or self.video_width is None:
            return None
        return self.video_height, self.video_width

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        return {
            "fps": self.fps,
            "episode_length": self.episode_length,
            "height": self.observation_height,
            "width": self.observation_width,
            "renderer": self.renderer,
            "torque": self.torque,
            "world": self.world,
            "arm_joints": self.arm_joints,
            "measures_torque": self.measures_torque,
            "video_size": self.video_size,
        }

    def create_envs(
        self, n_envs: int, use_async_envs: bool = False
    ) -> dict[str, dict[int, gym.vector.VectorEnv]]:
        """Build `{"softgrasp_sim": {object id: vector environment}}`, one entry per selected task.

        Raises:
            ValueError: if the policy of the running command was trained on another state or rate.
        """
        from .vector import make_vector_env

        self._check_against_training()
        return {
            self.type: {
                SIM_OBJECT_BY_TASK[task].object_id: make_vector_env(
                    task, n_envs, use_async_envs, self.gym_kwargs
                )
                for task in self.tasks
            }
        }
