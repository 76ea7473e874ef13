"""The worked examples of docs/extend.md work: a hand, a glove and a policy that the package does not know."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import draccus
import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset
from lerobot.policies import make_policy, make_pre_post_processors

from softgrasp_plugin.devices.errors import DeviceError
from softgrasp_plugin.devices.feel import FeelChannel
from softgrasp_plugin.devices.gloves.thread import GloveThread
from softgrasp_plugin.devices.hand_sample import HandSample
from softgrasp_plugin.devices.hands.calibration import FreeAirSweep
from softgrasp_plugin.devices.hands.polled_hand import PolledHand
from softgrasp_plugin.emulators.plant import FirstOrderJoints
from softgrasp_plugin.grasping.force_feedback import FeedbackConfig
from softgrasp_plugin.joints import NUM_JOINTS
from softgrasp_plugin.policies.example import make_example_batch
from softgrasp_plugin.scripts.doctor_config import DoctorConfig

from ..policies.synthetic import REPO_ID, make_dataset
from .blocks import PROJECT

EXAMPLES = PROJECT / "docs" / "examples"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


class HandController(socketserver.ThreadingTCPServer):
    """What `my_hand.py` talks to, around joints that meet an object half way."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.joints = FirstOrderJoints(time_constant_s=0.01)
        self.limits_n: list[float] = []
        super().__init__(("127.0.0.1", 0), Conversation)


class Conversation(socketserver.StreamRequestHandler):
    server: HandController

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for line in self.rfile:
            words = line.decode().split()
            if words[0] == "go":
                numbers = [float(word) for word in words[1:]]
                self.server.limits_n += numbers[NUM_JOINTS:]
                for joint in range(NUM_JOINTS):
                    self.server.joints.command(joint, numbers[joint], numbers[NUM_JOINTS + joint])
            closure, force = self.server.joints.measure()
            self.wfile.write((" ".join(f"{value:.6f}" for value in (*closure, *force)) + "\n").encode())


@pytest.fixture
def controller() -> Iterator[HandController]:
    with HandController() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_hand_from_its_configuration_to_a_grasp(controller: HandController) -> None:
    import my_hand  # noqa: F401

    port = controller.server_address[1]
    hand_options = ["type=my_hand", "host=127.0.0.1", f"tcp_port={port}", "max_force_n=3"]
    arguments = ["--robot.type=ur3_dexhand", *(f"--robot.hand.{option}" for option in hand_options)]
    config: Any = draccus.parse(DoctorConfig, args=arguments).robot
    channel = FeelChannel()
    sweep = FreeAirSweep(stops=(0.0, 0.5, 0.95), samples=2, settle_s=0.02)
    link = config.hand.make_link(10.0)
    hand = PolledHand(
        link, channel, None, rate_hz=100.0, max_closure_speed=10.0, stale_after_s=0.5, sweep=sweep
    )
    hand.connect()
    hand.calibrate(lambda _: "y")
    controller.joints.object_closure = 0.5
    until = time.monotonic() + 5.0
    while hand.read().torque.min() < 2.0 and time.monotonic() < until:
        hand.write(np.full(NUM_JOINTS, 0.8))
        time.sleep(0.01)
    felt = channel.latest()
    assert felt is not None
    assert felt.torque == pytest.approx(np.full(NUM_JOINTS, 3.0), abs=1.0)
    assert max(controller.limits_n) <= 3.0, "the configured limit reaches the wire"
    hand.disconnect()
    with pytest.raises(DeviceError, match="my hand at"):
        link.measure()


def test_the_robot_takes_the_driver_from_the_configuration(tmp_path: Path) -> None:
    import my_hand

    from softgrasp_plugin.robots.config_ur3_dexhand import UR3DexHandConfig
    from softgrasp_plugin.robots.ur3_dexhand import UR3DexHand

    hand = my_hand.MyHandConfig(host="127.0.0.1", tcp_port=1)
    robot = UR3DexHand(UR3DexHandConfig(hand=hand, calibration_dir=tmp_path))
    assert str(robot.hand) == "my hand at 127.0.0.1:1"
    with pytest.raises(DeviceError, match="cannot be reached"):
        robot.connect()


def test_a_glove_feels_what_the_hand_feels_and_is_released_at_the_end() -> None:
    import my_glove

    from softgrasp_plugin.devices.gloves.factory import make_glove

    glove: Any = make_glove(my_glove.MyGloveConfig(), {})
    assert isinstance(glove, my_glove.MyGlove)
    glove.connect()
    channel = FeelChannel()
    thread = GloveThread(glove, channel, FeedbackConfig(), rate_hz=200.0)
    thread.start()
    until = time.monotonic() + 5.0
    while max(glove._sdk.brake) < 0.5 and time.monotonic() < until:
        glove._sdk.bend = [min(bend + 0.002, 0.9) for bend in glove._sdk.bend]
        channel.publish(HandSample(np.full(NUM_JOINTS, 0.5), np.full(NUM_JOINTS, 3.0), time.monotonic()))
        time.sleep(0.005)
    assert 0.5 <= max(glove._sdk.brake) <= my_glove.STRONGEST_N
    thread.stop()
    assert max(glove._sdk.brake) == 0.0


def test_a_policy_is_found_trains_and_acts(tmp_path: Path) -> None:
    from my_policy.configuration_my_policy import MyConfig

    root = make_dataset(tmp_path / "d", episodes=1, frames=4, height=24, width=32, video=False)
    meta = LeRobotDataset(REPO_ID, root=root).meta
    config = MyConfig(device="cpu", push_to_hub=False, head_hidden_dims=[16], width=16, chunk_size=3)
    policy = make_policy(config, ds_meta=meta)
    assert type(policy).__name__ == "MyPolicy"
    make_pre_post_processors(config, dataset_stats=meta.stats)
    loss, logs = policy.forward(make_example_batch(config))
    loss.backward()
    assert set(logs) >= {"loss_angle", "loss_torque"}
    assert policy.select_action(make_example_batch(config, stacked=False)).shape == (2, 12)
