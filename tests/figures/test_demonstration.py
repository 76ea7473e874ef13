from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softgrasp_plugin.figures.demonstration import Demonstration, draw_demonstration, strip_frames
from softgrasp_plugin.figures.prediction import draw_prediction
from softgrasp_plugin.figures.style import save
from softgrasp_plugin.joints import JOINTS

LENGTH, FPS = 90, 30


def example(**changes: object) -> Demonstration:
    rng = np.random.default_rng(0)
    parts: dict[str, object] = {
        "images": [np.full((48, 64, 3), shade, dtype=np.uint8) for shade in (40, 90, 140, 190)],
        "closure": np.cumsum(rng.random((LENGTH, 6)), axis=0) / LENGTH,
        "torque": rng.random((LENGTH, 6)),
        "stages": np.repeat([1, 2, 3, 4, 5], [3, 27, 20, 20, 20]),
        "fps": FPS,
        "attention": {},
        "title": "an example",
    }
    return Demonstration(**(parts | changes))  # type: ignore[arg-type]


def attention() -> dict[str, np.ndarray]:
    scores = np.random.default_rng(1).dirichlet([2, 2, 2], LENGTH)
    return dict(zip(("image", "angle", "torque"), scores.T, strict=True))


@given(st.integers(1, 2000), st.integers(1, 20))
def test_strip_frames_are_in_the_middle_of_their_part(length: int, count: int) -> None:
    frames = strip_frames(length, count)
    assert len(frames) == count
    assert frames == sorted(frames)
    for part, frame in enumerate(frames):
        assert 0 <= frame < length
        assert part * length / count - 1 < frame < (part + 1) * length / count


def test_panels_share_the_time_axis_and_show_the_signals() -> None:
    demonstration = example(attention=attention())
    figure = draw_demonstration(demonstration)
    strip, stages, closure, torque, scores = figure.axes
    assert {panel.get_xlim() for panel in figure.axes} == {(0.0, LENGTH / FPS)}
    assert len(strip.images) == 4
    for panel, values in ((closure, demonstration.closure), (torque, demonstration.torque)):
        assert [line.get_label() for line in panel.lines] == [joint.replace("_", " ") for joint in JOINTS]
        np.testing.assert_array_equal(np.stack([line.get_ydata() for line in panel.lines], axis=1), values)
    assert [line.get_label() for line in scores.lines] == ["$S_I$  image", "$S_A$  angle", "$S_T$  torque"]
    assert np.sum([line.get_ydata() for line in scores.lines], axis=0) == pytest.approx(np.ones(LENGTH))
    # The first stage is too short for its name: its number, explained beside the bar.
    names = [text.get_text() for text in stages.texts]
    assert names == ["1", "Closing", "Clutching", "Re-clutching", "Stable", "1 Preparation"]


def test_images_keep_their_shape() -> None:
    figure = draw_demonstration(example())
    figure.draw_without_rendering()
    box = figure.axes[0].get_window_extent()
    assert box.width / 4 / box.height == pytest.approx(64 / 48, rel=1e-3)


def test_without_a_policy_there_is_no_attention_panel(tmp_path: Path) -> None:
    figure = draw_demonstration(example())
    assert [panel.get_ylabel() for panel in figure.axes[2:]] == ["closure", "torque (N)"]
    assert save(figure, tmp_path / "demonstration.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "changes", [{"images": []}, {"torque": np.zeros((5, 6))}, {"attention": {"image": np.ones(3)}}]
)
def test_refuses_what_does_not_fit(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="signals of one length"):
        draw_demonstration(example(**changes))


def test_prediction_lies_over_the_truth(tmp_path: Path) -> None:
    truth = {
        "closure": [np.full((20, 6), 0.5), np.zeros((10, 6))],
        "torque": [np.ones((20, 6)), np.ones((10, 6))],
    }
    predicted = {name: [array + 0.01 for array in arrays] for name, arrays in truth.items()}
    figure = draw_prediction(predicted, truth, FPS, "held out")
    assert len(figure.axes) == 12
    second = figure.axes[0].lines[2]  # the second episode starts where the first ends
    assert second.get_xdata()[0] == pytest.approx(20 / FPS)
    low, high = figure.axes[11].get_ylim()
    assert high - low >= 1.0  # an error of a hundredth of a newton does not fill the panel
    assert save(figure, tmp_path / "prediction.png").stat().st_size > 10_000


def test_prediction_refuses_other_shapes() -> None:
    truth = {"closure": [np.zeros((20, 6))], "torque": [np.zeros((20, 6))]}
    with pytest.raises(ValueError, match="same shapes"):
        draw_prediction({**truth, "torque": [np.zeros((19, 6))]}, truth, FPS)
