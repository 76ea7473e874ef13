import dataclasses
import time

import numpy as np
import pytest

from softgrasp_plugin.devices.errors import DeviceError
from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.gloves import exit_guard
from softgrasp_plugin.devices.gloves.motor_glove import MotorGlove
from softgrasp_plugin.devices.gloves.thread import GloveThread
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig

from .conftest import INDEX, GloveBus


@pytest.fixture
def channel() -> FeelChannel:
    return FeelChannel()


@pytest.fixture
def thread(glove_bus, channel):
    glove = MotorGlove(glove_bus.config(), glove_bus.calibration)
    glove.connect()
    thread = GloveThread(glove, channel, FeedbackConfig(), rate_hz=200.0)
    thread.start()
    yield thread
    thread.stop()


def touch(channel: FeelChannel, newtons: float) -> None:
    channel.publish(HandSample(np.full(6, 0.5), np.full(6, newtons), time.monotonic()))


def keep_touching_until(channel: FeelChannel, done, newtons: float = 0.4) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline, "did not happen within 5 s"
        touch(channel, newtons)
        time.sleep(0.01)


def wait_until(done) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline, "did not happen within 5 s"
        time.sleep(0.005)


def test_carries_force_from_the_hand_to_the_motors(thread, channel, glove_bus) -> None:
    keep_touching_until(
        channel, lambda: glove_bus.currents[0] == round(0.4 * 226.15) and glove_bus.torque_on == [1, 1]
    )
    assert thread.health.command is not None
    assert thread.health.torque_age_s < 1.0


def test_silent_hand_leaves_no_torque(thread, channel, glove_bus) -> None:
    keep_touching_until(channel, lambda: all(glove_bus.currents))
    wait_until(lambda: not any(glove_bus.currents))


def test_loop_runs_and_is_measured_while_nobody_looks(thread) -> None:
    wait_until(lambda: thread.health.rate_hz > 0.0)
    health = thread.health
    assert health.sample_age_s < 5.0
    assert health.torque_age_s == float("inf")  # no hand has spoken
    assert (health.failures, health.error) == (0, None)


def test_mute_releases_and_goes_on_reading(thread, channel, glove_bus) -> None:
    keep_touching_until(channel, lambda: all(glove_bus.currents))
    assert thread.mute(1.0)
    assert glove_bus.currents == [0, 0]
    assert glove_bus.torque_on == [0, 0]
    touch(channel, 5.0)
    first = thread.latest().timestamp
    wait_until(lambda: thread.latest().timestamp > first)
    assert glove_bus.torque_on == [0, 0]


def test_an_old_reading_is_never_the_latest(thread) -> None:
    thread.stop()  # nobody reads any more
    sample = thread._tap.sample
    thread._tap.sample = dataclasses.replace(sample, timestamp=time.monotonic() - 0.2)
    with pytest.raises(DeviceError, match=r"at most 0\.15 s"):
        thread.latest()


def test_what_could_not_be_read_back_is_not_said_to_be_released(thread, glove_bus, monkeypatch) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(thread._tap, "read", fail)
    glove_bus.bus.faults.silent = True
    wait_until(thread._quiet.is_set)
    assert not thread.mute(1.0)
    with pytest.raises(DeviceError, match="could not be verified"):
        thread.latest()


def test_an_unexpected_error_still_releases(thread, channel, glove_bus, monkeypatch) -> None:
    keep_touching_until(channel, lambda: all(glove_bus.currents))

    def fail() -> None:
        raise OverflowError("nobody expected this")

    monkeypatch.setattr(thread._tap, "read", fail)
    wait_until(thread._quiet.is_set)
    assert glove_bus.currents == [0, 0]
    assert glove_bus.torque_on == [0, 0]
    with pytest.raises(DeviceError, match=r"nobody expected this.*read back and is zero"):
        thread.latest()


def test_leading_overrides_feeling(thread, channel, glove_bus) -> None:
    thread.lead(np.full(6, 0.7), np.full(6, 1.0))
    wait_until(lambda: abs(thread.latest().angle[INDEX] - 0.7) < 0.01)
    thread.stop_leading()
    wait_until(lambda: glove_bus.torque_on == [0, 0])


def test_stop_releases(thread, channel, glove_bus) -> None:
    keep_touching_until(channel, lambda: all(glove_bus.currents))
    thread.stop()
    assert glove_bus.currents == [0, 0]
    assert glove_bus.torque_on == [0, 0]


def test_unplugged_in_mid_stream(thread, channel, glove_bus, caplog) -> None:
    keep_touching_until(channel, lambda: all(glove_bus.currents))
    glove_bus.bus.close()
    wait_until(lambda: thread.health.error is not None)
    with pytest.raises(DeviceError, match=r"dynamixel glove on /dev/.*set to zero as far as.*power"):
        thread.latest()
    wait_until(lambda: "could NOT be verified" in caplog.text)


def test_a_motor_bus_that_falls_silent_has_been_told_to_let_go(thread, channel, glove_bus) -> None:
    keep_touching_until(channel, lambda: all(glove_bus.currents))
    glove_bus.bus.faults.silent = True
    wait_until(lambda: thread.health.error is not None)
    with pytest.raises(DeviceError):
        thread.latest()
    wait_until(lambda: glove_bus.currents == [0, 0] and glove_bus.torque_on == [0, 0])


@pytest.mark.parametrize("fault", ["drop", "corrupt", "wrong_id"])
def test_single_bad_replies_do_not_end_it(thread, glove_bus: GloveBus, fault) -> None:
    setattr(glove_bus.bus.faults, fault, 2)
    wait_until(lambda: getattr(glove_bus.bus.faults, fault) == 0)
    first = thread.latest().timestamp
    wait_until(lambda: thread.latest().timestamp > first)
    assert thread.health.error is None


def test_a_start_that_is_interrupted_leaves_nothing_running(glove_bus, channel, monkeypatch) -> None:
    glove = MotorGlove(glove_bus.config(), glove_bus.calibration)
    glove.connect()
    thread = GloveThread(glove, channel, FeedbackConfig(), rate_hz=200.0)
    start = thread._poller.start

    def start_and_interrupt(**options) -> None:
        start(**options)
        keep_touching_until(channel, lambda: all(glove_bus.currents))
        raise KeyboardInterrupt

    monkeypatch.setattr(thread._poller, "start", start_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        thread.start()
    assert glove_bus.currents == [0, 0]
    assert glove_bus.torque_on == [0, 0]
    assert thread not in exit_guard._running
    assert not thread._poller.is_running


def test_it_is_started_once(thread) -> None:
    with pytest.raises(RuntimeError, match="only be started once"):
        thread.start()
    thread.stop()
    with pytest.raises(RuntimeError, match="only be started once"):
        thread.start()
    assert thread not in exit_guard._running
