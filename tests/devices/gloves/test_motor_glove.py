import contextlib
import dataclasses

import numpy as np
import pytest
from lerobot.motors import MotorCalibration

from softgrasp_plugin.devices.errors import (
    DeviceError,
    DeviceFaultError,
    DeviceLostError,
    DeviceNotCalibratedError,
)
from softgrasp_plugin.devices.gloves.config import DynamixelGloveConfig, GloveMotorConfig
from softgrasp_plugin.devices.gloves.motor_glove import MotorGlove
from softgrasp_plugin.joints import JOINTS

from .conftest import INDEX, THUMB, GloveBus


def six(index: float, thumb: float) -> np.ndarray:
    values = np.zeros(6)
    values[INDEX], values[THUMB] = index, thumb
    return values


def render(glove: MotorGlove, force: np.ndarray, angle: np.ndarray) -> None:
    glove.render(force, angle)
    settle(glove)


def settle(glove: MotorGlove) -> None:
    """Goals are not acknowledged; a motor that has answered a question has carried out what came before."""
    glove._bus.read_state()


@pytest.fixture
def glove(glove_bus: GloveBus):
    glove = MotorGlove(glove_bus.config(follow={"middle_bend": "index_bend"}), glove_bus.calibration)
    glove.connect()
    yield glove
    with contextlib.suppress(DeviceError):  # some tests unplug it
        glove.disconnect()


def test_reads_normalised_angles_whichever_way_a_motor_is_mounted(glove, glove_bus) -> None:
    glove_bus.bend(0.25)
    angle = glove.read().angle
    np.testing.assert_allclose(angle[[INDEX, THUMB]], 0.25, atol=1e-3)
    assert angle[JOINTS.index("middle_bend")] == angle[INDEX]
    assert angle[JOINTS.index("little_bend")] == 0.0


def test_force_becomes_goal_current_and_angle_goal_position(glove, glove_bus) -> None:
    glove_bus.bend(0.5)
    glove.read()
    render(glove, six(1.0, 2.0), six(0.4, 0.5))
    # XL330-M288: 0.52 N·m at 1.47 A and 1 mA units; 1 N at 80 mm needs 0.08 N·m. XC330-M288: 0.93 N·m at 1.8
    # A.
    assert glove_bus.currents == [round(1.0 * 0.08 / (0.52 / 1.47) * 1e3), 300]
    assert glove_bus.goals == [1024 + round(0.4 * 2048), 3072 - 1024]
    assert glove_bus.torque_on == [1, 1]
    assert [motor.get(11, 1) for motor in (glove_bus.index, glove_bus.thumb)] == [5, 5]


def test_no_force_leaves_torque_off_and_a_free_joint_has_no_current(glove, glove_bus) -> None:
    glove.read()
    render(glove, six(0.0, 0.0), six(0.0, 0.0))
    assert glove_bus.torque_on == [0, 0]
    render(glove, six(0.5, 0.0), six(0.0, 0.0))
    assert glove_bus.currents[1] == 0


@pytest.mark.parametrize("force", [1e6, np.inf, np.nan, -5.0])
def test_current_never_leaves_zero_to_maximum(glove, glove_bus, force) -> None:
    glove.read()
    render(glove, six(0.5, force), six(0.0, np.nan))
    assert 0 <= glove_bus.currents[1] <= 300


def test_held_contact_lets_the_finger_open_but_not_close(glove, glove_bus) -> None:
    goals = []
    for angle in (0.5, 0.6, 0.3, 0.5):
        glove_bus.index.put(64, 1, 0)  # the finger moves, whatever the motor wants
        glove_bus.bend(angle)
        am = glove.read().angle
        render(glove, six(1.0, 0.0), am)
        goals.append((glove_bus.goals[0] - 1024) / 2048)
    np.testing.assert_allclose(goals, [0.5, 0.5, 0.3, 0.3], atol=2e-3)


def test_follow_sends_the_angle_as_it_is(glove_bus) -> None:
    glove = MotorGlove(glove_bus.config(hold="follow"), glove_bus.calibration)
    glove.connect()
    for angle in (0.3, 0.6):
        glove_bus.bend(angle)
        am = glove.read().angle
        render(glove, six(1.0, 0.0), am)
        assert glove_bus.goals[0] == pytest.approx(1024 + am[INDEX] * 2048, abs=1)
    glove.disconnect()


def test_leads_in_both_directions(glove, glove_bus) -> None:
    for angle in (0.7, 0.2, 0.6):
        glove.read()
        glove.lead(six(1.0, 1.0), six(angle, angle))
        settle(glove)
        assert glove_bus.goals[0] == pytest.approx(1024 + angle * 2048, abs=1)


def test_release_is_read_back(glove, glove_bus) -> None:
    glove.read()
    render(glove, six(1.0, 1.0), six(0.0, 0.0))
    glove.release()
    assert glove_bus.currents == [0, 0]
    assert glove_bus.torque_on == [0, 0]


def test_release_that_cannot_be_verified_says_so(glove, glove_bus) -> None:
    glove.read()
    render(glove, six(1.0, 1.0), six(0.0, 0.0))
    glove_bus.bus.faults.silent = True
    with pytest.raises(DeviceLostError, match=r"dynamixel glove on .*could not be verified.*power away"):
        glove.release()
    assert glove_bus.torque_on == [0, 0]  # the motors heard it all the same


def test_unplugged_glove_names_device_and_remedy(glove, glove_bus) -> None:
    glove_bus.bus.close()
    with pytest.raises(DeviceError, match=r"dynamixel glove on /dev/.*[Cc]heck"):
        glove.read()


