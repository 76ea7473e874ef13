"""An episode as a film: the camera's picture, with torques and attention running along."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray

from ..colors import JOINT_COLORS, MODALITY_COLORS
from ..grasping.contact import IntArray
from ..grasping.stages import Stage
from ..joints import JOINTS, FloatArray
from .style import (
    STAGE_NAMES,
    house_style,
    joint_label,
    new_figure,
    shade_stages,
)

_SIZE_IN, _DPI = (6.4, 2.4), 100
_PICTURE, _PANELS = 0.5, (0.57, 0.83)  # of the width: where the picture ends, where the panels are


@dataclass(frozen=True)
class Film:
    """What is shown of one episode of N frames.

    Attributes:
        pictures: N RGB pictures (height, width, 3), uint8.
        torque: (N, 6) fingertip force in newtons.
        stages: (N,) values of `Stage`.
        fps: frames per second.
        attention: (N,) per modality; empty without a policy.
    """

    pictures: Sequence[NDArray[np.uint8]]
    torque: FloatArray
    stages: IntArray
    fps: float
    attention: Mapping[str, FloatArray]


def film_frames(film: Film, every: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Draw the film, picture by picture.

    Args:
        film: what is shown.
        every: leave out all frames but each `every`-th.

    Yields:
        RGB pictures (240, 640, 3).
    """
    with house_style():
        figure = new_figure(*_SIZE_IN)
        figure.set_layout_engine("none")
        figure.set_dpi(_DPI)
        canvas = FigureCanvasAgg(figure)
        screen = figure.add_axes((0, 0, _PICTURE, 1))
        screen.axis("off")
        picture = screen.imshow(film.pictures[0], aspect="equal", interpolation="antialiased")
        left, right = _PANELS
        bottoms = [0.58, 0.16] if film.attention else [0.16]
        height = 0.36 if film.attention else 0.74
        panels = [figure.add_axes((left, bottom, right - left, height)) for bottom in bottoms]
        lines = [*_lines(panels[0], film, _torques(film), "torque (N)")]
        if film.attention:
            lines += _lines(panels[1], film, _attention(film), "attention")
            panels[1].set_ylim(0, 1)
            panels[0].tick_params(labelbottom=False)
        panels[-1].set_xlabel("time (s)", labelpad=1)
        title = panels[0].set_title("", loc="left", size=7, pad=3)
        time = (np.arange(len(film.torque)) + 0.5) / film.fps
        for frame in range(0, len(film.pictures), every):
            picture.set_data(film.pictures[frame])
            for line, values in lines:
                line.set_data(time[: frame + 1], values[: frame + 1])
            title.set_text(STAGE_NAMES[Stage(int(film.stages[frame]))])
            canvas.draw()
            yield np.asarray(canvas.buffer_rgba())[..., :3].copy()


def write_film(film: Film, path: Path) -> Path:
    """Write the film to a file; its ending says how: `mp4`, `gif` or `webp`.

    An `mp4` has every frame, the others, which are for web pages, a third of them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".mp4":
        _write_mp4(film, path)
        return path
    from PIL import Image

    every = 3
    # One palette for all frames: the pictures of one scene share their colours, and a stable one is smaller.
    frames = [Image.fromarray(frame) for frame in film_frames(film, every)]
    duration_ms = round(1000 * every / film.fps)
    if path.suffix == ".gif":
        palette = frames[-1].quantize(96)
        frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    options: dict[str, Any] = {"quality": 60, "method": 4} if path.suffix == ".webp" else {"optimize": True}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration_ms, loop=0, **options)
    return path


def _write_mp4(film: Film, path: Path) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("h264", rate=Fraction(film.fps).limit_denominator(1000))
        stream.pix_fmt = "yuv420p"
        for frame in film_frames(film):
            stream.height, stream.width = frame.shape[:2]
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def _torques(film: Film) -> list[tuple[str, str, FloatArray]]:
    return [(joint_label(joint), JOINT_COLORS[joint], film.torque[:, i]) for i, joint in enumerate(JOINTS)]


def _attention(film: Film) -> list[tuple[str, str, FloatArray]]:
    return [(name, MODALITY_COLORS[name], scores) for name, scores in film.attention.items()]


def _lines(
    axes: Axes, film: Film, curves: list[tuple[str, str, FloatArray]], label: str
) -> Iterator[tuple[Any, FloatArray]]:
    """Empty lines, with the axes as the whole episode needs them."""
    shade_stages(axes, film.stages, film.fps)
    highest = max(1.0, *(float(values.max()) for _, _, values in curves))
    axes.set(xlim=(0, len(film.torque) / film.fps), ylim=(-0.03 * highest, 1.06 * highest))
    axes.set_ylabel(label, labelpad=2)
    axes.tick_params(labelsize=6)
    for name, color, values in curves:
        (line,) = axes.plot([], [], color=color, linewidth=1.1, label=name)
        yield line, values
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=1.0, labelspacing=0.3, fontsize=6)
