"""The robot over simulated devices, in lock step: one action is one tick of the world."""

from typing import Any

from lerobot.lerobot_types import RobotAction, RobotObservation
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from ..grasping.action_noise import ActionNoise
from ..joints import ARM_KEYS, FloatArray
from ..observed_columns import ObservedColumns
from ..policies.fit import check_running_policy
from ..running_command import EpisodeNotes, running_command
from ..simulation.devices import SimulatedArm, SimulatedHand
from ..simulation.session import Session, TrialSetup
from ..simulation.simulated_camera import SimulatedCamera
from ..simulation.world import World
from .config_ur3_dexhand_sim import UR3DexHandSimConfig
from .grasp_robot import GraspRobot
from .loop_rate import loop_rate
from .safe_recording import SafeRecording
from .scene_notes import Scene, chosen_scene, scene_notes


class UR3DexHandSim(GraspRobot):
    """UR3 and hand in MuJoCo; see `UR3DexHandSimConfig` for the options."""

    config_class = UR3DexHandSimConfig
    name = "ur3_dexhand_sim"

    def __init__(self, config: UR3DexHandSimConfig) -> None:
        super().__init__(config, lift=config.lift, torque=config.torque, cameras=config.cameras)
        self.config = config
        self._recording = SafeRecording(is_simulated=True)
        self._session: Session | None = None
        self._noise: ActionNoise | None = None
        self._scene: Scene
        self._notes: EpisodeNotes | None = None
        self._recorded: Any = None
        self._noted_episode = 0

    @property
    def observed(self) -> ObservedColumns:
        config = self.config
        return ObservedColumns(
            config.measures_torque, "--robot.measures_torque", config.arm_joints, "--robot.arm_joints"
        )

    @property
    def observation_features(self) -> dict[str, Any]:
        arm = dict.fromkeys(ARM_KEYS, float) if self.config.arm_joints else {}
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
        """Build the world and set the first scene.

        Raises:
            ValueError: if the command's rate is not the robot's, its policy does not fit the robot, or the
                notes of a replayed dataset are damaged.
        """
        config, command = self.config, running_command()
        check_running_policy(self)
        rate, self._scene = loop_rate(config.fps, command), chosen_scene(config, command)
        world = World(fps=rate, settings=config.world, renderer=config.renderer)
        scene = self._scene
        session = Session(world, scene.objects, scene.seed, scene.episode, scene.attempt, command)
        session.listeners.append(self._on_trial)
        session.judges.append(self._on_verdict)
        self.hand, self.arm = SimulatedHand(world), SimulatedArm(world)
        self.hand.connect()
        self.arm.connect()
        session.open(config.rig)
        self._session = session
        for camera in self.cameras.values():
            if isinstance(camera, SimulatedCamera):
                camera.attach(world)
            camera.connect()
        self._recording.begin()

    @check_if_not_connected
    def get_observation(self) -> RobotObservation:
        observation = super().get_observation()
        if self.config.arm_joints:
            observation.update(zip(ARM_KEYS, self._open_session.world.arm_joints.tolist(), strict=True))
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
        self._recording.end()

    @property
    def _open_session(self) -> Session:
        assert self._session is not None
        return self._session

    def _execute(self, closure: FloatArray) -> FloatArray:
        return closure if self._noise is None else (closure + self._noise.step()).clip(0.0, 1.0)

    def _remember(self, trial: TrialSetup) -> None:
        """Write down which scene is recorded, if a dataset is recorded and an episode of it begins."""
        command = running_command()
        if self._session is None or not self._session.is_announced or command is None:
            return
        dataset = command.dataset
        if dataset is not None and command.is_recording:
            self._notes, self._recorded = EpisodeNotes(dataset), dataset
            self._noted_episode = dataset.num_episodes
            task = self._session.world.object.table_row.task
            self._notes.begin(**scene_notes(self.config, self._scene.seed, trial, task))

    def _on_verdict(self, verdict: str) -> None:
        # What falls when the last episode is saved belongs to none.
        if self._notes is not None and self._recorded.num_episodes == self._noted_episode:
            self._notes.add(verdict=verdict)

    def _mark(self, **notes: str) -> None:
        if self._notes is not None:
            self._notes.add(**notes)

    def _on_trial(self, trial: TrialSetup) -> None:
        self._remember(trial)
        std = self.config.action_noise
        self._noise = ActionNoise(std, seed=trial.seed) if std > 0 else None
        self._start_trial(self.hand.read().closure)
