"""The rig as a LeRobot robot: a hand that grasps, an arm that lifts what is grasped, and cameras."""

import abc
import logging
import math
from typing import Any

import numpy as np
from lerobot.cameras.camera import Camera
from lerobot.cameras.configs import CameraConfig
from lerobot.cameras.utils import make_cameras_from_configs
from lerobot.lerobot_types import RobotAction, RobotObservation
from lerobot.robots.config import RobotConfig
from lerobot.robots.robot import Robot
from lerobot.utils.decorators import check_if_not_connected

from ..devices.arms.protocol import Arm
from ..devices.hands.protocol import Hand
from ..devices.hands.torque_execution import TorqueExecution
from ..grasping.lift import LiftConfig, LiftPhase, LiftSupervisor
from ..grasping.plausibility import PlausibilityWatch
from ..grasping.torque_command import TorqueCommandConfig
from ..joints import CLOSURE_KEYS, NUM_JOINTS, TORQUE_KEYS, FloatArray, from_keys, to_keys
from ..live import Arrangement, show
from ..observed_columns import ObservedColumns
from ..running_command import EpisodeNotes, running_command
from .cameras import camera_features, read_cameras
from .safe_recording import SafeRecording

logger = logging.getLogger(__name__)

_UNKNOWN = np.full(NUM_JOINTS, math.nan)


class GraspRobot(Robot, abc.ABC):
    """Everything that does not depend on which devices are plugged in.

    Observation: closure and torque of the six joints (`joints.STATE_KEYS`) and the cameras, with depth where
    they measure it. Action: the same twelve keys; closures are executed, torques limit or correct the grip
    where the configuration says so. An action may lack keys: a missing closure keeps its last command.
    Without torque sensing both have the six closures alone.
    """

    hand: Hand
    arm: Arm
    cameras: dict[str, Camera]

    def __init__(
        self,
        config: RobotConfig,
        *,
        lift: LiftConfig,
        torque: TorqueCommandConfig,
        cameras: dict[str, CameraConfig],
    ) -> None:
        super().__init__(config)
        self._supervisor = LiftSupervisor(lift)
        self._torque = TorqueExecution(torque)
        self._camera_shapes = camera_features(cameras)
        self.cameras = make_cameras_from_configs(cameras)
        self._arrangement = Arrangement(tuple(self._camera_shapes))
        self._commanded: FloatArray = np.zeros(NUM_JOINTS)
        self._plausibility = PlausibilityWatch()
        self._recording = SafeRecording()

    @property
    @abc.abstractmethod
    def observed(self) -> ObservedColumns:
        """Which columns are observed and executed, and the options that say so."""

    @property
    def observation_features(self) -> dict[str, Any]:
        return {**self.action_features, **self._camera_shapes}

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(self.observed.action_names, float)

    @property
    def lift_phase(self) -> str:
        """Where the lift stands: grasping, lifting or holding."""
        return str(self._supervisor.phase)

    @check_if_not_connected
    def get_observation(self) -> RobotObservation:
        """The newest sample of the hand and the newest picture of every camera; waits for neither.

        Raises:
            DeviceError: if the hand is lost or silent, or a camera's newest picture is too old.
        """
        self._recording.update()
        sample = self.hand.read()
        pictures = read_cameras(self.cameras, self._camera_shapes)
        torque = sample.torque if self.observed.measures_torque else None
        return {**to_keys(sample.closure, torque), **pictures}

    @check_if_not_connected
    def send_action(self, action: RobotAction) -> RobotAction:
        """Command the hand and let the lift supervisor move the arm.

        Returns:
            The action with the closures that were executed.

        Raises:
            ValueError: if a closure is not finite; the hand then keeps its last command.
        """
        wanted = from_keys(action, CLOSURE_KEYS, self._commanded)
        if not np.isfinite(wanted).all():
            bad = [key for key, value in zip(CLOSURE_KEYS, wanted, strict=True) if not math.isfinite(value)]
            raise ValueError(
                f"Action {bad} is not finite, so the hand keeps its last command. "
                "Expected 0 (open) … 1 (closed)."
            )
        torque = from_keys(action, TORQUE_KEYS, _UNKNOWN)
        commanded = wanted.clip(0.0, 1.0)
        grip = self._torque.plan(self.hand, commanded, torque)
        executed = self._execute(grip.closure)
        self.hand.write(executed, grip.torque_limit)
        # A command that the hand did not take is not the last one.
        self._commanded = commanded
        self._torque.executed(grip)
        sample = self.hand.read()
        for doubt in self._plausibility.update(grip.closure, sample.closure, sample.torque, sample.timestamp):
            self._doubt(doubt)
        self.arm.command_lift(self._supervisor.update(sample.closure, sample.torque, sample.timestamp))
        show(lambda: {"lift": float(list(LiftPhase).index(self._supervisor.phase))})
        self._arrangement.update(self.observed.measures_torque)
        return {**action, **dict(zip(CLOSURE_KEYS, executed.tolist(), strict=True))}

    def _execute(self, closure: FloatArray) -> FloatArray:
        """The closure that is really commanded; a subclass may disturb or limit it."""
        return closure

    def _doubt(self, doubt: str) -> None:
        """Say what is implausible, and mark the episode if one is being recorded."""
        logger.warning("Implausible %s. Look at the hand before you record more.", doubt)
        subject, _, text = doubt.partition(": ")
        self._mark(**{f"implausible {subject}": text})

    def _mark(self, **notes: str) -> None:
        """Leave notes about the episode being recorded, if there is one."""
        command = running_command()
        if command is not None and command.is_recording:
            EpisodeNotes(command.dataset).add(**notes)

    def _start_trial(self, closure: FloatArray) -> None:
        """Forget the last grasp; `closure` (6,) is where the hand stands."""
        self._supervisor.reset()
        self._plausibility.reset()
        self._torque.reset()
        self._commanded = closure
