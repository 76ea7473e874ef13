"""The robot over simulated devices, in lock step: one action is one tick of the world."""

from typing import Any

from lerobot.cameras.utils import make_cameras_from_configs
from lerobot.lerobot_types import RobotAction, RobotObservation
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from ..grasping.action_noise import ActionNoise
from ..joints import FloatArray
from ..running_command import running_command
from ..simulation.arm import ARM_JOINTS
from ..simulation.devices import SimulatedArm, SimulatedHand
from ..simulation.session import Session, Trial
from ..simulation.simulated_camera import SimulatedCamera
from ..simulation.world import World
from .config_ur3_dexhand_sim import UR3DexHandSimConfig
from .grasp_robot import GraspRobot

_ARM_KEYS = tuple(f"{joint}.pos" for joint in ARM_JOINTS)


class UR3DexHandSim(GraspRobot):
    """UR3 and hand in MuJoCo; see `UR3DexHandSimConfig` for the options."""

    config_class = UR3DexHandSimConfig
    name = "ur3_dexhand_sim"

    def __init__(self, config: UR3DexHandSimConfig) -> None:
        shapes = {name: (camera.height, camera.width, 3) for name, camera in config.cameras.items()}
        super().__init__(config, lift=config.lift, torque=config.torque, camera_shapes=shapes)
        self.config = config
        self.cameras = make_cameras_from_configs(config.cameras)
        self._session: Session | None = None
        self._noise: ActionNoise | None = None

    @property
    def observation_features(self) -> dict[str, Any]:
        arm = dict.fromkeys(_ARM_KEYS, float) if self.config.arm_joints else {}
        scalars = {key: value for key, value in super().observation_features.items() if value is float}
        return {**scalars, **arm, **self._camera_shapes}

    @property
    def is_connected(self) -> bool:
        return self._session is not None

    @property
    def is_calibrated(self) -> bool:
        return True

    def calibrate(self) -> None:
        """Nothing to do: simulated joints are exact."""

    def configure(self) -> None:
        """Nothing to do: the configuration is part of the model."""

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        """Build the world and set the first scene."""
        config = self.config
        world = World(fps=config.fps, variation=config.variation, renderer=config.renderer)
        session = Session(world, config.objects, config.seed, running_command())
        session.listeners.append(self._on_trial)
        self.hand, self.arm = SimulatedHand(world), SimulatedArm(world)
        self.hand.connect()
        self.arm.connect()
        session.open(config.rig)
        self._session = session
        for camera in self.cameras.values():
            if isinstance(camera, SimulatedCamera):
                camera.attach(world)
            camera.connect()

    @check_if_not_connected
    def get_observation(self) -> RobotObservation:
        observation = super().get_observation()
        if self.config.arm_joints:
            observation.update(zip(_ARM_KEYS, self._open_session.world.arm_joints.tolist(), strict=True))
        return {key: observation[key] for key in self.observation_features}

    @check_if_not_connected
    def send_action(self, action: RobotAction) -> RobotAction:
        self._open_session.require_announcement()
        sent = super().send_action(action)
        self._open_session.world.step()
        return sent

    @check_if_not_connected
    def disconnect(self) -> None:
        self._open_session.close(self.config.rig)
        self._session = None
        self.hand.disconnect()
        self.arm.disconnect()
        for camera in self.cameras.values():
            camera.disconnect()

    @property
    def _open_session(self) -> Session:
        assert self._session is not None
        return self._session

    def _execute(self, closure: FloatArray) -> FloatArray:
        return closure if self._noise is None else (closure + self._noise.step()).clip(0.0, 1.0)

    def _on_trial(self, trial: Trial) -> None:
        std = self.config.action_noise
        self._noise = ActionNoise(std, seed=trial.seed) if std > 0 else None
        self._start_trial(self.hand.read().closure)
