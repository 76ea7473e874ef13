import sys
from types import SimpleNamespace
from typing import Any

import pytest

from softgrasp_plugin.live import show
from softgrasp_plugin.policies.example import make_example_batch

from .policies.small import small_policy


class FakeRerun(SimpleNamespace):
    """The three functions of Rerun that are used."""

    def __init__(self, recording: object) -> None:
        self.logged: dict[str, Any] = {}
        super().__init__(
            get_global_data_recording=lambda: recording,
            Scalars=float,
            log=self.logged.__setitem__,
        )


@pytest.fixture
def viewer(monkeypatch: pytest.MonkeyPatch) -> FakeRerun:
    fake = FakeRerun(recording=object())
    monkeypatch.setitem(sys.modules, "rerun", fake)  # type: ignore[arg-type]
    return fake


def test_without_a_viewer_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "rerun", raising=False)
    show(lambda: {"x": 1.0})
    assert "rerun" not in sys.modules
    idle = FakeRerun(recording=None)
    monkeypatch.setitem(sys.modules, "rerun", idle)  # type: ignore[arg-type]
    show(lambda: {"x": 1.0})
    assert idle.logged == {}


def test_a_policy_shows_its_attention(viewer: FakeRerun) -> None:
    policy = small_policy("softgrasp")
    policy.reset()
    policy.select_action(make_example_batch(policy.config, batch_size=1, stacked=False))
    scores = [viewer.logged[f"softgrasp/attention/{name}"] for name in ("image", "angle", "torque")]
    assert sum(scores) == pytest.approx(1.0)


def test_a_robot_shows_where_the_lift_stands(viewer: FakeRerun) -> None:
    from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
    from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim

    robot = UR3DexHandSim(UR3DexHandSimConfig(cameras={}))
    robot.connect()
    robot.send_action({})
    robot.disconnect()
    assert viewer.logged == {"softgrasp/lift": 0.0}
