"""What a policy predicted for held-out episodes, over what was demonstrated."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..colors import JOINT_COLORS
from ..joints import JOINTS, FloatArray
from .style import INK, MUTED, PAGE_WIDTH_IN, house_style, joint_label, new_figure

_LABELS = {"closure": "closure", "torque": "torque (N)"}
# A joint that stands still should look still: no panel shows less than this range.
_MIN_RANGE = {"closure": 0.1, "torque": 1.0}


def draw_prediction(
    predicted: Mapping[str, list[FloatArray]],
    truth: Mapping[str, list[FloatArray]],
    fps: float,
    title: str = "",
) -> Figure:
    """Draw one panel per joint and quantity: the prediction over the demonstrated value.

    Args:
        predicted: per quantity (`closure`, `torque`), one array (N, 6) per episode; episodes follow one
            another on the time axis, a line between them.
        truth: the same of the demonstrations; NaN is not drawn.
        fps: frames per second.
        title: printed above.

    Raises:
        ValueError: if the two differ in shape.
    """
    shapes = [[array.shape for name in _LABELS for array in side[name]] for side in (predicted, truth)]
    if shapes[0] != shapes[1] or not shapes[0]:
        raise ValueError(
            f"expected predictions and truth of the same shapes, got {shapes[0]} and {shapes[1]}"
        )
    starts = np.cumsum([0, *map(len, truth["closure"])])
    with house_style():
        figure = new_figure(PAGE_WIDTH_IN, 3.1)
        panels = figure.subplots(2, len(JOINTS), sharex=True)
        for row, (quantity, label) in zip(panels, _LABELS.items(), strict=True):
            for index, (joint, axes) in enumerate(zip(JOINTS, row, strict=True)):
                for start, one, other in zip(starts[:-1], truth[quantity], predicted[quantity], strict=True):
                    time = (start + np.arange(len(one))) / fps
                    color = JOINT_COLORS[joint]
                    axes.plot(
                        time, one[:, index], color=MUTED, linewidth=2.4, alpha=0.6, label="demonstrated"
                    )
                    axes.plot(time, other[:, index], color=color, linewidth=1.0, label="predicted")
                for start in starts[1:-1]:
                    axes.axvline(start / fps, color=INK, linewidth=0.4, linestyle=(0, (2, 2)))
                _widen(axes, _MIN_RANGE[quantity])
                axes.set_xlim(0, starts[-1] / fps)
            row[0].set_ylabel(label)
        for joint, axes in zip(JOINTS, panels[0], strict=True):
            axes.set_title(joint_label(joint), fontsize=7.5)
        figure.supxlabel("time (s)", fontsize=8.0)
        figure.suptitle(title, fontsize=8.5, weight="bold", x=0.01, ha="left")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        legend = figure.legend(handles[:2], labels[:2], loc="outside upper right", ncols=2, handlelength=1.6)
        legend.get_lines()[1].set_color(INK)  # the colours are the joints'
        figure.align_ylabels(panels[:, 0])
    return figure


def _widen(axes: Axes, least: float) -> None:
    low, high = axes.get_ylim()
    if high - low < least:
        middle = (low + high) / 2
        axes.set_ylim(middle - least / 2, middle + least / 2)
