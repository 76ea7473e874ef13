"""One grasp over time, after the paper's Figs. 6 and 7: images, stages, angles, torques, attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..colors import JOINT_COLORS, MODALITY_COLORS
from ..grasping.contact import IntArray
from ..grasping.stages import Stage
from ..joints import JOINTS, FloatArray
from .style import (
    INK,
    MUTED,
    PAGE_WIDTH_IN,
    STAGE_NAMES,
    house_style,
    joint_label,
    new_figure,
    shade_stages,
)

ATTENTION_SYMBOLS: dict[str, str] = {"image": "$S_I$", "torque": "$S_T$", "angle": "$S_A$"}

# Layout in inches: exact, so that images keep their shape on the time axis.
_LEFT, _RIGHT, _TOP, _BOTTOM = 0.52, 1.0, 0.3, 0.42
_STAGE_BAR, _GAP = 0.17, 0.1
_PANEL = 1.25


@dataclass(frozen=True)
class Demonstration:
    """What is drawn of one episode of N frames.

    Attributes:
        images: RGB images (height, width, 3), uint8, evenly spread: the i-th of K is from the middle of the
            i-th K-th of the episode (see `strip_frames`).
        closure: (N, 6) measured closure.
        torque: (N, 6) fingertip force in newtons.
        stages: (N,) values of `Stage`.
        fps: frames per second.
        attention: (N,) per modality, summing to 1 (Eqs. (8)–(10)); empty without a policy.
        title: printed above.
    """

    images: Sequence[NDArray[np.uint8]]
    closure: FloatArray
    torque: FloatArray
    stages: IntArray
    fps: float
    attention: Mapping[str, FloatArray]
    title: str = ""


def strip_frames(length: int, count: int) -> list[int]:
    """Frames in the middle of each of `count` equal parts of an episode of `length` frames."""
    return [int((part + 0.5) * length / count) for part in range(count)]


def draw_demonstration(demonstration: Demonstration) -> Figure:
    """Draw the episode on one time axis: image strip, stages, angles, torques and, if known, attention.

    Raises:
        ValueError: if there is no image, or the signals differ in length.
    """
    length = len(demonstration.closure)
    signals = [demonstration.torque, demonstration.stages, *demonstration.attention.values()]
    if not demonstration.images or any(len(signal) != length for signal in signals):
        raise ValueError(
            f"expected images, and signals of one length; got {len(demonstration.images)} images, lengths "
            f"{[length, *map(len, signals)]}"
        )
    width = PAGE_WIDTH_IN - _LEFT - _RIGHT
    image_height, image_width = demonstration.images[0].shape[:2]
    strip = width / len(demonstration.images) * image_height / image_width
    panels = 2 + bool(demonstration.attention)
    height = _TOP + strip + _STAGE_BAR + panels * _PANEL + (panels + 1) * _GAP + _BOTTOM
    with house_style():
        figure = new_figure(PAGE_WIDTH_IN, height)
        figure.set_layout_engine("none")
        figure.text(_LEFT / PAGE_WIDTH_IN, 1 - 0.16 / height, demonstration.title, weight="bold", va="center")
        top = height - _TOP
        axes: list[Axes] = []
        for rows in (strip, _STAGE_BAR, *[_PANEL] * panels):
            box = (_LEFT / PAGE_WIDTH_IN, (top - rows) / height, width / PAGE_WIDTH_IN, rows / height)
            axes.append(figure.add_axes(box, sharex=axes[0] if axes else None))
            top -= rows + _GAP
        axes[0].set_xlim(0, length / demonstration.fps)
        _draw_strip(axes[0], demonstration)
        _draw_stage_bar(axes[1], demonstration)
        _draw_joints(axes[2], demonstration, demonstration.closure, "closure")
        axes[2].set_ylim(-0.02, 1.02)
        _draw_joints(axes[3], demonstration, demonstration.torque, "torque (N)")
        _legend_beside(axes[2], y=-0.5 * _GAP / _PANEL)  # between the two panels that share it
        if demonstration.attention:
            _draw_attention(axes[4], demonstration)
        for panel in axes[2:]:
            panel.tick_params(labelbottom=panel is axes[-1])
        axes[-1].set_xlabel("time (s)")
        figure.align_ylabels(axes[2:])
    return figure


def _draw_strip(axes: Axes, demonstration: Demonstration) -> None:
    seconds = len(demonstration.stages) / demonstration.fps
    edges = np.linspace(0, seconds, len(demonstration.images) + 1)
    for image, start, stop in zip(demonstration.images, edges[:-1], edges[1:], strict=True):
        axes.imshow(image, extent=(start, stop, 0, 1), aspect="auto", interpolation="antialiased")
    axes.vlines(edges[1:-1], 0, 1, color="white", linewidth=1.0)
    axes.set(xlim=(0, seconds), ylim=(0, 1))
    axes.axis("off")


def _draw_stage_bar(axes: Axes, demonstration: Demonstration) -> None:
    """Name the stages above the panels; a stage too short for its name gets its number, explained beside."""
    shade_stages(axes, demonstration.stages, demonstration.fps)
    axes.set_ylim(0, 1)
    axes.axis("off")
    figure = axes.get_figure(root=True)
    assert figure is not None  # axes of a figure
    abbreviated = []
    for stage in sorted(set(demonstration.stages.tolist())):
        frames = np.flatnonzero(demonstration.stages == stage)
        start, stop = frames[0] / demonstration.fps, (frames[-1] + 1) / demonstration.fps
        name = STAGE_NAMES[Stage(stage)]
        label = axes.text((start + stop) / 2, 0.46, name, ha="center", va="center", size=6.5, color=INK)
        left, right = axes.transData.transform([(start, 0), (stop, 0)])[:, 0]
        if label.get_window_extent().width > right - left:
            label.set_text(str(stage))
            abbreviated.append(f"{stage} {name}")
    for index, text in enumerate(abbreviated):
        # Downwards from the bar, where the legend of the first panel leaves room above it.
        axes.annotate(
            text,
            (1, 0.46),
            (8, -7.5 * index),
            "axes fraction",
            "offset points",
            va="center",
            size=6.5,
            color=MUTED,
        )


def _draw_joints(axes: Axes, demonstration: Demonstration, values: FloatArray, label: str) -> None:
    shade_stages(axes, demonstration.stages, demonstration.fps)
    time = _times(demonstration)
    for index, joint in enumerate(JOINTS):
        axes.plot(time, values[:, index], color=JOINT_COLORS[joint], linewidth=1.1, label=joint_label(joint))
    axes.set_ylabel(label)
    axes.margins(y=0.06)


def _draw_attention(axes: Axes, demonstration: Demonstration) -> None:
    shade_stages(axes, demonstration.stages, demonstration.fps)
    for modality, scores in demonstration.attention.items():
        label = f"{ATTENTION_SYMBOLS[modality]}  {modality}"
        axes.plot(_times(demonstration), scores, color=MODALITY_COLORS[modality], linewidth=1.1, label=label)
    axes.set(ylabel="attention", ylim=(0, 1))
    _legend_beside(axes)


def _times(demonstration: Demonstration) -> FloatArray:
    return (np.arange(len(demonstration.closure), dtype=np.float64) + 0.5) / demonstration.fps


def _legend_beside(axes: Axes, y: float = 0.5) -> None:
    axes.legend(loc="center left", bbox_to_anchor=(1.0, y), handlelength=1.2, labelspacing=0.35)
