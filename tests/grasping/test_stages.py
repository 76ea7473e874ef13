"""The five stages of a grasp."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softgrasp_plugin.grasping.contact import ContactConfig
from softgrasp_plugin.grasping.lift import LiftConfig
from softgrasp_plugin.grasping.stages import Stage, segment_stages
from softgrasp_plugin.joints import NUM_JOINTS

FPS = 30
CONFIG = LiftConfig(
    settle_torque_rate=1.0,
    settle_closure_rate=0.05,
    contact=ContactConfig((0.25,) * NUM_JOINTS, (0.5,) * NUM_JOINTS),
)
RECORDING = (
    Path(__file__).parents[2] / ".." / "shared" / "recordings" / "exp_apple_21" / "exp_apple_21.pickle"
)


def ramp(*points):
    """(N, 6) from (second, value) corners, the same for all joints."""
    seconds, values = zip(*points, strict=True)
    line = np.interp(np.arange(round(seconds[-1] * FPS)) / FPS, seconds, values)
    return np.repeat(line[:, None], NUM_JOINTS, axis=1)


def episode():
    """Rest 0–1 s, close 1–2 s, grip 2–3 s, hold, lift 4–5 s with a tug at the start, hold to 7 s."""
    closure = ramp((0, 0.1), (1, 0.1), (2, 0.4), (7, 0.4))
    torque = ramp((0, 0), (1.9, 0), (3, 2), (4, 2), (4.3, 3), (4.8, 2), (7, 2))
    height = ramp((0, 0), (4, 0), (5, 0.1), (7, 0.1))[:, 0]
    return closure, torque, height


def starts(stages):
    return {Stage(stage): int(np.argmax(stages == stage)) / FPS for stage in np.unique(stages)}


def test_finds_the_stages_of_a_grasp_with_the_recorded_lift():
    closure, torque, height = episode()
    found = starts(segment_stages(closure, torque, FPS, height, CONFIG))
    assert list(found) == list(Stage)
    assert found[Stage.PREPARATION] == 0
    assert found[Stage.CLOSING] == pytest.approx(1.07, abs=0.05)  # 0.02 closure after it starts
    # Grasped once the torque passes 0.5 N at 2.17 s, the closure having stopped at 2 s.
    assert found[Stage.CLUTCHING] == pytest.approx(2.17, abs=0.1)
    assert found[Stage.RECLUTCHING] == pytest.approx(4.0, abs=0.1)
    assert found[Stage.STABLE] == pytest.approx(5.0, abs=0.1)


def test_recomputes_the_lift_where_it_was_not_recorded():
    closure, torque, _ = episode()
    found = starts(segment_stages(closure, torque, FPS, config=CONFIG))
    assert list(found) == list(Stage)
    # The supervisor lifts 0.4 s after the torque has come to rest at 3 s, at rates below 1 N/s.
    assert found[Stage.RECLUTCHING] == pytest.approx(3.4, abs=0.2)
    assert found[Stage.STABLE] == pytest.approx(4.8, abs=0.25)


def test_reads_the_lift_from_the_grasp_where_noise_keeps_the_supervisor_from_lifting():
    closure, torque, _ = episode()
    noisy = 10 * torque + np.random.default_rng(0).normal(0, 0.5, torque.shape) * (torque > 0)
    found = starts(segment_stages(closure, noisy, FPS, config=CONFIG))
    assert list(found) == list(Stage)
    assert 3.0 < found[Stage.RECLUTCHING] <= 4.1
    assert found[Stage.STABLE] == pytest.approx(4.8, abs=0.3)


def test_a_grasp_that_is_never_lifted_does_not_leave_clutching():
    closure, torque, height = episode()
    stages = segment_stages(closure, torque, FPS, np.zeros_like(height), CONFIG)
    assert stages.max() == Stage.CLUTCHING


def test_a_dropped_object_is_not_stable():
    closure, torque, height = episode()
    torque[-15:] = 0
    assert segment_stages(closure, torque, FPS, height, CONFIG).max() == Stage.RECLUTCHING


def test_an_episode_cut_during_the_lift_is_not_stable():
    closure, torque, height = (signal[: round(4.7 * FPS)] for signal in episode())
    assert segment_stages(closure, torque, FPS, height, CONFIG).max() == Stage.RECLUTCHING


def test_a_hand_that_closes_on_nothing_only_closes():
    closure, torque, _ = episode()
    stages = segment_stages(closure, np.zeros_like(torque), FPS, config=CONFIG)
    assert sorted(set(stages.tolist())) == [Stage.PREPARATION, Stage.CLOSING]


def test_the_thumb_may_swing_into_place_during_preparation():
    closure, torque, height = episode()
    closure[:, 5] = np.linspace(0, 1, len(closure))
    assert starts(segment_stages(closure, torque, FPS, height, CONFIG))[Stage.CLOSING] > 0.9


def test_heights_may_start_anywhere():
    closure, torque, height = episode()
    np.testing.assert_array_equal(
        segment_stages(closure, torque, FPS, height + 0.7, CONFIG),
        segment_stages(closure, torque, FPS, height, CONFIG),
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_stages_never_decrease(data):
    shape = (data.draw(st.integers(1, 60)), NUM_JOINTS)
    closure = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(0, 1)))
    torque = data.draw(hnp.arrays(np.float64, shape, elements=st.floats(-1, 10)))
    height = data.draw(st.one_of(st.none(), hnp.arrays(np.float64, shape[:1], elements=st.floats(0, 0.2))))
    stages = segment_stages(closure, torque, FPS, height)
    assert stages.shape == shape[:1]
    assert (np.diff(stages) >= 0).all()
    assert set(stages.tolist()) <= set(Stage)


def test_an_empty_episode_has_no_stages():
    assert segment_stages(np.zeros((0, NUM_JOINTS)), np.zeros((0, NUM_JOINTS)), FPS).shape == (0,)


def test_refuses_what_it_cannot_segment():
    closure, torque, height = episode()
    with pytest.raises(ValueError, match="closure and torque of shape"):
        segment_stages(closure[:-1], torque, FPS)
    with pytest.raises(ValueError, match="lift_height of shape"):
        segment_stages(closure, torque, FPS, height[:-1])
    with pytest.raises(ValueError, match="fps must be"):
        segment_stages(closure, torque, 0)
    torque[5, 2] = np.nan
    with pytest.raises(ValueError, match="must be finite"):
        segment_stages(closure, torque, FPS)


class PlainArrays(pickle.Unpickler):
    """Admits NumPy arrays only."""

    def find_class(self, module, name):
        if (module.removesuffix("._multiarray_umath"), name) in {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy.core.multiarray", "scalar"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"{module}.{name}")


@pytest.mark.skipif(
    not RECORDING.is_file(), reason="the authors' recording exp_apple_21 is not on this machine"
)
def test_a_real_demonstration():
    with RECORDING.open("rb") as file:
        recording = PlainArrays(file, encoding="latin1").load()
    closure = 1 - recording["joint"]
    torque = 9.80665 * recording["force"]
    torque -= np.median(torque[:15], axis=0)
    # The arm's pose is in `actions`; `trajectory` repeats the last pose in every row.
    height = recording["actions"][:, 2]

    recorded = starts(segment_stages(closure, torque, FPS, height))
    assert list(recorded) == list(Stage)
    assert 0.5 < recorded[Stage.CLOSING] < 1.0  # first bend at frame 24
    assert 2.5 < recorded[Stage.CLUTCHING] < 4.0  # fingers at rest from about frame 100
    assert recorded[Stage.RECLUTCHING] * FPS == pytest.approx(168, abs=2)
    assert recorded[Stage.STABLE] * FPS == pytest.approx(393, abs=5)

    # Without the height, the supervisor lifts within a second of when the human did.
    supervised = starts(segment_stages(closure, torque, FPS))
    assert list(supervised) == list(Stage)
    assert abs(supervised[Stage.RECLUTCHING] - recorded[Stage.RECLUTCHING]) < 1.0
