"""The house style of every figure: a colour per stage, lines, letters, and how to save; `colors` has those of
joints and modalities.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..grasping.contact import IntArray
from ..grasping.stages import Stage

STAGE_COLORS: dict[Stage, str] = dict(
    zip(Stage, ("#f4f4f2", "#e6ecf2", "#f6ecd8", "#f3e1d9", "#e0ece5"), strict=True)
)
"""Pale, to lie behind the lines."""
STAGE_NAMES: dict[Stage, str] = dict(
    zip(Stage, ("Preparation", "Closing", "Clutching", "Re-clutching", "Stable"), strict=True)
)
INK = "#222222"
MUTED = "#8a8a8a"
GRID = "#e4e4e4"

COLUMN_WIDTH_IN = 3.5
PAGE_WIDTH_IN = 7.2
"""Widths of a one-column and of a two-column figure."""
DPI = 200

RC_PARAMS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 8.0,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelsize": 8.0,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "legend.frameon": False,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.3,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style inside this context; the caller's own settings come back after it."""
    with mpl.rc_context(RC_PARAMS):
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure without pyplot, so it needs no display; call it inside `house_style`."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def joint_label(joint: str) -> str:
    """A joint's name as text, `thumb swing` for `thumb_swing`."""
    return joint.replace("_", " ")


def shade_stages(axes: Axes, stages: IntArray, fps: float) -> None:
    """Lay the stages of an episode behind a plot whose x axis is seconds.

    Args:
        axes: the plot.
        stages: (N,) values of `Stage`, as `segment_stages` gives them.
        fps: frames per second.
    """
    labels = [Stage(stage) for stage in stages]
    start = 0
    for index in range(1, len(labels) + 1):
        if index == len(labels) or labels[index] != labels[start]:
            axes.axvspan(start / fps, index / fps, color=STAGE_COLORS[labels[start]], linewidth=0, zorder=0)
            start = index


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure; the ending of `path` decides the format, and folders are made as needed.

    Returns:
        The path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Fonts are looked up when a figure is drawn, not when it is made.
    with house_style():
        figure.savefig(path, dpi=DPI)
    return path
