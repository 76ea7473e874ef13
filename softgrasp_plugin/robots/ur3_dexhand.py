"""The robot over real devices: a hand with a thread of its own, an arm that lifts, and cameras."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from lerobot.lerobot_types import RobotAction
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from ..devices.arms.factory import make_arm
from ..devices.feel import feel_channel
from ..devices.hands.calibration import HandCalibration
from ..devices.hands.factory import make_hand
from ..devices.hands.polled_hand import PolledHand
from ..files import reading, write_text
from ..grasping.lift import LiftPhase
from ..joints import CLOSURE_KEYS, from_keys
from ..observed_columns import ObservedColumns
from ..policies.fit import check_running_policy
from .config_ur3_dexhand import UR3DexHandConfig
from .grasp_robot import GraspRobot

logger = logging.getLogger(__name__)

_DELETE = "Delete the file and run lerobot-calibrate, or give this hand's own robot.id."


class UR3DexHand(GraspRobot):
    """A real hand on a real arm; see `UR3DexHandConfig` for the options.

    Every fault of a device ends the episode with an error that names the device and the remedy. However it
    ends, the hand goes on holding what it holds and the arm stops where it is.
    """

    config_class = UR3DexHandConfig
    name = "ur3_dexhand"
    hand: PolledHand

    _hand_calibration: HandCalibration | None = None

    def __init__(self, config: UR3DexHandConfig) -> None:
        super().__init__(config, lift=config.lift, torque=config.torque, cameras=config.cameras)
        self.config = config
        slowest = config.arm.no_faster_than(config.lift.speed_m_s, config.lift.acceleration_m_s2)
        self.arm = make_arm(slowest)
        self.hand = make_hand(
            config.hand, feel_channel(config.rig), max_closure_speed=config.max_closure_speed
        )
        if self._hand_calibration is not None:
            with reading(self.calibration_fpath, "the calibration of this hand", _DELETE):
                self.hand.adopt(self._hand_calibration)
        self._connected = False

    @property
    def observed(self) -> ObservedColumns:
        return ObservedColumns(self.config.hand.measures_torque, "--robot.hand.measures_torque")

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def is_calibrated(self) -> bool:
        return self.hand.is_calibrated

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        """Connect the cameras, then the hand, which holds where it is, then the arm, which moves to the grasp
        pose.

        Args:
            calibrate: calibrate the hand if it has no calibration. While it has none, the arm is left alone.

        Raises:
            DeviceError: if a device does not answer or reports a fault; nothing stays connected then.
            ValueError: if the policy that is to drive the robot does not fit it.
        """
        check_running_policy(self)
        with ExitStack() as undo:
            undo.callback(self._release)
            for camera in self.cameras.values():
                camera.connect()
            self.hand.connect()
            self._connected = True
            if calibrate and not self.is_calibrated:
                self.calibrate()
            if self.is_calibrated:
                self.arm.connect()
                self.configure()
            undo.pop_all()
        self._recording.begin()
        logger.info("%s connected (%s).", self, self.hand)

    @check_if_not_connected
    def calibrate(self) -> None:
        """Calibrate the hand, which moves by itself, and store the result in LeRobot's calibration file.

        Raises:
            DeviceError: if the user refuses, or a joint does not move as it should.
        """
        self._hand_calibration = self.hand.calibrate()
        self._save_calibration()
        print(f"Calibration saved to {self.calibration_fpath}")
        self.configure()

    def configure(self) -> None:
        """Begin where the hand stands."""
        closure = self.hand.read().closure.clip(0.0, 1.0)
        self._touched_at = time.monotonic()
        self._start_trial(closure)

    @check_if_not_connected
    def send_action(self, action: RobotAction) -> RobotAction:
        """Command the hand, lift what it has grasped, and come down after it was let go.

        Returns:
            The action with the closures that the hand may be told at this moment: as far towards those asked
            for as `max_closure_speed` allows.

        Raises:
            DeviceError: if the hand or the arm is lost, or has stopped.
            ValueError: if a closure is not finite; the hand then keeps its last command.
        """
        sent = super().send_action(action)
        self._lower_when_released()
        step = self.hand.step_towards(from_keys(sent, CLOSURE_KEYS, self._commanded))
        return {**sent, **dict(zip(CLOSURE_KEYS, step.tolist(), strict=True))}

    @check_if_not_connected
    def disconnect(self) -> None:
        """Stop the arm where it stands, leave the hand holding, and close every port.

        What fails on the way is logged and not raised, so that LeRobot goes on to disconnect the glove.
        """
        self._release()

    def _lower_when_released(self) -> None:
        now = time.monotonic()
        touches = self.hand.read().torque > self.config.lift.contact.contact_torque
        if touches.any() or self.lift_phase != LiftPhase.HOLDING:
            self._touched_at = now
        elif now - self._touched_at >= self.config.lower_after_s:
            self._supervisor.lower()
            self._torque.reset()

    def _release(self) -> None:
        self._connected = False
        _quietly("the arm", self.arm.disconnect)
        _quietly(str(self.hand), self.hand.disconnect)
        for name, camera in self.cameras.items():
            if camera.is_connected:
                _quietly(f"camera {name!r}", camera.disconnect)
        _quietly("the recording", self._recording.end)

    def _load_calibration(self, fpath: Path | None = None) -> None:
        path = self.calibration_fpath if fpath is None else fpath
        with reading(path, "the calibration of a hand", _DELETE):
            self._hand_calibration = HandCalibration.from_json(path.read_text(encoding="utf-8"))

    def _save_calibration(self, fpath: Path | None = None) -> None:
        assert self._hand_calibration is not None
        path = self.calibration_fpath if fpath is None else fpath
        write_text(path, self._hand_calibration.to_json())


def _quietly(device: str, disconnect: Callable[[], None]) -> None:
    try:
        disconnect()
    except (OSError, RuntimeError) as error:  # what drivers of cameras, ports and links raise
        logger.error("Disconnecting %s failed: %s", device, error)
