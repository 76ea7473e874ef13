"""The loop between hand and glove, with a glove that writes down what it is told."""

import numpy as np
import pytest

from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.gloves.feedback_loop import FeedbackLoop
from softgrasp_plugin.devices.gloves.protocol import GloveSample
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.grasping.contact import ContactState
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig, ForceFeedback
from softgrasp_plugin.joints import NUM_JOINTS

DT = 0.01
CONFIG = FeedbackConfig()


class RecordingGlove:
    """A glove in memory."""

    def __init__(self):
        self.is_connected = True
        self.angle = np.full(NUM_JOINTS, 0.6)
        self.rendered = None
        self.error = None

    def connect(self):
        self.is_connected = True

    def disconnect(self):
        self.release()
        self.is_connected = False

    def read(self):
        if self.error is not None:
            raise self.error
        return GloveSample(self.angle, 0.0)

    def render(self, torque, angle):
        self.rendered = (torque, angle)

    def release(self):
        self.rendered = (np.zeros(NUM_JOINTS), np.zeros(NUM_JOINTS))


class Rig:
    """Loop, glove, channel and a clock that the test moves."""

    def __init__(self):
        self.now = 100.0
        self.glove, self.channel = RecordingGlove(), FeelChannel()
        self.loop = FeedbackLoop(self.glove, self.channel, ForceFeedback(CONFIG), lambda: self.now)

    def tick(self, torque=None):
        """Move the clock, let the hand speak if `torque` is given, and tick."""
        self.now += DT
        if torque is not None:
            sample = HandSample(np.full(NUM_JOINTS, 0.4), np.full(NUM_JOINTS, torque), self.now)
            self.channel.publish(sample)
        return self.loop.tick()


def test_a_glove_is_free_before_the_hand_speaks():
    rig = Rig()
    command = rig.tick()
    assert (command.torque == 0).all()
    assert (rig.glove.rendered[0] == 0).all()


def test_force_reaches_the_glove():
    rig = Rig()
    for _ in range(60):
        command = rig.tick(torque=8.0)
    assert (command.state == ContactState.CLUTCHED).all()
    torque, angle = rig.glove.rendered
    assert (torque == CONFIG.max_torque).all()
    np.testing.assert_array_equal(angle, rig.glove.angle)


def test_a_hand_that_falls_silent_frees_the_glove():
    rig = Rig()
    for _ in range(60):
        rig.tick(torque=8.0)
    for _ in range(round(CONFIG.silence_to_zero_s / DT) + 2):
        rig.tick()
    assert (rig.glove.rendered[0] == 0).all()


def test_a_cleared_channel_counts_as_silence():
    rig = Rig()
    for _ in range(60):
        rig.tick(torque=8.0)
    rig.channel.clear()
    assert (rig.tick().torque < CONFIG.max_torque).all()


@pytest.mark.parametrize("error", [ConnectionError("cable"), KeyboardInterrupt()])
def test_any_exception_leaves_the_glove_released(error):
    rig = Rig()
    for _ in range(60):
        rig.tick(torque=8.0)
    rig.glove.error = error
    with pytest.raises(type(error)):
        rig.tick(torque=8.0)
    assert (rig.glove.rendered[0] == 0).all()

    # Back again, torque rises from zero at the slew rate, not to where it was.
    rig.glove.error = None
    for _ in range(3):
        rig.tick(torque=8.0)
    assert (rig.glove.rendered[0] <= 3 * CONFIG.slew_rate * DT).all()


def test_a_clock_that_runs_backwards_releases_the_glove():
    rig = Rig()
    for _ in range(60):
        rig.tick(torque=8.0)
    rig.now -= 1.0
    with pytest.raises(ValueError, match="monotonic clock"):
        rig.tick()
    assert (rig.glove.rendered[0] == 0).all()


def test_reset_frees_the_glove_and_forgets_the_last_tick():
    rig = Rig()
    for _ in range(60):
        rig.tick(torque=8.0)
    rig.loop.reset()
    assert (rig.glove.rendered[0] == 0).all()
    rig.now = 0.0
    rig.channel.clear()
    assert (rig.tick().torque == 0).all()
