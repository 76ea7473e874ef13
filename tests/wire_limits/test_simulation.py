"""No action passes a limit of the simulated rig."""

import numpy as np
import pytest

from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.joints import CLOSURE_KEYS
from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim

from .actions import SEED, ActionSource, share

FPS, HEIGHT_M, SPEED_M_S = 30, 0.08, 0.1


@pytest.mark.parametrize("torque_mode", ["ignore", "limit", "track"])
def test_no_action_passes_a_limit(torque_mode: str, request: pytest.FixtureRequest) -> None:
    source = ActionSource(SEED)
    robot = UR3DexHandSim(
        UR3DexHandSimConfig(
            id="sim",
            rig=request.node.name,
            fps=FPS,
            cameras={},
            torque=TorqueCommandConfig(mode=torque_mode, maximum_n=3.0),
            lift=LiftConfig(height_m=HEIGHT_M, speed_m_s=SPEED_M_S),
        )
    )
    robot.connect()
    faulty, heights = [], [0.0]
    try:
        for number in range(share(0.08)):
            action, wrong = source.next()
            if number % 60 < 40:
                # Between the nonsense somebody grasps, so that there is something to lift.
                action, wrong = dict.fromkeys(CLOSURE_KEYS, min(0.02 * (number % 60), 0.8)), False
            try:
                robot.send_action(action)
                if wrong:
                    faulty.append(f"nonsense was taken for an action: {action}")
            except (ValueError, TypeError) as error:
                if wrong is False:
                    faulty.append(f"{error!r} for the proper {action}")
            except Exception as error:
                faulty.append(f"{error!r} for {action}")
            world = robot._open_session.world
            closure = world._closure_command
            if not ((closure >= 0.0) & (closure <= 1.0)).all():
                faulty.append(f"the hand was sent to {closure}")
            heights.append(world._lift_command)
    finally:
        robot.disconnect()
    assert faulty == []
    assert 0.0 <= min(heights) <= max(heights) <= HEIGHT_M + 1e-9
    assert np.diff(heights).max() * FPS <= SPEED_M_S * 1.001
