"""Configuration of the simulated robot."""

from dataclasses import dataclass, field

from lerobot.cameras.configs import CameraConfig
from lerobot.robots.config import RobotConfig

from ..grasping.lift import LiftConfig
from ..grasping.objects import TASKS
from ..grasping.torque_command import TorqueCommandConfig
from ..joints import CAMERA_KEY
from ..simulation.catalogue import SIM_OBJECT_BY_TASK
from ..simulation.config_simulated_camera import SimulatedCameraConfig
from ..simulation.variation import Variation


def _side_camera() -> dict[str, CameraConfig]:
    return {CAMERA_KEY: SimulatedCameraConfig()}


@RobotConfig.register_subclass("ur3_dexhand_sim")
@dataclass(kw_only=True)
class UR3DexHandSimConfig(RobotConfig):
    """A UR3 with the six-joint hand over simulated devices.

    Attributes:
        objects: tasks presented in turn, one per episode: `object_01` … `object_12` of Table 2, or
            `random_01` … `random_06` that are not in it.
        seed: decides every scene of the session; the same seed gives the same scenes.
        fps: control rate in Hz; one `send_action` advances the world by 1/fps, so give it the value of
            `--dataset.fps`.
        cameras: cameras by name.
        renderer: `ray` needs no graphics driver; `gl` uses MuJoCo's renderer where OpenGL works.
        action_noise: standard deviation of slow noise added to the executed closure while the recorded action
            stays clean (DART); see hub_configs/record/dart.yaml.
        variation: how far the object may differ from its row of Table 2 in an episode. Pose and size, which
            the eye sees, do by default; mass, stiffness and friction, which only touch tells, do not:
            `simulation.variation.HIDDEN_VARIATION` has widths at which touch matters.
        torque: whether and how predicted torques limit the grip.
        lift: when and how the arm is raised.
        arm_joints: also observe the arm's six joint angles in radians.
        rig: name under which a teleoperator in the same process finds this rig.
    """

    objects: list[str] = field(default_factory=lambda: [TASKS[0]])
    seed: int = 0
    fps: int = 30
    cameras: dict[str, CameraConfig] = field(default_factory=_side_camera)
    renderer: str = "ray"
    action_noise: float = 0.0
    variation: Variation = field(default_factory=Variation)
    torque: TorqueCommandConfig = field(default_factory=TorqueCommandConfig)
    lift: LiftConfig = field(default_factory=LiftConfig)
    arm_joints: bool = False
    rig: str = "default"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: for an unknown object, or negative noise.
        """
        super().__post_init__()
        unknown = [name for name in self.objects if name not in SIM_OBJECT_BY_TASK]
        if unknown or not self.objects:
            raise ValueError(
                f"--robot.objects={self.objects} must name at least one of: {', '.join(SIM_OBJECT_BY_TASK)}."
            )
        if self.action_noise < 0:
            raise ValueError(
                f"--robot.action_noise is a standard deviation, 0 or more; got {self.action_noise}."
            )
