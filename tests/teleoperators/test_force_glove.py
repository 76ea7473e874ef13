import contextlib
import json
import threading
import time
from dataclasses import dataclass

import draccus
import numpy as np
import pytest
from lerobot.teleoperators.config import TeleoperatorConfig
from lerobot.utils.errors import DeviceNotConnectedError

from softgrasp_plugin.devices.dynamixel.models import force_model
from softgrasp_plugin.devices.errors import DeviceError, DeviceNotCalibratedError, DeviceSilentError
from softgrasp_plugin.devices.feel import feel_channel
from softgrasp_plugin.devices.gloves.config import DynamixelGloveConfig
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig
from softgrasp_plugin.grasping.mapping import PAPER_MAPPING
from softgrasp_plugin.joints import CLOSURE_KEYS, JOINTS, STATE_KEYS, TORQUE_KEYS, to_keys
from softgrasp_plugin.teleoperators.config_force_glove import ForceGloveConfig
from softgrasp_plugin.teleoperators.force_glove import ForceGlove
from tests.devices.gloves.conftest import INDEX, GloveBus


class Hand:
    """Publishes 100 times a second, as the hand's own thread does."""

    def __init__(self, rig: str) -> None:
        self.torque = np.zeros(6)
        self.measures_torque = True
        self.silent = False
        self._channel = feel_channel(rig)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(0.01):
            if not self.silent:
                torque, now = self.torque.copy(), time.monotonic()
                self._channel.publish(HandSample(np.full(6, 0.5), torque, now, self.measures_torque))

    def stop(self) -> None:
        self._done.set()
        self._thread.join()
        self._channel.clear()


@pytest.fixture
def glove_bus():
    bus = GloveBus()
    yield bus
    bus.bus.close()


@pytest.fixture
def hand(request):
    hand = Hand(request.node.name)
    yield hand
    hand.stop()


@pytest.fixture
def teleop(request, glove_bus, tmp_path):
    entries = {
        name: {
            "id": entry.id,
            "drive_mode": entry.drive_mode,
            "homing_offset": 0,
            "range_min": entry.range_min,
            "range_max": entry.range_max,
        }
        for name, entry in glove_bus.calibration.items()
    }
    (tmp_path / "me.json").write_text(json.dumps(entries))
    config = ForceGloveConfig(
        glove=glove_bus.config(), id="me", calibration_dir=tmp_path, rig=request.node.name
    )
    teleop = ForceGlove(config)
    teleop.connect()
    yield teleop
    if teleop.is_connected:
        teleop.disconnect()


def wait_until(done) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline, "did not happen within 5 s"
        time.sleep(0.01)


def act_when_hand_speaks(teleop: ForceGlove) -> dict[str, float]:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        with contextlib.suppress(DeviceSilentError):
            return teleop.get_action()
        time.sleep(0.01)
    raise AssertionError("the hand never spoke")


@dataclass
class Command:
    teleop: TeleoperatorConfig


def act_for_five_seconds(teleop: ForceGlove) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        teleop.get_action()
        time.sleep(0.01)


def test_parses_as_the_stock_commands_do() -> None:
    options = {
        "type": "force_glove",
        "glove.type": "dynamixel",
        "glove.port": "/dev/ttyUSB1",
        "glove.motors": "{index_bend: {id: 1, lever_arm_m: 0.07}, thumb_bend: {id: 2, model: xc330-m288}}",
        "glove.follow": "{middle_bend: index_bend}",
        "feedback.max_torque": "3",
    }
    config = draccus.parse(
        Command, args=[f"--teleop.{name}={value}" for name, value in options.items()]
    ).teleop
    assert isinstance(config, ForceGloveConfig)
    assert isinstance(config.glove, DynamixelGloveConfig)
    assert config.glove.motors["index_bend"].lever_arm_m == 0.07
    assert config.feedback.max_torque == 3.0


def test_action_is_mapped_angle_and_measured_torque(teleop, hand, glove_bus) -> None:
    hand.torque = np.arange(6) / 100
    glove_bus.bend(0.5)
    angle = np.where(np.isin(JOINTS, ["index_bend", "thumb_bend"]), 0.5, 0.0)
    expected = PAPER_MAPPING(angle)
    act_when_hand_speaks(teleop)
    wait_until(lambda: abs(teleop.get_action()[CLOSURE_KEYS[INDEX]] - expected[INDEX]) < 5e-3)
    action = teleop.get_action()
    assert tuple(action) == STATE_KEYS == tuple(teleop.action_features)
    np.testing.assert_allclose([action[key] for key in TORQUE_KEYS], hand.torque)


def test_wearer_feels_the_hand(teleop, hand, glove_bus) -> None:
    hand.torque = np.full(6, 0.4)
    wait_until(lambda: all(glove_bus.currents))
    hand.silent = True
    wait_until(lambda: not any(glove_bus.currents))
    wait_until(lambda: time.monotonic() - feel_channel(teleop.config.rig).latest().timestamp > 0.5)
    with pytest.raises(DeviceSilentError, match=r"has been silent.*ur3_dexhand"):
        teleop.get_action()


def test_no_hand_in_the_process_is_told(teleop) -> None:
    with pytest.raises(DeviceSilentError, match=r"has not spoken yet.*--teleop\.rig"):
        teleop.get_action()


def test_feedback_torques_are_felt(teleop, glove_bus) -> None:
    def feel() -> bool:
        teleop.send_feedback(to_keys(np.full(6, 0.5), np.full(6, 0.4)))
        return all(glove_bus.currents)

    wait_until(feel)
    with pytest.raises(ValueError, match="finite"):
        teleop.send_feedback({TORQUE_KEYS[0]: float("nan")})


