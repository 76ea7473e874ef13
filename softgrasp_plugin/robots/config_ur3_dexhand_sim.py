"""Configuration of the simulated robot."""

from dataclasses import dataclass, field

from lerobot.cameras.configs import CameraConfig
from lerobot.robots.config import RobotConfig

from ..bounds import require_within
from ..grasping.objects import TASKS
from ..grasping.torque_command import TorqueCommandConfig, require_ignored
from ..joints import CAMERA_KEY
from ..simulation.camera import check_renderer
from ..simulation.catalogue import SIM_OBJECT_BY_TASK, TASK_GROUPS
from ..simulation.clock import MAX_EPISODE, MAX_SEED, check_rate
from ..simulation.config_simulated_camera import SimulatedCameraConfig
from ..simulation.settings import WorldOptions

_MOST_ACTION_NOISE = 0.2
"""Standard deviation in closure; a fifth of a joint's whole way is no demonstration any more."""


def _side_camera() -> dict[str, CameraConfig]:
    return {CAMERA_KEY: SimulatedCameraConfig()}


@RobotConfig.register_subclass("ur3_dexhand_sim")
@dataclass(kw_only=True)
class UR3DexHandSimConfig(WorldOptions, RobotConfig):
    """A UR3 with the six-joint hand over simulated devices; `WorldSettings` says what its further options
    mean.

    Attributes:
        objects: tasks presented in turn, one per episode: `object_01` … `object_12` of Table 2, or
            `random_01` … `random_66` that are not in it; `all`, `random` and `diverse` stand for the twelve,
            the first six random ones and the sixty after them.
        seed: decides every scene of the session; the same seed gives the same scenes.
        episode: number of the scene that the session begins with. Objects, seed and episode say which scene
            is met, in every command; `lerobot-replay` takes that of the replayed episode, if its dataset
            remembers it.
        attempt: number of the attempt at that episode; recording it again presents another scene.
        fps: control rate in Hz; one `send_action` advances the world by 1/fps. None, the default, follows the
            command that drives the robot; another rate than the command's is refused.
        cameras: cameras by name.
        renderer: `ray` needs no graphics driver; `gl` uses MuJoCo's renderer where OpenGL works.
        action_noise: standard deviation of slow noise added to the executed closure while the recorded action
            stays clean (DART); see hub_configs/record/dart.yaml.
        torque: whether and how predicted torques limit or correct the grip.
        arm_joints: also observe the arm's six joint angles in radians.
        measures_torque: False records and executes closures alone, as a hand without torque sensing does.
            The simulated person still feels the object, and the arm still rises once it is held.
        rig: name under which a teleoperator in the same process finds this rig.
    """

    objects: list[str] = field(default_factory=lambda: [TASKS[0]])
    seed: int = 0
    episode: int = 0
    attempt: int = 0
    fps: int | None = None
    cameras: dict[str, CameraConfig] = field(default_factory=_side_camera)
    renderer: str = "ray"
    action_noise: float = 0.0
    torque: TorqueCommandConfig = field(default_factory=TorqueCommandConfig)
    arm_joints: bool = False
    measures_torque: bool = True
    rig: str = "default"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for an unknown object, surface or renderer, or a number out of its range.
        """
        super().__post_init__()
        self.objects = [task for name in self.objects for task in TASK_GROUPS.get(name, (name,))]
        unknown = [name for name in self.objects if name not in SIM_OBJECT_BY_TASK]
        if unknown or not self.objects:
            raise ValueError(
                f"--robot.objects={self.objects} must name at least one of: {', '.join(SIM_OBJECT_BY_TASK)}."
            )
        if self.fps is not None:
            check_rate("--robot.fps", self.fps)
        for name in ("episode", "attempt"):
            require_within(f"--robot.{name}", getattr(self, name), 0, MAX_EPISODE)
        require_within("--robot.seed", self.seed, 0, MAX_SEED)
        require_within("--robot.action_noise", self.action_noise, 0.0, _MOST_ACTION_NOISE)
        if not self.measures_torque:
            require_ignored(self.torque, "--robot.torque.mode", "--robot.measures_torque")
        check_renderer(self.renderer)
        self.world  # noqa: B018 checked
