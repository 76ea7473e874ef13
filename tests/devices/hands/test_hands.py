"""Every hand from its configuration to a grasp, over an emulated wire."""

import math
import time

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import (
    DeviceFaultError,
    DeviceLostError,
    DeviceNotCalibratedError,
    DeviceSilentError,
)
from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.devices.hands.calibration import HandCalibration
from softgrasp_plugin.devices.hands.config import (
    InspireSerialHandConfig,
)
from softgrasp_plugin.devices.hands.factory import make_hand, make_link
from softgrasp_plugin.joints import NUM_JOINTS, FloatArray

from .rigs import (
    MAX_FORCE_N,
    OBJECT_AT,
    TYPES,
    Rig,
    calibration_of,
    eventually,
    fails,
    rigged,
    squeeze,
)


def test_it_goes_where_it_is_sent_and_feels_nothing_in_free_air(rig: Rig) -> None:
    target = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    rig.hand.write(target)
    eventually(lambda: bool(np.abs(rig.hand.read().closure - target).max() < 0.01))
    assert rig.hand.read().torque == pytest.approx(np.zeros(NUM_JOINTS), abs=0.1)


def test_it_grips_up_to_the_limit_and_no_more(rig: Rig) -> None:
    rig.plant.object_closure = OBJECT_AT
    sample = squeeze(rig, 3.0)
    assert sample.torque == pytest.approx(np.full(NUM_JOINTS, 3.0), abs=0.2)
    assert sample.closure == pytest.approx(np.full(NUM_JOINTS, OBJECT_AT + 0.03), abs=0.01)


def test_the_maximum_holds_before_the_first_command(rig: Rig) -> None:
    assert rig.limits_n() == pytest.approx(np.full(NUM_JOINTS, MAX_FORCE_N), abs=0.1)


def test_no_command_exceeds_the_maximum(rig: Rig) -> None:
    rig.plant.object_closure = OBJECT_AT
    assert squeeze(rig, 1000.0).torque.max() < MAX_FORCE_N + 0.3
    assert rig.limits_n().max() <= MAX_FORCE_N, "what the sensors read in free air lifts no limit"
    assert rig.plant.measure()[1].max() <= MAX_FORCE_N + 0.3


def test_samples_reach_the_feel_channel(rig: Rig) -> None:
    first = rig.channel.latest()
    assert first is not None
    eventually(lambda: rig.channel.latest() is not first)
    assert rig.hand.rate_hz > 0.0
    rig.hand.disconnect()
    assert rig.channel.latest() is None
    assert not rig.hand.is_connected


def test_it_holds_after_disconnect(rig: Rig) -> None:
    rig.plant.object_closure = OBJECT_AT
    rig.hand.write(np.full(NUM_JOINTS, 0.7))
    eventually(lambda: bool(rig.hand.read().torque.min() > 2.0))
    rig.hand.disconnect()
    time.sleep(0.05)
    closure, force = rig.plant.measure()
    assert closure.min() > OBJECT_AT
    assert force.min() > 2.0


def test_it_holds_where_it_is_when_it_connects(rig: Rig) -> None:
    rig.hand.write(np.full(NUM_JOINTS, 0.4))
    eventually(lambda: bool(np.abs(rig.hand.read().closure - 0.4).max() < 0.01))
    rig.hand.disconnect()
    again = rig.new_hand(rig.hand.calibration)
    again.connect()
    time.sleep(0.05)
    assert again.read().closure == pytest.approx(np.full(NUM_JOINTS, 0.4), abs=0.02)
    again.disconnect()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_bad_command_is_refused_and_the_last_one_kept(rig: Rig, bad: float) -> None:
    rig.hand.write(np.full(NUM_JOINTS, 0.3))
    with pytest.raises(ValueError, match="closure must be 6 finite numbers"):
        rig.hand.write(np.array([0.0, 0.0, bad, 0.0, 0.0, 0.0]))
    with pytest.raises(ValueError, match="torque_limit must be 6 finite numbers"):
        rig.hand.write(np.zeros(NUM_JOINTS), np.zeros(2))
    eventually(lambda: bool(np.abs(rig.hand.read().closure - 0.3).max() < 0.01))


def test_a_silent_hand_is_reported_and_comes_back(rig: Rig) -> None:
    rig.faults.silent = True
    fails(rig.hand, DeviceSilentError, r"hand.*silent for \d+ ms.*Check power and cable")
    frozen = rig.channel.latest()
    time.sleep(0.05)
    assert rig.channel.latest() is frozen, "a silent hand must not publish"
    rig.faults.silent = False
    eventually(lambda: rig.hand.age_s < 0.1)
    rig.hand.read()


def test_an_unplugged_hand_is_lost(rig: Rig) -> None:
    rig.unplug()
    fails(rig.hand, DeviceLostError, r"hand.*connect again")
    rig.hand.disconnect()
    assert not rig.hand.is_connected


def test_a_fault_of_the_hand_is_reported(rig: Rig) -> None:
    rig.break_down()
    fails(rig.hand, DeviceFaultError, r"middle_bend.*(overload|overheated)")


def test_noise_on_the_wire_is_survived(rig: Rig) -> None:
    rig.faults.drop = 1
    eventually(lambda: rig.faults.drop == 0 and rig.hand.age_s < 0.03)
    rig.faults.late, rig.faults.late_s = 1, 0.12
    eventually(lambda: rig.faults.late == 0 and rig.hand.age_s < 0.03)
    rig.hand.write(np.full(NUM_JOINTS, 0.2))
    eventually(lambda: bool(np.abs(rig.hand.read().closure - 0.2).max() < 0.01))


