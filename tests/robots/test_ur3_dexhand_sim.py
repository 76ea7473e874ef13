from collections.abc import Iterator

import draccus
import numpy as np
import pytest
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.joints import CAMERA_KEY, CLOSURE_KEYS, STATE_KEYS, TORQUE_KEYS
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.simulation.config_simulated_camera import SimulatedCameraConfig
from softgrasp_plugin.simulation.variation import Variation

_made: list[UR3DexHandSim] = []


def make_robot(**options: object) -> UR3DexHandSim:
    camera = SimulatedCameraConfig(width=64, height=48)
    robot = UR3DexHandSim(UR3DexHandSimConfig(id="test", cameras={CAMERA_KEY: camera}, **options))  # type: ignore[arg-type]
    _made.append(robot)
    return robot


@pytest.fixture(autouse=True)
def _no_rig_stays_open() -> Iterator[None]:
    """One failed test must not make every later one find its rig taken."""
    yield
    while _made:
        robot = _made.pop()
        if robot.is_connected:
            robot.disconnect()


@pytest.fixture
def robot() -> UR3DexHandSim:
    robot = make_robot()
    robot.connect()
    return robot


def closures(observation: dict[str, float]) -> np.ndarray:
    return np.array([observation[key] for key in CLOSURE_KEYS])


def test_keys_units_and_order(robot: UR3DexHandSim) -> None:
    observation = robot.get_observation()
    assert tuple(observation) == (*STATE_KEYS, CAMERA_KEY) == tuple(robot.observation_features)
    assert tuple(robot.action_features) == STATE_KEYS
    assert observation[CAMERA_KEY].shape == robot.observation_features[CAMERA_KEY] == (48, 64, 3)
    assert observation[CAMERA_KEY].dtype == np.uint8
    assert all(observation[key] == 0.0 for key in TORQUE_KEYS), "nothing is touched"
    assert ((closures(observation) >= 0) & (closures(observation) <= 1)).all()


def test_rollouts_filter_keeps_every_channel() -> None:
    """`lerobot-rollout` keeps scalars ending in .pos or .vel only; the day it keeps all, the torque keys may
    lose the ending.
    """
    assert all(key.endswith(".pos") for key in STATE_KEYS)


def test_an_action_moves_the_hand_and_a_missing_key_keeps_its_command(robot: UR3DexHandSim) -> None:
    start = closures(robot.get_observation())
    sent = robot.send_action({"index_bend.pos": start[3] + 0.1})
    for _ in range(15):
        robot.send_action({})
    moved = closures(robot.get_observation())
    assert moved[3] == pytest.approx(start[3] + 0.1, abs=0.01)
    assert moved[:3] == pytest.approx(start[:3], abs=0.01)
    assert sent["index_bend.pos"] == pytest.approx(start[3] + 0.1)


def test_one_action_is_one_tick(robot: UR3DexHandSim) -> None:
    session = robot._open_session
    for _ in range(30):
        robot.send_action({})
    assert session.world.time == pytest.approx(1.0)


def test_an_action_that_is_not_finite_is_refused(robot: UR3DexHandSim) -> None:
    with pytest.raises(ValueError, match="ring_bend"):
        robot.send_action({"ring_bend.pos": float("nan")})


def test_return_to_the_first_observation_opens_the_hand(robot: UR3DexHandSim) -> None:
    """At the end of a rollout LeRobot sends the first observation back as an action, torques of zero
    included.
    """
    robot.disconnect()
    robot = make_robot(torque=TorqueCommandConfig(mode="limit"))
    robot.connect()
    first = {key: value for key, value in robot.get_observation().items() if key.endswith(".pos")}
    for _ in range(20):
        robot.send_action({"middle_bend.pos": 0.5})
    for _ in range(60):
        robot.send_action(first)
    assert closures(robot.get_observation()) == pytest.approx([first[key] for key in CLOSURE_KEYS], abs=0.02)
    robot.disconnect()


def press(robot: UR3DexHandSim, predicted: float | None, ticks: int = 90) -> np.ndarray:
    """Close until something is held, predicting `predicted` newtons or, for None, what was measured; returns
    by how much the executed closures differed from those asked for, (ticks, 6).
    """
    observation = robot.get_observation()
    closure, corrections = closures(observation), []
    closure[5] = 0.93
    for _ in range(ticks):
        closure[:5] += 0.003
        observation = robot.get_observation()
        torque = {key: observation[key] if predicted is None else predicted for key in TORQUE_KEYS}
        sent = robot.send_action({**dict(zip(CLOSURE_KEYS, closure.tolist(), strict=True)), **torque})
        corrections.append(closures(sent) - closure)
    assert max(robot.get_observation()[key] for key in TORQUE_KEYS) > 0.5
    return np.array(corrections)


