"""What the grip comes to when predicted torques are followed, on a stiff and on a soft object."""

import numpy as np
import pytest

from softgrasp_plugin.envs.softgrasp_sim import SoftGraspSimEnv
from softgrasp_plugin.grasping.contact import ContactConfig
from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.grasping.torque_command import TorqueCommandConfig
from softgrasp_plugin.joints import FloatArray
from softgrasp_plugin.simulation.settings import WorldSettings

NEVER_LIFTED = LiftConfig(contact=ContactConfig(clutch_torque=(20.0,) * 6))


def grip(mode: str, task: str, surface: str | None, predicted: FloatArray, press: float) -> FloatArray:
    """Torques (6,) after a virtual grasp that closes until the fingers touch, `press` further, and then holds
    its command for some seconds, while the same torques are predicted for every joint that has touched.
    """
    world = WorldSettings(surface=surface, torque_noise=0.0, lift=NEVER_LIFTED)
    env = SoftGraspSimEnv(task, height=48, width=64, torque=TorqueCommandConfig(mode=mode), world=world)
    observation, _ = env.reset(seed=0)
    closure, touched = observation["agent_pos"][:6].astype(np.float64), np.zeros(6, bool)
    for _ in range(240):
        touched |= observation["agent_pos"][6:] > 0.25
        if not (touched[4] and touched[:4].any()):
            closure[:5] += np.where(touched[:5], 0.0, 0.004)
        elif press > 0:
            closure[:5] += 0.002
            press -= 0.002
        action = np.r_[closure, np.where(touched, predicted, 0.0)].astype(np.float32)
        observation, *_, info = env.step(action)
    assert not info["is_crushed"]
    torque: FloatArray = observation["agent_pos"][6:]
    return torque


@pytest.mark.parametrize(
    ("task", "surface", "finger_n", "thumb_n"),
    [("object_06", None, (3.0, 1.0), 3.0), ("object_03", "TPE", (1.0, 1.0), 3.5)],
    ids=["stiff", "soft"],
)
@pytest.mark.parametrize("press", [0.0, 0.014], ids=["loose", "tight"])
def test_the_grip_comes_to_the_predicted_torque(
    task: str, surface: str | None, finger_n: tuple[float, float], thumb_n: float, press: float
) -> None:
    wanted = finger_n[int(press > 0)]
    predicted = np.array([*[wanted] * 4, thumb_n, 0.0])
    ignored, tracked = (grip(mode, task, surface, predicted, press) for mode in ("ignore", "track"))
    strongest = int(np.argmax(ignored[:4]))
    sign = -1.0 if press else 1.0
    assert sign * (tracked[strongest] - ignored[strongest]) > 0.3
    assert tracked[strongest] == pytest.approx(wanted, abs=0.3)