@pytest.mark.parametrize("hand_type", TYPES)
def test_without_calibration_it_only_connects(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.hand.connect()
        assert rig.hand.is_connected
        for use in (rig.hand.read, lambda: rig.hand.write(np.zeros(NUM_JOINTS))):
            with pytest.raises(DeviceNotCalibratedError, match="lerobot-calibrate"):
                use()
        rig.hand.disconnect()


@pytest.mark.parametrize("hand_type", TYPES)
def test_nothing_moves_without_consent(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.hand.connect()
        with pytest.raises(DeviceNotCalibratedError, match="refused"):
            rig.hand.calibrate(lambda question: "" if "[y/N]" in question else rig.user(question))
        expected = 1.0 if hand_type == "dynamixel" else 0.0  # where the user left the limp fingers
        assert rig.plant.measure()[0] == pytest.approx(np.full(NUM_JOINTS, expected))
        assert not rig.hand.is_calibrated
        rig.hand.disconnect()


@pytest.mark.parametrize("hand_type", TYPES)
def test_a_hand_that_does_not_answer_stays_closed(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.faults.silent = True
        with pytest.raises((DeviceSilentError, DeviceLostError)):
            rig.hand.connect()
        assert not rig.hand.is_connected


def test_motors_calibrated_elsewhere_are_noticed() -> None:
    with rigged("dynamixel") as rig:
        calibration = calibration_of("dynamixel")
        swapped = dict(calibration.motors)
        swapped["index_bend"] = calibration.motors["middle_bend"]
        other = rig.new_hand(HandCalibration(calibration.free_air, swapped))
        with pytest.raises(DeviceNotCalibratedError, match="motors of index_bend"):
            other.connect()
        assert not other.is_connected


def test_a_range_that_was_not_moved_is_refused() -> None:
    with rigged("dynamixel") as rig:
        rig.hand.connect()
        with pytest.raises(
            DeviceNotCalibratedError, match=r"thumb_swing moved by 0 counts.*See that the ids"
        ):
            rig.hand.calibrate(lambda question: "y")
        rig.hand.disconnect()


def test_force_sensors_are_zeroed_only_when_confirmed() -> None:
    with rigged("inspire_serial") as rig:
        rig.hand.connect()
        calibration = rig.hand.calibrate(
            lambda question: "n" if "zero its force sensors" in question else "y"
        )
        assert calibration.free_air.force_n[0] == pytest.approx(np.full(NUM_JOINTS, 1.5), abs=0.02)
        calibration = rig.hand.calibrate(lambda question: "yes")
        assert calibration.free_air.force_n[0] == pytest.approx(np.zeros(NUM_JOINTS), abs=0.02)
        rig.hand.disconnect()


@pytest.mark.parametrize("hand_type", ["inspire_serial", "dynamixel"])
def test_an_impossible_reading_is_a_fault_and_is_never_felt(hand_type: str) -> None:
    with rigged(hand_type) as rig:
        rig.hand = rig.new_hand(calibration_of(hand_type))
        rig.hand.connect()
        measure = rig.plant.measure
        felt: list[HandSample] = []
        publish = rig.channel.publish

        def noted(sample: HandSample) -> None:
            felt.append(sample)
            publish(sample)

        rig.channel.publish = noted  # type: ignore[method-assign]

        def torn() -> tuple[FloatArray, FloatArray]:
            closure, force = measure()
            closure[2] += 3.0
            return closure, force

        eventually(lambda: bool(felt))
        rig.plant.measure = torn  # type: ignore[method-assign]
        fails(rig.hand, DeviceFaultError, r"hand.*middle_bend reads a closure of [23].*Check the encoders")
        assert max(abs(sample.closure).max() for sample in felt) < 1.0
        rig.hand.disconnect()


@pytest.mark.parametrize(
    ("hand_type", "other"), [("inspire_serial", "dynamixel"), ("dynamixel", "inspire_modbus_tcp")]
)
def test_another_kinds_calibration_is_refused(hand_type: str, other: str) -> None:
    with rigged(hand_type) as rig:
        stated = calibration_of(other)
        unstated = HandCalibration(stated.free_air, stated.motors)
        for calibration in (stated, unstated):
            with pytest.raises(ValueError, match=r"calibration of|no range for"):
                rig.new_hand().adopt(calibration)
            with pytest.raises(DeviceNotCalibratedError, match=r"calibration of|no range for"):
                rig.new_hand(calibration).connect()


def test_another_rh56s_calibration_is_refused() -> None:
    config = InspireSerialHandConfig(port="/dev/ttyUSB0", hand_id=2)
    with pytest.raises(ValueError, match=r"hand_id 1, and this is .*hand_id 2"):
        make_hand(config, FeelChannel()).adopt(calibration_of("inspire_serial"))


def test_errors_that_could_not_be_read_are_read_again_at_once() -> None:
    with rigged("inspire_serial") as rig:
        link = make_link(rig.config)
        link.open()
        link.start({}, np.full(NUM_JOINTS, 1.0))
        rig.break_down()
        rig.faults.silent = True
        with pytest.raises(DeviceSilentError):
            link.measure()
        rig.faults.silent = False
        with pytest.raises(DeviceFaultError, match="middle_bend overheated"):
            link.measure()
        link.close()