def test_predicted_torques_are_followed_and_measured_ones_are_not() -> None:
    """A person's action carries the torques of this moment, from `get_action` of a glove."""
    robot = make_robot(objects=["object_03"], torque=TorqueCommandConfig(mode="track"))
    robot.connect()
    corrected = press(robot, 6.0)
    assert corrected[-1, :5].max() > 0.01
    assert (corrected[:, 5] == 0).all()
    robot._open_session.next_trial()
    assert (press(robot, None) == 0).all(), "nothing is left of the last trial, and nothing is added"
    robot.disconnect()


def test_a_hand_over_takes_the_correction_back() -> None:
    robot = make_robot(objects=["object_03"], torque=TorqueCommandConfig(mode="track"))
    robot.connect()
    before = press(robot, 6.0)[-1]
    after = press(robot, None, ticks=30)
    assert np.abs(after[0]).max() < np.abs(before).max()
    assert (after[-1] == 0).all()
    robot.disconnect()


def test_noise_disturbs_what_is_executed_and_is_reproducible() -> None:
    def run(noise: float) -> list[float]:
        robot = make_robot(action_noise=noise)
        robot.connect()
        action = dict.fromkeys(CLOSURE_KEYS, 0.2)
        sent = [robot.send_action(action)["index_bend.pos"] for _ in range(20)]
        robot.disconnect()
        return sent

    assert run(0.0) == [0.2] * 20
    noisy = run(0.004)
    assert noisy == run(0.004)
    assert 0.0 < np.std(noisy) < 0.02


def test_hidden_variation_changes_what_is_felt_and_not_what_is_seen() -> None:
    def close(variation: Variation) -> tuple[np.ndarray, float]:
        robot = make_robot(objects=["object_03"], variation=variation)
        robot.connect()
        observation = robot.get_observation()
        closure = closures(observation)
        closure[5] = 0.93
        for _ in range(80):
            closure[:5] += 0.003
            robot.send_action(dict(zip(CLOSURE_KEYS, closure.tolist(), strict=True)))
        felt = robot.get_observation()
        robot.disconnect()
        return observation[CAMERA_KEY], sum(felt[key] for key in TORQUE_KEYS)

    plain, hidden = close(Variation()), close(Variation(stiffness=0.5))
    np.testing.assert_array_equal(plain[0], hidden[0])
    assert abs(plain[1] - hidden[1]) > 0.1 * plain[1] > 0


def test_the_command_line_reaches_the_variation() -> None:
    config = draccus.parse(
        UR3DexHandSimConfig,
        args=["--variation.mass=0.3", "--variation.stiffness=0.4", "--objects=[object_03]"],
    )
    assert config.variation == Variation(mass=0.3, stiffness=0.4)
    assert draccus.decode(UR3DexHandSimConfig, draccus.encode(config)).variation == config.variation


def test_arm_joints_come_after_the_hand() -> None:
    robot = make_robot(arm_joints=True)
    robot.connect()
    names = [key for key, kind in robot.observation_features.items() if kind is float]
    assert tuple(names[:12]) == STATE_KEYS
    assert len(names) == 18
    assert tuple(robot.get_observation()) == tuple(robot.observation_features)
    robot.disconnect()


def test_two_rigs_of_one_name_are_refused(robot: UR3DexHandSim) -> None:
    with pytest.raises(DeviceAlreadyConnectedError, match="rig"):
        make_robot().connect()


def test_unconnected_use_is_refused() -> None:
    with pytest.raises(DeviceNotConnectedError):
        make_robot().get_observation()


def test_random_objects_are_presented_in_turn(caplog: pytest.LogCaptureFixture) -> None:
    robot = make_robot(objects=["random_01", "object_02"])
    robot.connect()
    session = robot._open_session
    assert session.world.object_id == 101
    robot.send_action({})
    with caplog.at_level("INFO"):
        session.next_trial()
    assert "Trial 0, random_01: no success" in caplog.text
    assert session.world.object_id == 2
    robot.disconnect()


@pytest.mark.parametrize("objects", [[], ["object_13"]])
def test_unknown_objects_are_refused(objects: list[str]) -> None:
    with pytest.raises(ValueError, match="object_01"):
        UR3DexHandSimConfig(objects=objects)


def test_without_torque_sensing_there_are_closures_alone() -> None:
    robot = make_robot(measures_torque=False, arm_joints=True)
    robot.connect()
    observation = robot.get_observation()
    assert tuple(observation)[:6] == CLOSURE_KEYS
    assert tuple(observation) == tuple(robot.observation_features)
    assert not set(TORQUE_KEYS) & set(observation)
    assert tuple(robot.action_features) == CLOSURE_KEYS
    sent = robot.send_action(dict.fromkeys(CLOSURE_KEYS, 0.2))
    assert tuple(sent) == CLOSURE_KEYS


@pytest.mark.parametrize("mode", ["limit", "track"])
def test_torques_that_nobody_has_are_not_executed(mode: str) -> None:
    with pytest.raises(ValueError, match=r"--robot\.measures_torque=false.*set --robot\.torque\.mode=ignore"):
        make_robot(measures_torque=False, torque=TorqueCommandConfig(mode=mode))
