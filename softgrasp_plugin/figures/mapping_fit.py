"""The angle mapping of each joint with the pairs it was fitted on, after the paper's Fig. 3."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..colors import JOINT_COLORS
from ..grasping.mapping import AngleMapping, JointMapping
from ..joints import JOINTS, FloatArray
from .style import INK, MUTED, PAGE_WIDTH_IN, house_style, joint_label, new_figure

_MAX_POINTS = 2000
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def draw_mapping_fit(
    mapping: AngleMapping, glove: FloatArray | None = None, hand: FloatArray | None = None
) -> Figure:
    """Draw six panels: the pairs, the polynomial, ± one standard deviation, its domain and its formula.

    Args:
        mapping: the fitted mapping.
        glove: (N, 6) glove angles of the pairs; None to draw the curves alone.
        hand: (N, 6) closures of the pairs.

    Raises:
        ValueError: if only one side of the pairs is given, or their shapes differ.
    """
    shapes = [None if side is None else side.shape for side in (glove, hand)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"expected glove and hand of one shape, got {shapes[0]} and {shapes[1]}")
    with house_style():
        figure = new_figure(PAGE_WIDTH_IN, 4.9)
        panels = figure.subplots(2, 3, sharex=True, sharey=True)
        for index, (name, axes) in enumerate(zip(JOINTS, panels.flat, strict=True)):
            if glove is not None and hand is not None:
                _draw_pairs(axes, glove[:, index], hand[:, index], JOINT_COLORS[name])
            _draw_joint(axes, mapping.joints[index], JOINT_COLORS[name])
            axes.set_title(joint_label(name))
        axes = panels[0, 0]
        axes.set(xlim=(0, 1), ylim=(0, 1.02))
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.set_yticks(np.linspace(0, 1, 6))
        figure.supxlabel("glove angle $A_m$", fontsize=8.5)
        figure.supylabel("hand closure $\\hat{A}_s$", fontsize=8.5)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper right", ncols=5, handlelength=1.6)
    return figure


def _draw_pairs(axes: Axes, glove: FloatArray, hand: FloatArray, color: str) -> None:
    # Evenly thinned: a long recording would otherwise hide the curve and its band.
    step = max(len(glove) // _MAX_POINTS, 1)
    axes.plot(
        glove[::step],
        hand[::step],
        ".",
        color=color,
        alpha=0.35,
        markersize=3,
        markeredgewidth=0,
        label="pairs",
    )


def _draw_joint(axes: Axes, joint: JointMapping, color: str) -> None:
    low, high = joint.domain
    axes.axvspan(low, high, color=color, alpha=0.07, linewidth=0, zorder=0, label="valid domain")
    angle: FloatArray = np.linspace(low, high, 200, dtype=np.float64)
    closure = joint(angle)
    axes.fill_between(
        angle,
        closure - joint.residual_std,
        closure + joint.residual_std,
        color=color,
        alpha=0.5,
        linewidth=0,
        label="± 1 std",
    )
    axes.plot(angle, closure, color=INK, linewidth=0.8, label="$f(A_m)$")
    for end, label in (([0.0, low], None), ([high, 1.0], "clamped")):
        axes.plot(end, joint(np.array(end)), color=MUTED, linewidth=0.9, linestyle=(0, (3, 2)), label=label)
    # A finger's curve leaves the lower right free, a thumb's the upper left.
    at_left = joint(np.array(0.45)) < 0.5
    axes.text(
        0.04 if at_left else 0.97,
        0.96 if at_left else 0.04,
        f"{formula(joint)}\n$\\sigma$ = {joint.residual_std:.2e}",
        transform=axes.transAxes,
        ha="left" if at_left else "right",
        va="top" if at_left else "bottom",
        fontsize=6.2,
        linespacing=1.35,
    )


def formula(joint: JointMapping) -> str:
    """The polynomial as text, two terms a line from the highest power down, `x` being the glove's angle."""
    order = len(joint.coefficients) - 1
    terms: list[str] = []
    for power, coefficient in zip(range(order, -1, -1), joint.coefficients, strict=True):
        sign = ("−" if coefficient < 0 else "+") if terms else ("−" if coefficient < 0 else "")
        variable = "" if power == 0 else "x" if power == 1 else "x" + str(power).translate(_SUPERSCRIPTS)
        terms.append(f"{sign}{' ' if terms else ''}{abs(coefficient):.4g} {variable}".strip())
    lines = [" ".join(terms[start : start + 2]) for start in range(0, len(terms), 2)]
    return "\n".join(lines)