def test_late_reply_is_never_taken_for_a_fresh_one(glove, glove_bus) -> None:
    glove_bus.bend(0.2)
    glove.read()
    glove_bus.bus.faults.late_s, glove_bus.bus.faults.late = 0.08, 1
    # Whatever was asked while the fingers stood at 0.2 arrives after they have moved on.
    with pytest.raises(DeviceError):
        glove._bus.read_state(num_retry=0)
    glove_bus.bend(0.8)
    np.testing.assert_allclose(glove.read().angle[[INDEX, THUMB]], 0.8, atol=1e-3)


def test_motor_fault_is_reported_with_the_joint(glove, glove_bus) -> None:
    glove_bus.thumb.hardware_error = 1 << 5
    with pytest.raises(DeviceFaultError, match=r"thumb_bend.*overload"):
        glove.read()


def test_calibration_asks_for_both_ends_and_detects_the_direction(glove_bus, monkeypatch) -> None:
    glove = MotorGlove(glove_bus.config(), {})
    glove.connect()
    with pytest.raises(DeviceNotCalibratedError, match="lerobot-calibrate"):
        glove.read()
    poses = iter([0.1, 0.9])
    monkeypatch.setattr("builtins.input", lambda _: glove_bus.bend(next(poses)))
    calibration = glove.calibrate()
    assert calibration["index_bend"] == MotorCalibration(1, 0, 0, 1229, 2867)
    assert calibration["thumb_bend"].drive_mode == 1
    glove_bus.bend(0.9)
    np.testing.assert_allclose(glove.read().angle[[INDEX, THUMB]], 1.0, atol=1e-3)
    glove.disconnect()


def test_calibration_refuses_a_joint_that_did_not_move(glove_bus, monkeypatch) -> None:
    glove = MotorGlove(glove_bus.config(), {})
    glove.connect()
    monkeypatch.setattr("builtins.input", lambda _: "")
    with pytest.raises(ValueError, match="index_bend, thumb_bend moved by less than"):
        glove.calibrate()
    glove.disconnect()


def test_another_gloves_offset_is_refused_and_not_written(glove_bus) -> None:
    glove_bus.calibration["index_bend"].homing_offset = 100
    glove = MotorGlove(glove_bus.config(), glove_bus.calibration)
    with pytest.raises(DeviceNotCalibratedError, match=r"index_bend 0, calibration 100"):
        glove.connect()
    assert glove_bus.index.get(20, 4) == 0
    assert not glove.is_connected


@pytest.mark.parametrize(
    "change",
    [
        {"id": 11},
        {"drive_mode": 7},
        {"homing_offset": 10**12},
        {"range_max": 10**12},
        {"range_max": 1100},
        {"range_min": 100.5},
        {"range_max": "abc"},
        {"range_max": True},
    ],
)
def test_a_calibration_that_cannot_be_this_gloves_is_refused(glove_bus, change) -> None:
    entry = dataclasses.replace(glove_bus.calibration["index_bend"], **change)
    with pytest.raises(ValueError, match="index_bend"):
        MotorGlove(glove_bus.config(), {**glove_bus.calibration, "index_bend": entry})


@pytest.mark.parametrize("hold", ["contact", "follow"])
@pytest.mark.parametrize("place", [-0.25, -0.1, 0.0, 1.0, 1.15])
def test_no_force_drives_a_finger_back_into_the_calibrated_range(glove_bus, hold, place) -> None:
    glove = MotorGlove(glove_bus.config(hold=hold), glove_bus.calibration)
    glove.connect()
    glove_bus.bend(place)
    angle = glove.read().angle
    assert ((angle >= 0) & (angle <= 1)).all()
    for drive in (glove.render, glove.lead):
        glove_bus.bend(place)
        glove.release()
        glove.read()
        drive(six(1.0, 1.0), angle)
        settle(glove)
        shares = [(glove_bus.goals[0] - 1024) / 2048, (3072 - glove_bus.goals[1]) / 2048]
        np.testing.assert_allclose(shares, place, atol=2e-3)
    glove.disconnect()


@pytest.mark.parametrize("counts", [2**31 - 1, 2048 + 4096 + 100])
def test_a_position_that_no_finger_has_is_a_fault(glove, monkeypatch, counts) -> None:
    glove.read()
    state = glove._bus.read_state()
    jumped = dataclasses.replace(state, position=np.array([counts, state.position[1]]))
    monkeypatch.setattr(glove._bus, "read_state", lambda: jumped)
    with pytest.raises(DeviceFaultError, match=rf"index_bend {counts}"):
        glove.read()


def test_position_is_told_before_current(glove, monkeypatch) -> None:
    """A current that rises first would pull towards the goal of before."""
    glove.read()
    told = []
    write = glove._bus.sync_write

    def note(register, *args, **options):
        told.append(register)
        write(register, *args, **options)

    monkeypatch.setattr(glove._bus, "sync_write", note)
    glove.render(six(1.0, 1.0), six(0.0, 0.0))
    assert told[-2:] == ["Goal_Position", "Goal_Current"]


def test_a_struck_watchdog_is_reset_and_force_goes_on(glove, glove_bus, caplog) -> None:
    glove.read()
    render(glove, six(1.0, 0.0), six(0.0, 0.0))
    glove_bus.index.put(98, 1, -1)
    glove._watchdog_due = 0.0
    render(glove, six(1.0, 0.0), six(0.0, 0.0))
    assert "watchdog struck" in caplog.text
    assert glove_bus.index.get(98, 1) == 25
    assert glove_bus.currents[0] > 0


def test_models_that_cannot_feel_are_refused(glove_bus) -> None:
    config = DynamixelGloveConfig(
        port=glove_bus.bus.port, motors={"index_bend": GloveMotorConfig(id=1, model="xl430-w250")}
    )
    with pytest.raises(ValueError, match="no current sensor"):
        MotorGlove(config, {})
