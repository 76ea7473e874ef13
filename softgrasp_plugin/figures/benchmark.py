"""Figures of a benchmark of several policies: torques while an object is held, final poses, success."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from ..joints import JOINTS, FloatArray
from .style import GRID, INK, MUTED, PAGE_WIDTH_IN, house_style, joint_label, new_figure

SERIES_COLORS = ("#c4572e", "#3b6ea8", "#2e8b74", "#d99a1c", "#a8628f", "#5aa9d6")
"""Of policies, in the order in which a figure names them."""

_ASPECT = 0.75
"""Height over width of a camera image that is not there."""


@dataclass(frozen=True)
class FinalPose:
    """How the trials of one policy with one object ended.

    Attributes:
        image: the last camera image (height, width, 3), uint8, of one trial; None if it was not kept.
        is_success: of that trial.
        closure: (N, 6) final closures of N trials.
    """

    image: NDArray[np.uint8] | None
    is_success: bool
    closure: FloatArray


def draw_stable_torques(panels: Mapping[str, Mapping[str, FloatArray]]) -> Figure:
    """Box plots of each joint's torque while the object is held still, after the paper's Figs. 11 and 13.

    Args:
        panels: by title, by policy: (N, 6) newtons, one row per successful trial; N may be 0.
    """
    with house_style():
        figure = new_figure(PAGE_WIDTH_IN, 0.4 + 1.9 * len(panels))
        axes = np.atleast_1d(figure.subplots(len(panels), sharex=True, sharey=True))
        for panel, (title, by_policy) in zip(axes, panels.items(), strict=True):
            _draw_boxes(panel, by_policy)
            panel.set(ylabel="torque (N)", title=title)
        axes[0].set_ylim(bottom=0)  # of all panels, which by now know the largest torque
        axes[-1].set_xticks(range(len(JOINTS)), [joint_label(joint) for joint in JOINTS])
        names = list(dict.fromkeys(name for by_policy in panels.values() for name in by_policy))
        handles = [Patch(color=color, label=name) for name, color in zip(names, SERIES_COLORS, strict=False)]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(names))
    return figure


def _draw_boxes(axes: Axes, by_policy: Mapping[str, FloatArray]) -> None:
    width = 0.8 / len(by_policy)
    for place, (torque, color) in enumerate(zip(by_policy.values(), SERIES_COLORS, strict=False)):
        if not len(torque):
            continue
        centre = (place - (len(by_policy) - 1) / 2) * width
        axes.boxplot(
            torque,
            positions=np.arange(len(JOINTS)) + centre,
            widths=0.75 * width,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": color, "edgecolor": color, "alpha": 0.75, "linewidth": 0.6},
            medianprops={"color": "white", "linewidth": 1.1},
            whiskerprops={"color": color, "linewidth": 0.8},
            capprops={"color": color, "linewidth": 0.8},
            flierprops={"marker": ".", "markersize": 2.5, "markerfacecolor": color, "markeredgewidth": 0},
        )
    axes.grid(False, axis="x")
    axes.set_xlim(-0.6, len(JOINTS) - 0.4)


def draw_final_poses(poses: Mapping[str, Mapping[str, FinalPose]]) -> Figure:
    """How trials end, after the paper's Figs. 10 and 12.

    One row per object: the last image of each policy, and on the right the closure of each joint, a dot at
    the mean over trials on a line from the lowest to the highest.

    Args:
        poses: by object, by policy; every object has the same policies.
    """
    names = list(next(iter(poses.values())))
    with house_style():
        figure = new_figure(PAGE_WIDTH_IN, 0.45 + 1.15 * len(poses))
        axes = figure.subplots(
            len(poses), len(names) + 1, squeeze=False, width_ratios=[*[1.0] * len(names), 1.9]
        )
        for row, (title, by_policy) in enumerate(poses.items()):
            for place, (name, pose) in enumerate(by_policy.items()):
                panel = axes[row, place]
                _draw_image(panel, pose)
                if row == 0:
                    panel.set_title(name, color=SERIES_COLORS[place], fontsize=7.0, loc="center")
                if place == 0:
                    panel.set_ylabel(title)
            _draw_closures(axes[row, -1], by_policy)
            axes[row, -1].tick_params(labelbottom=row == len(poses) - 1)
        axes[0, -1].set_title("final closure", fontsize=7.0, loc="center")
    return figure


def _draw_image(axes: Axes, pose: FinalPose) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    if pose.image is None:
        axes.text(0.5, 0.5, "–", transform=axes.transAxes, ha="center", va="center", color=MUTED)
        axes.set_box_aspect(_ASPECT)
        axes.set_xlabel(" ")
        return
    axes.imshow(pose.image, interpolation="antialiased")
    axes.set_xlabel("held" if pose.is_success else "failed", color=INK if pose.is_success else "#c4572e")


def _draw_closures(axes: Axes, by_policy: Mapping[str, FinalPose]) -> None:
    joints = np.arange(len(JOINTS))
    for place, (pose, color) in enumerate(zip(by_policy.values(), SERIES_COLORS, strict=False)):
        if not len(pose.closure):
            continue
        offset = 0.16 * (place - (len(by_policy) - 1) / 2)
        axes.vlines(joints + offset, pose.closure.min(0), pose.closure.max(0), color=color, linewidth=0.9)
        axes.plot(joints + offset, pose.closure.mean(0), ".", color=color, markersize=4)
    axes.set(ylim=(0, 1), xlim=(-0.6, len(JOINTS) - 0.4), yticks=(0, 0.5, 1))
    axes.set_xticks(joints, [joint_label(joint) for joint in JOINTS], rotation=35, ha="right")
    axes.yaxis.tick_right()


def draw_success(
    rates: Sequence[Sequence[float | None]], rows: Sequence[str], columns: Sequence[str]
) -> Figure:
    """Success of each policy with each object as a heat map.

    Args:
        rates: by row and column, shares; None where there is no trial.
        rows: policies.
        columns: objects.
    """
    return _draw_heat_map(
        rates, rows, columns, "success", (0.0, 1.0), "YlGnBu", lambda rate: f"{100 * rate:.0f}%"
    )


def draw_changes(
    points: Sequence[Sequence[float | None]], rows: Sequence[str], columns: Sequence[str]
) -> Figure:
    """Change of success in percentage points as a heat map around zero.

    Args:
        points: by row and column, percentage points; None where there is no trial.
        rows: policies.
        columns: circumstances.
    """
    label = "change, points"
    return _draw_heat_map(points, rows, columns, label, (-100.0, 100.0), "RdBu", _signed)


def _signed(change: float) -> str:
    text = f"{change:+.0f}"
    return "0" if text in ("+0", "-0") else text.replace("-", "−")


def _draw_heat_map(
    values: Sequence[Sequence[float | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    label: str,
    limits: tuple[float, float],
    colors: str,
    text: Callable[[float], str],
) -> Figure:
    known = np.array(
        [[np.nan if value is None else value for value in row] for row in values], dtype=np.float64
    )
    if known.shape != (len(rows), len(columns)):
        raise ValueError(f"expected {len(rows)} rows of {len(columns)} values, got {known.shape}")
    with house_style():
        figure = new_figure(PAGE_WIDTH_IN, 0.85 + 0.235 * len(rows))
        axes = figure.subplots()
        # A cell without a value keeps the colour of the ground.
        axes.set_facecolor(GRID)
        shown = axes.imshow(known, vmin=limits[0], vmax=limits[1], cmap=colors, aspect="auto")
        shades = np.asarray(shown.cmap(shown.norm(known)))[..., :3] @ (0.299, 0.587, 0.114)
        for row, column in np.ndindex(known.shape):
            value = known[row, column]
            cell = "–" if np.isnan(value) else text(value)
            color = MUTED if np.isnan(value) else "white" if shades[row, column] < 0.5 else INK
            axes.text(column, row, cell, ha="center", va="center", size=6.0, color=color)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        figure.colorbar(shown, ax=axes, label=label, fraction=0.03, pad=0.015)
    return figure
