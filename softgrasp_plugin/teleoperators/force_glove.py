"""The force-feedback glove as a LeRobot teleoperator."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
from lerobot.lerobot_types import RobotAction
from lerobot.motors import MotorCalibration
from lerobot.teleoperators.teleoperator import Teleoperator
from lerobot.utils.decorators import check_if_already_connected, check_if_not_connected

from ..devices.errors import DeviceFaultError, DeviceNotCalibratedError, DeviceSilentError
from ..devices.feel import feel_channel
from ..devices.gloves.factory import make_glove
from ..devices.gloves.thread import GloveHealth, GloveThread
from ..devices.hand_sample import HandSample
from ..files import read_json, reading
from ..grasping.force_feedback import plausible
from ..grasping.mapping import PAPER_MAPPING, AngleMapping
from ..joints import CLOSURE_KEYS, NUM_JOINTS, STATE_KEYS, FloatArray, from_keys, to_keys
from .config_force_glove import ForceGloveConfig
from .feedback import sample_of

_CALIBRATE = "Run lerobot-calibrate with the same --teleop options."

logger = logging.getLogger(__name__)

_HAND_SILENT_AFTER_S = 0.5
"""A recorded torque is at most this old. More than the feedback's own limit, since one missed reading of the
hand costs the wearer a moment of force, but must not cost an episode."""


class ForceGlove(Teleoperator):
    """A glove with its own thread between LeRobot's loop and the hand.

    The thread carries force from the hand to the glove at the glove's rate (`GloveThread`); `get_action`
    reads the newest angles and never waits for a wire.
    """

    config_class = ForceGloveConfig
    name = "force_glove"
    calibration: dict[str, MotorCalibration]

    def __init__(self, config: ForceGloveConfig) -> None:
        self._misfit = ""
        super().__init__(config)
        self.config = config
        self._mapping = PAPER_MAPPING if config.mapping is None else AngleMapping.load(Path(config.mapping))
        self._channel = feel_channel(config.rig)
        try:
            self._glove = make_glove(config.glove, self.calibration)
        except ValueError as error:
            if not self.calibration:
                raise
            self._glove = make_glove(config.glove, {})
            self._misfit = f"{self.calibration_fpath} is not the calibration of this glove: {error}"
        self._thread: GloveThread | None = None
        self._guided = False
        self._said_unfelt = False

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(STATE_KEYS, float)

    @property
    def feedback_features(self) -> dict[str, Any]:
        return dict.fromkeys(STATE_KEYS, float)

    @property
    def is_connected(self) -> bool:
        return self._glove.is_connected

    @property
    def is_calibrated(self) -> bool:
        return self._glove.is_calibrated

    @property
    def health(self) -> GloveHealth | None:
        """How the glove's loop is doing; None while it does not run."""
        return None if self._thread is None else self._thread.health

    @check_if_already_connected
    def connect(self, calibrate: bool = True) -> None:
        """Connect, calibrate the wearer's range if it is not known, and start to feel.

        Raises:
            DeviceError: if the glove does not answer, or its calibration file is another glove's.
        """
        if self._misfit and calibrate:
            raise DeviceNotCalibratedError(str(self._glove), self._misfit, _CALIBRATE)
        try:
            self._glove.connect()
        except DeviceNotCalibratedError as error:
            self._misfit = f"{self.calibration_fpath} does not fit: {error.problem}"
            if calibrate:
                raise DeviceNotCalibratedError(error.device, self._misfit, error.remedy) from error
            self._glove = make_glove(self.config.glove, {})
            self._glove.connect()
        if self._misfit:
            logger.warning("%s It is not used; calibrate.", self._misfit)
        try:
            if not self.is_calibrated and calibrate:
                self.calibrate()
            self.configure()
        except BaseException:
            self.disconnect()
            raise
        logger.info("%s connected (%s).", self, self._glove)

    @check_if_not_connected
    def calibrate(self) -> None:
        """Record the wearer's range, straight and bent, and store it in LeRobot's calibration file.

        Raises:
            ValueError: if a joint hardly moved between the two.
        """
        was_running = self._thread is not None
        self._stop()
        self.calibration = self._glove.calibrate()
        self._misfit = ""
        self._save_calibration()
        print(f"Calibration saved to {self.calibration_fpath}")
        if was_running:
            self.configure()

    def configure(self) -> None:
        """Start the glove's thread, once its range is known."""
        if self.is_calibrated and self._thread is None:
            thread = GloveThread(self._glove, self._channel, self.config.feedback, self.config.glove.rate_hz)
            thread.start()
            self._thread = thread

    @check_if_not_connected
    def get_action(self) -> RobotAction:
        """The expected closures Âs = f(Am), and the torques that the hand, if it can, measures now.

        Raises:
            DeviceNotCalibratedError: if the wearer's range is not known.
            DeviceNotConnectedError: if the glove is lost or its newest reading is too old.
            DeviceSilentError: if no hand speaks on this rig.
            DeviceFaultError: if the hand reports a torque or closure that no hand has.
        """
        angle, sample = self._running.latest().angle, self._hand_sample()
        if not sample.measures_torque and not self._said_unfelt:
            self._said_unfelt = True
            logger.warning(
                "The hand of rig %r measures no torque: %s gives no feedback, every joint of it stays free.",
                self.config.rig,
                self._glove,
            )
        return to_keys(self._mapping(angle), sample.torque if sample.measures_torque else None)

    @check_if_not_connected
    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Move the glove, or let it feel.

        Between `enable_torque` and `disable_torque` the closures are position goals that the glove is driven
        to (the hand-over of LeRobot's DAgger strategy). Otherwise the torques, in newtons, are felt as if the
        hand had sent them. What is left out stays as the hand measured it last, and the whole is then as old
        as that; before the hand has spoken it is nothing at all.

        Raises:
            ValueError: if a value is not finite, or no hand can have it.
        """
        thread = self._running
        if self._guided:
            here = self._mapping(thread.latest().angle)
            goal = from_keys(feedback, CLOSURE_KEYS, here)
            self._guide(thread, self._mapping.inverse(goal, near=thread.latest().angle))
            return
        sample = sample_of(feedback, self._channel.latest(), time.monotonic())
        if sample is not None:
            self._channel.publish(sample)

    def enable_torque(self) -> None:
        """Let the glove's motors lead the fingers: hold them where they are, until `send_feedback` sets
        position goals.
        """
        thread = self._running
        self._guided = True
        self._guide(thread, thread.latest().angle)

    def disable_torque(self) -> None:
        """Give the fingers back to the person, who feels the hand again."""
        self._guided = False
        if self._thread is not None:
            self._thread.stop_leading()

    @check_if_not_connected
    def disconnect(self) -> None:
        """Take the force off the glove and close its port.

        Where the force cannot be verified to be zero this is logged as an error and not raised: LeRobot
        disconnects the robot after the teleoperator, and must get there.
        """
        self._guided = False
        for end in (self._stop, self._glove.disconnect):
            try:
                end()
            except ConnectionError as error:
                logger.error("%s: %s", self, error)

    @property
    def _running(self) -> GloveThread:
        if self._thread is None:
            raise DeviceNotCalibratedError(
                str(self._glove),
                "the wearer's range is not known.",
                _CALIBRATE,
            )
        return self._thread

    def _hand_sample(self) -> HandSample:
        sample = self._channel.latest()
        age = np.inf if sample is None else time.monotonic() - sample.timestamp
        if sample is None or not 0.0 <= age <= _HAND_SILENT_AFTER_S:
            raise DeviceSilentError(
                f"The hand of rig {self.config.rig!r}",
                "has not spoken yet." if sample is None else f"has been silent for {age:.2f} s.",
                "The glove needs a hand that feels in the same process: use --robot.type=ur3_dexhand with "
                "the same --robot.rig and --teleop.rig, and check the hand's cable and power.",
            )
        felt = sample.torque if sample.measures_torque else np.zeros(NUM_JOINTS)
        if not plausible(felt, sample.closure).all():
            torque, closure = (
                np.array2string(values, precision=2) for values in (sample.torque, sample.closure)
            )
            raise DeviceFaultError(
                f"The hand of rig {self.config.rig!r}",
                f"reports what no hand has: torques {torque} N, closures {closure}.",
                "Check the hand's cable and power, then calibrate it again.",
            )
        return sample

    def _load_calibration(self, fpath: Path | None = None) -> None:
        """LeRobot's reader, except that a file which is none is named and not used; `connect` refuses it."""
        path = self.calibration_fpath if fpath is None else fpath
        try:
            with reading(path, "the calibration of a glove", _CALIBRATE):
                self.calibration = {
                    joint: MotorCalibration(**entry) for joint, entry in read_json(path).items()
                }
        except ValueError as error:
            self._misfit = str(error)

    def _guide(self, thread: GloveThread, angle: FloatArray) -> None:
        thread.lead(angle, np.full(NUM_JOINTS, self.config.guide_force_n))

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()