def test_feedback_that_leaves_something_out_makes_nothing_new(teleop) -> None:
    channel = feel_channel(teleop.config.rig)
    channel.clear()
    teleop.send_feedback({})
    assert channel.latest() is None
    long_ago = time.monotonic() - 3.0
    channel.publish(HandSample(np.full(6, 0.5), np.full(6, 3.0), long_ago))
    teleop.send_feedback({})
    teleop.send_feedback({TORQUE_KEYS[0]: 1.0})
    assert channel.latest().timestamp == long_ago
    assert channel.latest().torque.tolist() == [1, 3, 3, 3, 3, 3]
    with pytest.raises(DeviceSilentError, match="silent"):
        teleop.get_action()
    channel.clear()


@pytest.mark.parametrize("torque", [-166.0, 1e6, float("nan")])
def test_a_torque_that_no_hand_has_is_not_recorded(teleop, torque) -> None:
    channel = feel_channel(teleop.config.rig)
    channel.publish(HandSample(np.full(6, 0.5), np.full(6, torque), time.monotonic()))
    with pytest.raises(DeviceError, match="no hand has"):
        teleop.get_action()
    channel.clear()


@pytest.mark.parametrize("change", [{"id": 9}, {"homing_offset": 7}, {"range_max": "abc"}, {"range": 1}])
def test_another_gloves_file_is_named_and_can_be_calibrated_anew(glove_bus, tmp_path, change) -> None:
    entries = {name: vars(entry) | change for name, entry in glove_bus.calibration.items()}
    (tmp_path / "me.json").write_text(json.dumps(entries))
    teleop = ForceGlove(ForceGloveConfig(glove=glove_bus.config(), id="me", calibration_dir=tmp_path))
    with pytest.raises(DeviceNotCalibratedError, match=r"me\.json.*lerobot-calibrate"):
        teleop.connect()
    assert not teleop.is_connected
    teleop.connect(calibrate=False)
    assert not teleop.is_calibrated
    teleop.disconnect()


def test_hand_over_leads_the_fingers_and_gives_them_back(teleop, hand, glove_bus) -> None:
    act_when_hand_speaks(teleop)
    teleop.enable_torque()
    goal = np.zeros(6)
    goal[INDEX] = 0.5
    teleop.send_feedback(to_keys(PAPER_MAPPING(goal), np.zeros(6)))
    wait_until(lambda: abs(teleop._thread.latest().angle[INDEX] - 0.5) < 0.02)
    newtons = glove_bus.currents[0] * force_model("xl330-m288").newtons_per_unit(0.08)
    assert newtons == pytest.approx(teleop.config.guide_force_n, abs=0.01)
    teleop.disable_torque()
    wait_until(lambda: glove_bus.torque_on == [0, 0])


@pytest.mark.parametrize("force", [0.0, -1.0, 2.5, 1e308, float("nan"), float("inf"), "much"])
def test_a_glove_leads_with_no_more_than_it_may_press(glove_bus, force) -> None:
    with pytest.raises(ValueError, match="guide_force_n"):
        ForceGloveConfig(
            glove=glove_bus.config(), feedback=FeedbackConfig(max_torque=2.0), guide_force_n=force
        )


def test_disconnect_leaves_no_torque_also_twice(teleop, hand, glove_bus) -> None:
    hand.torque = np.full(6, 0.4)
    wait_until(lambda: all(glove_bus.currents))
    teleop.disconnect()
    assert glove_bus.currents == [0, 0]
    assert glove_bus.torque_on == [0, 0]
    assert not teleop.is_connected
    with pytest.raises(DeviceNotConnectedError):
        teleop.get_action()


def test_unplugged_glove_ends_the_loop_and_disconnect_still_works(teleop, hand, glove_bus, caplog) -> None:
    act_when_hand_speaks(teleop)
    glove_bus.bus.close()
    with pytest.raises(DeviceError, match=r"dynamixel glove on /dev/"):
        act_for_five_seconds(teleop)
    teleop.disconnect()
    assert not teleop.is_connected
    assert "power" in caplog.text


def test_stock_calibrate_writes_lerobots_file(glove_bus, tmp_path, monkeypatch) -> None:
    config = ForceGloveConfig(glove=glove_bus.config(), id="new", calibration_dir=tmp_path, rig="calibrate")
    teleop = ForceGlove(config)
    poses = iter([0.1, 0.9])
    monkeypatch.setattr("builtins.input", lambda _: glove_bus.bend(next(poses)))
    teleop.connect(calibrate=False)
    assert not teleop.is_calibrated
    with pytest.raises(DeviceNotCalibratedError, match="lerobot-calibrate"):
        teleop.get_action()
    teleop.calibrate()
    teleop.disconnect()
    assert json.loads((tmp_path / "new.json").read_text())["index_bend"]["range_min"] == 1229
    assert ForceGlove(config).is_calibrated


def test_a_hand_without_torque_leaves_the_glove_free_and_says_so_once(
    teleop, hand, glove_bus, caplog
) -> None:
    hand.torque, hand.measures_torque = np.full(6, np.nan), False
    for _ in range(3):
        action = act_when_hand_speaks(teleop)
        assert tuple(action) == CLOSURE_KEYS
        time.sleep(0.05)
    assert not any(glove_bus.currents)
    said = [record.message for record in caplog.records if "measures no torque" in record.message]
    assert len(said) == 1
    assert "gives no feedback" in said[0]
    teleop.send_feedback({"index_bend.pos": 0.4})  # what is left out is not known: nothing is felt
    time.sleep(0.05)
    assert not any(glove_bus.currents)
