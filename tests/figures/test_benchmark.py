from pathlib import Path

import numpy as np
import pytest

from softgrasp_plugin.figures.benchmark import (
    SERIES_COLORS,
    FinalPose,
    draw_changes,
    draw_final_poses,
    draw_stable_torques,
    draw_success,
)
from softgrasp_plugin.figures.style import save
from softgrasp_plugin.joints import JOINTS

POLICIES = ("SoftGrasp", "Direct Connection", "ACT", "TimeSformer")


def torques(number: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.2, 2.0, (number, 6))


def test_a_box_per_policy_and_joint(tmp_path: Path) -> None:
    known = dict(zip(POLICIES, (torques(20), torques(0), torques(1), torques(9)), strict=True))
    novel = {name: 3 * values for name, values in known.items()}
    figure = draw_stable_torques({"Known objects": known, "Novel objects": novel})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Known objects", "Novel objects"]
    panel = figure.axes[0]
    assert len(panel.patches) == 3 * len(JOINTS)  # a policy without any success has no box
    first, *_, last = [patch.get_path().vertices[:, 0].mean() for patch in panel.patches]
    assert -0.5 < first < 0
    assert 5 < last < 5.5
    low, high = panel.get_ylim()
    assert low == 0
    assert high >= 3 * torques(20).max()  # one scale for both, which cuts off neither
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(POLICIES)
    size = save(figure, tmp_path / "torques.png").stat().st_size
    assert 10_000 < size < 250_000


def test_medians_are_those_of_the_torques() -> None:
    figure = draw_stable_torques({"Known objects": {"SoftGrasp": torques(21)}})
    medians = [line.get_ydata()[0] for line in figure.axes[0].lines if line.get_color() == "white"]
    assert medians == pytest.approx(np.median(torques(21), axis=0))


def test_final_poses_show_the_last_image_and_all_closures(tmp_path: Path) -> None:
    closure = np.random.default_rng(1).uniform(0.4, 0.6, (10, 6))
    image = np.full((48, 64, 3), 90, dtype=np.uint8)
    poses = {
        name: {
            "SoftGrasp": FinalPose(image, True, closure),
            "ACT": FinalPose(None, False, closure[:0]),
            "TimeSformer": FinalPose(image, False, closure),
        }
        for name in ("object 6", "object 8")
    }
    figure = draw_final_poses(poses)
    assert len(figure.axes) == 2 * 4
    ours, missing, failed, closures = figure.axes[:4]
    assert len(ours.images) == 1
    assert not missing.images
    assert [axes.get_xlabel() for axes in (ours, failed)] == ["held", "failed"]
    dots = closures.lines
    np.testing.assert_allclose(dots[0].get_ydata(), closure.mean(0))
    assert [line.get_color() for line in dots] == [SERIES_COLORS[0], SERIES_COLORS[2]]
    size = save(figure, tmp_path / "poses.png").stat().st_size
    assert 10_000 < size < 250_000


def test_success_map_tells_the_numbers(tmp_path: Path) -> None:
    figure = draw_success([[1.0, 0.25], [None, 0.0]], ["a", "b"], ["1", "2"])
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["100%", "25%", "–", "0%"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert save(figure, tmp_path / "success.png").stat().st_size > 5_000


def test_changes_are_around_zero() -> None:
    figure = draw_changes([[-50.0, 12.4, -0.2, None]], ["a"], ["w", "x", "y", "z"])
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["−50", "+12", "0", "–"]
    assert axes.images[0].get_clim() == (-100.0, 100.0)


def test_refuses_rows_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="2 rows of 1"):
        draw_success([[1.0]], ["a", "b"], ["1"])
