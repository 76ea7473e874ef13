from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lerobot.common.control_utils import teleop_supports_feedback
from lerobot.utils.errors import DeviceNotConnectedError

from softgrasp_plugin.joints import CAMERA_KEY, CLOSURE_KEYS, STATE_KEYS, TORQUE_KEYS
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim
from softgrasp_plugin.simulation.config_simulated_camera import SimulatedCameraConfig
from softgrasp_plugin.simulation.operator import OperatorConfig
from softgrasp_plugin.simulation.session import find_session
from softgrasp_plugin.teleoperators.config_virtual_operator import VirtualOperatorConfig
from softgrasp_plugin.teleoperators.virtual_operator import VirtualOperator

Rig = tuple[UR3DexHandSim, VirtualOperator]


@pytest.fixture
def rig() -> Iterator[Rig]:
    camera = SimulatedCameraConfig(width=64, height=48)
    robot = UR3DexHandSim(UR3DexHandSimConfig(id="test", cameras={CAMERA_KEY: camera}))
    operator = VirtualOperator(VirtualOperatorConfig(id="test", pause_s=0.1))
    operator.connect()  # LeRobot connects the teleoperator first
    robot.connect()
    yield robot, operator
    if operator.is_connected:
        operator.disconnect()
    robot.disconnect()


def closures(values: dict[str, float]) -> np.ndarray:
    return np.array([values[key] for key in CLOSURE_KEYS])


def run(rig: Rig, ticks: int) -> dict[str, float]:
    robot, operator = rig
    for _ in range(ticks):
        action = operator.get_action()
        robot.send_action(action)
    return action


def test_keys_and_order(rig: Rig) -> None:
    robot, operator = rig
    assert tuple(operator.action_features) == tuple(operator.get_action()) == STATE_KEYS
    assert operator.action_features == robot.action_features


def test_the_torques_of_an_action_are_those_measured_at_that_moment(rig: Rig) -> None:
    robot, operator = rig
    run(rig, 75)
    observation, action = robot.get_observation(), operator.get_action()
    torques = [action[key] for key in TORQUE_KEYS]
    assert torques == [observation[key] for key in TORQUE_KEYS]
    assert max(torques) > 0.2, "by now something is touched"


def test_the_person_grasps_and_then_starts_over(rig: Rig) -> None:
    robot, _ = rig
    session = find_session("default")
    first = session.trial
    for _ in range(400):
        run(rig, 1)
        if session.trial is not first:
            break
        outcome = session.world.outcome()
    assert outcome.is_success
    assert session.trial.episode == 1
    assert robot.lift_phase == "grasping", "the robot forgot the last grasp"


def test_the_person_rests_while_something_else_drives_the_hand(rig: Rig) -> None:
    robot, operator = rig
    start = operator.get_action()
    for _ in range(60):
        robot.send_action({})
    assert closures(operator.get_action()) == pytest.approx(closures(start), abs=0.01)
    assert closures(run(rig, 60)).max() > closures(start).max() + 0.05, "and works when asked"


def test_handover_leads_the_glove_to_the_hand(rig: Rig) -> None:
    """What LeRobot's DAgger strategy does between the policy and the person."""
    robot, operator = rig
    assert teleop_supports_feedback(operator)
    operator.get_action()
    goal = dict(zip(CLOSURE_KEYS, [0.3, 0.32, 0.34, 0.36, 0.4, 0.8], strict=True))
    operator.enable_torque()
    operator.send_feedback(goal)
    for _ in range(30):
        robot.send_action(goal)
    assert closures(operator.get_action()) == pytest.approx(closures(goal), abs=0.02)
    operator.disable_torque()
    robot.send_action(operator.get_action())
    assert closures(operator.get_action()) == pytest.approx(closures(goal), abs=0.05), "no jump"


def test_torques_sent_as_feedback_are_felt(rig: Rig) -> None:
    _, operator = rig
    operator.get_action()
    operator.send_feedback({"index_bend_torque.pos": 0.4})
    sample = find_session("default").world.feel.latest()
    assert sample is not None
    assert sample.torque[3] == pytest.approx(0.4)


@pytest.mark.parametrize("value", [float("nan"), 1e308, -166.0, pytest.param(10**400, id="401 digits")])
def test_feedback_that_no_hand_can_have_is_refused(rig: Rig, value: float) -> None:
    _, operator = rig
    operator.get_action()
    for key in (TORQUE_KEYS[3], CLOSURE_KEYS[3]):
        with pytest.raises(ValueError, match="Feedback must be"):
            operator.send_feedback({key: value})
    operator.enable_torque()
    with pytest.raises(ValueError, match="finite"):
        operator.send_feedback({CLOSURE_KEYS[3]: float("nan")})


def test_by_default_the_person_has_the_models_habits() -> None:
    """The option's default stands apart from the model's: a configuration is read without loading MuJoCo."""
    assert VirtualOperatorConfig().sight_error_m == OperatorConfig().sight_error_m


def test_without_a_simulated_robot_it_says_what_to_do() -> None:
    operator = VirtualOperator(VirtualOperatorConfig(id="test", rig="nowhere"))
    operator.connect()
    with pytest.raises(DeviceNotConnectedError, match="ur3_dexhand_sim"):
        operator.get_action()
    operator.disconnect()


def test_a_missing_mapping_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"absent\.json"):
        VirtualOperator(VirtualOperatorConfig(id="test", mapping=str(tmp_path / "absent.json")))


@pytest.mark.parametrize("objects", [["object_01", "object_05"], ["object_08", "object_12"]])
def test_nothing_is_implausible_about_a_grasp(objects: list[str], caplog: pytest.LogCaptureFixture) -> None:
    robot = UR3DexHandSim(UR3DexHandSimConfig(id="test", cameras={}, objects=objects))
    operator = VirtualOperator(VirtualOperatorConfig(id="test", pause_s=0.1))
    operator.connect()
    robot.connect()
    run((robot, operator), 2 * 8 * 30)
    robot.disconnect()
    operator.disconnect()
    assert "Implausible" not in caplog.text


def test_a_sensor_that_is_stuck_is_told(caplog: pytest.LogCaptureFixture) -> None:
    robot = UR3DexHandSim(UR3DexHandSimConfig(id="test", cameras={}, objects=["object_12"]))  # a long way
    operator = VirtualOperator(VirtualOperatorConfig(id="test"))
    operator.connect()
    robot.connect()
    read = robot.hand.read
    stuck = np.array([0.0, 0.0, 0.0, 3.0, 0.0, 0.0])
    robot.hand.read = lambda: replace(read(), torque=stuck)  # type: ignore[method-assign]
    run((robot, operator), 90)
    robot.disconnect()
    operator.disconnect()
    assert caplog.text.count("Implausible force of index_bend: its force stood at 3.00 N") == 1
