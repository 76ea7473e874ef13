"""No height that is asked for lifts a UR arm higher or faster than it may, measured at its controller."""

import importlib.util
import math
import random
import time

import pytest

from softgrasp_plugin.devices.arms.config import URArmConfig
from softgrasp_plugin.devices.arms.ur import URArm
from softgrasp_plugin.devices.errors import DeviceError
from tests.emulators.ur_process import GRASP_JOINTS, URControllerProcess

from .actions import SEED, ActionSource, share
from .conftest import stop_the_process

HEIGHTS: tuple[object, ...] = (
    0.0,
    0.05,
    0.1,
    1.0,
    -1.0,
    1e308,
    math.nan,
    math.inf,
    -math.inf,
    10**400,
    None,
    "up",
)
MAX_HEIGHT_M, MAX_SPEED_M_S = 0.08, 0.12
WINDOW_S = 0.1
_TOLERANCE_M = 1e-3

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("rtde_control") is None, reason="ur_rtde is not installed (extra: ur)"
)


def fastest(track: list[tuple[float, float, float]]) -> float:
    """The speed that the arm must at least have had, m/s: each height was so at some time within its two."""
    best = 0.0
    first = 0
    for asked, answered, height in track:
        while answered - track[first][0] > 2 * WINDOW_S and asked - track[first + 1][1] >= WINDOW_S:
            first += 1
        earlier_asked, _, earlier_height = track[first]
        if asked - earlier_asked >= WINDOW_S:
            best = max(best, (abs(height - earlier_height) - _TOLERANCE_M) / (answered - earlier_asked))
    return best


def test_no_height_passes_a_limit() -> None:
    source = random.Random(SEED)
    track: list[tuple[float, float, float]] = []
    faulty: list[str] = []
    with URControllerProcess() as controller:
        arm = URArm(
            URArmConfig(
                host=controller.host,
                grasp_joints=GRASP_JOINTS,
                max_height_m=MAX_HEIGHT_M,
                max_speed_m_s=MAX_SPEED_M_S,
            )
        )
        arm.connect()
        bottom = float(controller.ask("state")["height_m"])
        try:
            for _ in range(share(0.04)):
                height = source.choice(HEIGHTS)
                try:
                    arm.command_lift(height)  # type: ignore[arg-type]
                except (ValueError, TypeError, DeviceError):
                    pass
                except Exception as error:
                    faulty.append(f"{error!r} for a height of {height}")
                for _ in range(source.randint(1, 25)):
                    asked = time.monotonic()
                    above = float(controller.ask("state")["height_m"]) - bottom
                    track.append((asked, time.monotonic(), above))
                    time.sleep(0.01)
                if source.random() < 0.02:
                    stop_the_process(0.3)
        finally:
            arm.disconnect()
    assert faulty == []
    assert arm.fault is None
    heights = [height for _, _, height in track]
    assert max(heights) > 0.03, "the arm hardly rose"
    assert max(heights) <= MAX_HEIGHT_M + _TOLERANCE_M
    assert min(heights) >= -0.01
    assert fastest(track) <= MAX_SPEED_M_S * 1.05


def test_actions_are_what_they_say() -> None:
    wrong = [ActionSource(seed).next()[1] for seed in range(200)]
    assert {True, False, None} == set(wrong)
