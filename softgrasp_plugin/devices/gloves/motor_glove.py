"""An exoskeleton glove whose one to six joints are Dynamixel motors."""

import logging
import time

import numpy as np
from lerobot.motors import Motor, MotorCalibration, MotorNormMode

from ...joints import JOINTS, NUM_JOINTS, FloatArray
from ..dynamixel import ForceMotorsBus
from ..dynamixel.bus import RETRIES
from ..errors import DeviceError, DeviceFaultError, DeviceLostError, DeviceNotCalibratedError
from .calibration import RangeTable, ask_open_and_bent, check_entry
from .config import MotorGloveConfig
from .protocol import GloveSample
from .rendering import (
    COUNTS_PER_TURN,
    CurrentScale,
    IntArray,
    OneSidedHold,
    beyond_range,
    nearest_turn,
    shifted_to,
)

logger = logging.getLogger(__name__)

_WATCHDOG_UNIT_MS = 20
_WATCHDOG_LOOK_S = 0.5

_MAX_POSITION = 1_048_575
"""256 turns, the reach of a Dynamixel's position."""


class MotorGlove:
    """The `Glove` protocol over motors in current-based position mode.

    The motors have torque on only while force is rendered. One thread at a time may use a glove.

    Args:
        config: port, motors and limits.
        calibration: the wearer's range as LeRobot stores it; empty before the first `calibrate`.

    Raises:
        ValueError: for a motor model without a current sensor, or a calibration that cannot be this glove's.
    """

    def __init__(self, config: MotorGloveConfig, calibration: dict[str, MotorCalibration]) -> None:
        self.config = config
        self._joints = tuple(joint for joint in JOINTS if joint in config.motors)
        self._indices = [JOINTS.index(joint) for joint in self._joints]
        motors = [config.motors[joint] for joint in self._joints]
        self._scale = CurrentScale(motors)
        self._bus = ForceMotorsBus(
            config.port,
            {
                joint: Motor(motor.id, motor.model, MotorNormMode.RANGE_0_100)
                for joint, motor in zip(self._joints, motors, strict=True)
            },
            device=f"{config.type} glove",
            baudrate=config.baudrate,
        )
        self._hold = OneSidedHold(len(motors))
        self._engaged = False
        self._watchdog_due = 0.0
        self._turn: IntArray | None = None
        self._counts: IntArray = np.zeros(len(motors), dtype=np.int64)
        self._ranges: RangeTable | None = None
        self._calibration = self._own(calibration)
        self._use_calibration()

    def __str__(self) -> str:
        return self._bus.device

    @property
    def is_connected(self) -> bool:
        return bool(self._bus.is_connected)

    @property
    def is_calibrated(self) -> bool:
        """Whether the wearer's range is known."""
        return self._ranges is not None

    def connect(self) -> None:
        """Open the port and set the motors up, with torque off.

        Raises:
            DeviceError: if the port does not open or a motor does not answer.
            DeviceNotCalibratedError: if the motors' offsets are not those of the calibration. Nothing has
                been written then.
        """
        self._bus.connect()
        self._turn = None
        try:
            if self._ranges is not None:
                self._check_offsets()
            self._bus.configure_current_based_position()
            for joint in self._joints:
                self._bus.write("Position_P_Gain", joint, self.config.position_p_gain, num_retry=RETRIES)
            self._scale.limit(self._bus.current_limits())
            self.release()
        except BaseException:
            self._bus.disconnect()
            raise

    def disconnect(self) -> None:
        """Release every motor, then close the port; it is closed also where the release cannot be
        verified.
        """
        try:
            self.release()
        finally:
            self._bus.disconnect(disable_torque=False)

    def read(self) -> GloveSample:
        """Read every motor once.

        Raises:
            DeviceNotCalibratedError: before `calibrate`.
            DeviceError: if a motor does not answer, reports a fault or a position that no finger has.
        """
        ranges = self._ranges
        if ranges is None:
            raise DeviceNotCalibratedError(
                str(self),
                "the wearer's range is not known.",
                "Run lerobot-calibrate with the same --teleop options.",
            )
        # Before the request: the age of a sample is never understated.
        asked_at = time.monotonic()
        counts = self._bus.read_state().position
        turn = nearest_turn(counts, self._middle) if self._turn is None else self._turn
        self._refuse_impossible(counts, turn)
        self._counts, self._turn = counts, turn
        return GloveSample(self._complete(ranges.normalise(self._by_joint(counts + turn))), asked_at)

    def render(self, torque: FloatArray, angle: FloatArray) -> None:
        """Âm (6,) → Goal_Position, T̂m (6,) → Goal_Current; torque goes on with the first force.

        Raises:
            DeviceError: if the port failed.
        """
        self._drive(torque, angle, is_lead=False)

    def lead(self, torque: FloatArray, angle: FloatArray) -> None:
        """Drive the fingers to `angle` (6,) with at most `torque` (6,) newtons, in either direction.

        Raises:
            DeviceError: if the port failed.
        """
        self._drive(torque, angle, is_lead=True)

    def _drive(self, torque: FloatArray, angle: FloatArray, *, is_lead: bool) -> None:
        ranges, turn = self._ranges, self._turn
        if ranges is None or turn is None:  # nothing is driven before its position is known
            return
        units = self._scale.units(np.asarray(torque, dtype=np.float64)[self._indices])
        if not self._engaged:
            if not units.any():
                return
            self._engage()
        self._look_at_watchdog()
        measured = ranges.measure(self._by_joint(self._counts + turn))[self._indices]
        wanted = np.asarray(angle, dtype=np.float64)[self._indices]
        wanted = beyond_range(wanted, measured) if is_lead else shifted_to(wanted, measured)
        wanted = np.where(np.isfinite(wanted) & (units > 0), wanted, measured)
        if not is_lead and self.config.hold == "contact":
            wanted = self._hold.update(units, wanted, measured)
        six = np.zeros(NUM_JOINTS)
        six[self._indices] = wanted
        counts = ranges.denormalise(six)
        # Position first: a current that rises must not pull towards the goal before.
        self._sync_write("Goal_Position", np.array([counts[joint] for joint in self._joints]) - turn)
        self._sync_write("Goal_Current", units)

    def release(self) -> None:
        """Goal_Current 0 and torque off in every motor, read back.

        Raises:
            DeviceError: if it cannot be verified; every motor that still listens has been released.
        """
        self._engaged = False
        self._hold.reset()
        why, cause = "a motor still reports torque.", None
        for _ in range(1 + RETRIES):
            try:
                self._bus.sync_write("Goal_Current", 0, normalize=False)
                self._bus.release()
                self._bus.sync_write("Bus_Watchdog", 0, normalize=False)
                if self._is_released():
                    return
            except ConnectionError as error:
                why, cause = error.problem if isinstance(error, DeviceError) else str(error), error
                if isinstance(error, DeviceLostError):
                    break
        raise DeviceLostError(
            str(self),
            f"its torque could not be verified to be zero: {why}",
            "Take the glove's power away if it pulls, then check its cable and power.",
        ) from cause

    def calibrate(self) -> dict[str, MotorCalibration]:
        """Ask the wearer for an open and a bent hand; returns what LeRobot stores.

        Raises:
            ValueError: if a joint hardly moved.
            DeviceError: if a motor does not answer.
        """
        self.release()
        offsets = self._bus.sync_read("Homing_Offset", normalize=False, num_retry=RETRIES)
        self._calibration = ask_open_and_bent(
            self._measured_joints, self._ids, self._read_counts, offsets, self._wraps
        )
        self._use_calibration()
        self._turn = None
        return self._calibration

    @property
    def _measured_joints(self) -> tuple[str, ...]:
        """The joints that have a reading of their own."""
        return self._joints

    @property
    def _ids(self) -> dict[str, int]:
        return {joint: motor.id for joint, motor in self.config.motors.items()}

    @property
    def _wraps(self) -> dict[str, int]:
        """Counts after which the sensor of a joint starts again from 0; a motor counts on."""
        return {}

    def _read_counts(self) -> dict[str, int]:
        return self._by_joint(self._bus.read_state().position)

    def _own(self, calibration: dict[str, MotorCalibration]) -> dict[str, MotorCalibration]:
        return {joint: entry for joint, entry in calibration.items() if joint in self._measured_joints}

    def _use_calibration(self) -> None:
        if set(self._calibration) != set(self._measured_joints):
            self._ranges = None
            return
        for joint, entry in self._calibration.items():
            check_entry(joint, entry, self._ids[joint], self._wraps.get(joint, COUNTS_PER_TURN))
        self._ranges = RangeTable(self._calibration)
        entries = [self._calibration[joint] for joint in self._joints]
        self._middle: IntArray = np.array([(entry.range_min + entry.range_max) // 2 for entry in entries])

    def _complete(self, angle: FloatArray) -> FloatArray:
        for joint, leader in self.config.follow.items():
            angle[JOINTS.index(joint)] = angle[JOINTS.index(leader)]
        return angle

    def _check_offsets(self) -> None:
        offsets = self._bus.sync_read("Homing_Offset", normalize=False, num_retry=RETRIES)
        wrong = [
            f"{joint} {offsets[joint]}, calibration {self._calibration[joint].homing_offset}"
            for joint in self._joints
            if offsets[joint] != self._calibration[joint].homing_offset
        ]
        if wrong:
            raise DeviceNotCalibratedError(
                str(self),
                f"the motors have another Homing_Offset than their calibration ({'; '.join(wrong)}), so it "
                "is another glove's, or a motor was exchanged.",
                "Run lerobot-calibrate with the same --teleop options.",
            )

    def _refuse_impossible(self, counts: IntArray, turn: IntArray) -> None:
        """No finger is further than half a turn from the middle of its range, and none turns round:
        a position that jumps by a turn is that of a motor which started again or reads nonsense.
        """
        wrong = (np.abs(counts) > _MAX_POSITION) | (
            np.abs(counts + turn - self._middle) > COUNTS_PER_TURN // 2
        )
        if wrong.any():
            described = ", ".join(f"{self._joints[i]} {counts[i]}" for i in np.flatnonzero(wrong))
            raise DeviceFaultError(
                str(self),
                f"a motor reports a position that no finger can have ({described} counts).",
                "Its power may have failed for a moment: check its cable and supply, then start again.",
            )

    def _engage(self) -> None:
        """Torque on, at no current; the goals follow in the same tick."""
        self._bus.sync_write("Bus_Watchdog", 0, normalize=False)
        self._bus.sync_write("Goal_Current", 0, normalize=False)
        self._bus.sync_write("Torque_Enable", 1, normalize=False)
        units = self.config.bus_watchdog_ms // _WATCHDOG_UNIT_MS
        self._bus.sync_write("Bus_Watchdog", units, normalize=False)
        self._engaged = True
        self._watchdog_due = time.monotonic() + _WATCHDOG_LOOK_S

    def _look_at_watchdog(self) -> None:
        """A motor whose watchdog struck takes no goals until it is reset, and does not say so."""
        now = time.monotonic()
        if self.config.bus_watchdog_ms == 0 or now < self._watchdog_due:
            return
        self._watchdog_due = now + _WATCHDOG_LOOK_S
        values = self._bus.sync_read("Bus_Watchdog", normalize=False)
        if any(value != self.config.bus_watchdog_ms // _WATCHDOG_UNIT_MS for value in values.values()):
            logger.warning(
                "%s: the motors' watchdog struck, since this computer was silent for more than %d ms; "
                "force goes on.",
                self,
                self.config.bus_watchdog_ms,
            )
            self._engage()

    def _is_released(self) -> bool:
        torque = self._bus.sync_read("Torque_Enable", normalize=False)
        current = self._bus.sync_read("Goal_Current", normalize=False)
        return not any([*torque.values(), *current.values()])

    def _by_joint(self, values: IntArray) -> dict[str, int]:
        return dict(zip(self._joints, values.tolist(), strict=True))

    def _sync_write(self, register: str, values: IntArray) -> None:
        self._bus.sync_write(register, self._by_joint(values), normalize=False)
