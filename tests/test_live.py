import logging
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from softgrasp_plugin.joints import CLOSURE_KEYS, STATE_KEYS
from softgrasp_plugin.live import Arrangement, show
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


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The real Rerun with a recording in memory, for this thread only: Rerun never forgets a global one."""
    rerun = pytest.importorskip("rerun")
    with rerun.RecordingStream("softgrasp_test") as stream:
        stream.memory_recording()
        monkeypatch.setattr(rerun, "get_global_data_recording", lambda: stream)
        yield rerun


@pytest.mark.parametrize(("measures_torque", "keys"), [(True, STATE_KEYS), (False, CLOSURE_KEYS)])
def test_the_real_viewer_shows_torques_apart_from_closures(
    measures_torque: bool,
    keys: tuple[str, ...],
    recording: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from softgrasp_plugin.robots.config_ur3_dexhand_sim import UR3DexHandSimConfig
    from softgrasp_plugin.robots.ur3_dexhand_sim import UR3DexHandSim

    sent: list[Any] = []
    send = recording.send_blueprint
    monkeypatch.setattr(
        recording, "send_blueprint", lambda blueprint: (sent.append(blueprint), send(blueprint))
    )
    robot = UR3DexHandSim(UR3DexHandSimConfig(measures_torque=measures_torque))
    robot.connect()
    for _tick in range(40):
        robot.send_action({})
    robot.disconnect()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    (blueprint,) = sent
    left, right = blueprint.root_container.contents
    assert [view.name for view in left.contents] == [
        "camera side",
        "0 grasping, 1 lifting, 2 holding, 3 lowering",
        "attention, sums to 1",
    ]
    paths = [path for view in right.contents for path in view.contents]
    wanted = [f"{source}.{key}" for source in ("observation", "action") for key in keys]
    assert sorted(paths) == sorted(wanted)
    for view in right.contents:
        assert len({path.endswith("_torque.pos") for path in view.contents}) == 1, view.name
        assert view.name.startswith("torque") == view.contents[0].endswith("_torque.pos")


def test_a_viewer_that_refuses_does_not_stop_the_robot(
    recording: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(blueprint: Any) -> None:
        raise TypeError("no such view")

    monkeypatch.setattr(recording, "send_blueprint", refuse)
    arrangement = Arrangement(["side"])
    for _tick in range(40):
        arrangement.update(measures_torque=True)
    assert "keeps LeRobot's arrangement" in caplog.text
    assert "no such view" in caplog.text
