"""Configuration of the `softgrasp_sim` environment."""

from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs.configs import EnvConfig
from lerobot.utils.constants import ACTION, OBS_STATE

from ..grasping.lift import LiftConfig
from ..joints import IMAGE_FEATURE, STATE_KEYS
from ..simulation.camera_faults import CameraFaults
from ..simulation.catalogue import SIM_OBJECT_BY_TASK, expand_tasks
from ..simulation.objects import find_surface
from ..simulation.variation import Variation

ALL_TASKS = "all"


@EnvConfig.register_subclass("softgrasp_sim")
@dataclass
class SoftGraspSimEnvConfig(EnvConfig):
    """One task per object.

    Attributes:
        task: `object_01` … `object_12` of Table 2, or `random_01` … `random_06` that are not in it; several
            separated by commas; `all` stands for the twelve, `random` for the six.
        fps: control rate in Hz; use the rate of the dataset that the policy was trained on.
        episode_length: control ticks until an undecided trial ends as a failure.
        observation_height: image height in pixels; use the recorded size.
        observation_width: image width in pixels.
        renderer: `ray` needs no graphics driver; `gl` uses MuJoCo's renderer where OpenGL works.
        torque_command: `ignore`, or `limit` to let predicted torques cap the grip.
        torque_noise: standard deviation of the torque sensor's noise in newtons; None for the simulation's
            own default.
        lift: when and how the arm is raised; use what the demonstrations were recorded with.
        variation: how far the object may differ from its row of Table 2 in an episode. Pose and size, which
            the eye sees, do by default; mass, stiffness and friction, which only touch tells, do not:
            `simulation.variation.HIDDEN_VARIATION` has widths at which touch matters.
        surface: material whose contact physics the objects have instead of their own, for instance `TPE` or
            `stainless steel`, so that one object can be met soft and rigid; what is seen does not change.
        camera_shift_m: half-width in metres of a shift of the camera along each axis, drawn per episode.
        camera_turn_rad: half-width in radians of a rotation of the camera about each axis, drawn per episode.
        dropped_frame_rate: probability that a control tick gets the camera's previous picture again.
    """

    task: str | None = ALL_TASKS
    fps: int = 30
    episode_length: int = 300
    observation_height: int = 240
    observation_width: int = 320
    renderer: str = "ray"
    torque_command: str = "ignore"
    torque_noise: float | None = None
    lift: LiftConfig = field(default_factory=LiftConfig)
    variation: Variation = field(default_factory=Variation)
    surface: str | None = None
    camera_shift_m: float = 0.0
    camera_turn_rad: float = 0.0
    dropped_frame_rate: float = 0.0
    features: dict[str, PolicyFeature] = field(default_factory=dict)
    features_map: dict[str, str] = field(
        default_factory=lambda: {ACTION: ACTION, "agent_pos": OBS_STATE, IMAGE_FEATURE: IMAGE_FEATURE}
    )

    def __post_init__(self) -> None:
        """Derive the features from the image size.

        Raises:
            ValueError: for an unknown task, an unknown surface, or a number out of
                its range.
        """
        expand_tasks(self.task or ALL_TASKS)
        if self.torque_noise is not None and not self.torque_noise >= 0:
            raise ValueError(
                f"--env.torque_noise is a standard deviation in newtons, 0 or more; got {self.torque_noise}."
            )
        if self.surface is not None:
            find_surface(self.surface)
        CameraFaults(self.camera_shift_m, self.camera_turn_rad, self.dropped_frame_rate)
        vector = (len(STATE_KEYS),)
        image = (self.observation_height, self.observation_width, 3)
        self.features = {
            ACTION: PolicyFeature(type=FeatureType.ACTION, shape=vector),
            "agent_pos": PolicyFeature(type=FeatureType.STATE, shape=vector),
            IMAGE_FEATURE: PolicyFeature(type=FeatureType.VISUAL, shape=image),
        }

    @property
    def tasks(self) -> tuple[str, ...]:
        """The selected tasks, in the order given."""
        return expand_tasks(self.task or ALL_TASKS)

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        return {
            "fps": self.fps,
            "episode_length": self.episode_length,
            "height": self.observation_height,
            "width": self.observation_width,
            "renderer": self.renderer,
            "torque_command": self.torque_command,
            "torque_noise": self.torque_noise,
            "lift": self.lift,
            "variation": self.variation,
            "surface": self.surface,
            "camera_shift_m": self.camera_shift_m,
            "camera_turn_rad": self.camera_turn_rad,
            "dropped_frame_rate": self.dropped_frame_rate,
        }

    def create_envs(
        self, n_envs: int, use_async_envs: bool = False
    ) -> dict[str, dict[int, gym.vector.VectorEnv]]:
        """Build `{"softgrasp_sim": {object id: vector environment}}`, one entry per selected task."""
        from .vector import make_vector_env

        return {
            self.type: {
                SIM_OBJECT_BY_TASK[task].object_id: make_vector_env(
                    task, n_envs, use_async_envs, self.gym_kwargs
                )
                for task in self.tasks
            }
        }
