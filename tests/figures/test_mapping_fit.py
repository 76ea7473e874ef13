"""The figure of the mapping fit, and the house style."""

import matplotlib as mpl
import numpy as np
import pytest

from softgrasp_plugin.colors import JOINT_COLORS
from softgrasp_plugin.figures.mapping_fit import draw_mapping_fit, formula
from softgrasp_plugin.figures.style import house_style, new_figure, save, shade_stages
from softgrasp_plugin.grasping.mapping import PAPER_MAPPING, JointMapping
from softgrasp_plugin.joints import JOINTS, NUM_JOINTS


def pairs(n=50):
    glove = np.linspace(0, 1, n)[:, None] * np.ones(NUM_JOINTS)
    return glove, PAPER_MAPPING(glove)


def test_six_panels_show_pairs_curve_and_domain():
    glove, hand = pairs()
    figure = draw_mapping_fit(PAPER_MAPPING, glove, hand)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [name.replace("_", " ") for name in JOINTS]
    for axes, joint, name in zip(figure.axes, PAPER_MAPPING.joints, JOINTS, strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        np.testing.assert_array_equal(lines["pairs"].get_xdata(), glove[:, 0])
        assert lines["pairs"].get_color() == JOINT_COLORS[name]
        curve = lines["$f(A_m)$"].get_xdata()
        assert (curve[0], curve[-1]) == joint.domain
        assert f"{joint.residual_std:.2e}" in axes.texts[0].get_text()


def test_draws_curves_without_pairs_and_thins_many():
    assert "pairs" not in {line.get_label() for line in draw_mapping_fit(PAPER_MAPPING).axes[0].lines}
    drawn = draw_mapping_fit(PAPER_MAPPING, *pairs(50_000)).axes[0].lines[0]
    assert 1000 < len(drawn.get_xdata()) <= 2100


def test_refuses_half_a_pair():
    glove, hand = pairs()
    with pytest.raises(ValueError, match="one shape"):
        draw_mapping_fit(PAPER_MAPPING, glove)
    with pytest.raises(ValueError, match="one shape"):
        draw_mapping_fit(PAPER_MAPPING, glove, hand[1:])


def test_formula_reads_like_the_table():
    joint = JointMapping((-0.25, 0.0, 1.2, 0.01), (0.0, 0.9), 0.0)
    assert formula(joint) == "−0.25 x³ + 0 x²\n+ 1.2 x + 0.01"


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_saves_into_a_new_folder(tmp_path, ending):
    path = save(draw_mapping_fit(PAPER_MAPPING), tmp_path / "new" / f"fit.{ending}")
    assert path.read_bytes().startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[ending])


def test_the_style_leaves_the_users_settings_alone():
    before = dict(mpl.rcParams)
    with house_style():
        assert mpl.rcParams["axes.spines.top"] is False
    assert dict(mpl.rcParams) == before


def test_shades_each_stage_once_from_its_first_frame_to_the_next_stage():
    axes = new_figure(3, 2).subplots()
    shade_stages(axes, np.array([1, 1, 1, 2, 4, 4]), fps=2)
    assert [(patch.get_x(), patch.get_width()) for patch in axes.patches] == [(0, 1.5), (1.5, 0.5), (2, 1)]
    assert len({patch.get_facecolor() for patch in axes.patches}) == 3
