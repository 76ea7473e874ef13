"""Figures of a benchmark's report, drawn from its results and from what single runs have kept."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from matplotlib.figure import Figure

from ..figures.benchmark import FinalPose, draw_changes, draw_final_poses, draw_stable_torques, draw_success
from ..figures.demonstration import Demonstration, draw_demonstration, strip_frames
from ..figures.style import save
from ..grasping.objects import OBJECT_BY_TASK
from ..grasping.stages import segment_stages
from ..joints import NUM_JOINTS, FloatArray
from ..policies.observation_config import MODALITIES
from .collecting import read_trials
from .evaluation import Trace, Trial
from .interventions import KINDS
from .plan import NOMINAL, OPERATOR, STRATEGIES
from .report_beyond import title_of
from .report_senses import changes_of_success
from .runs import TRACED_TASKS
from .view import KNOWN, NOVEL, View

FIGURES_DIR = "figures"
_STRIP_IMAGES = 10
_SHORT = {"softgrasp": "SoftGrasp", "concat": "Direct Connection", "act": "ACT", "timesformer": "TimeSformer"}

_CAPTIONS = {
    "success.png": "Success of each policy with each object.",
    "stable_torques.png": "Torque of each joint in the Stable stage of successful trials "
    "(SoftGrasp, Figs. 11 and 13).",
    "final_poses.png": "How grasps end with an object of each hardness: last image of the first scene, and "
    "final closure of each joint over all nominal trials, mean and range (SoftGrasp, Figs. 10 and 12).",
    "counterfactuals.png": "Change of success when one sense is replaced, without the loss factors.",
}


def embed(name: str) -> str:
    """Markdown for a figure beside the report."""
    task = name.removeprefix("attention_").removesuffix(".png")
    caption = _CAPTIONS.get(name) or f"Attention during a grasp of {_object_title(task)}."
    return f"![{caption}]({FIGURES_DIR}/{name})\n\n*{caption}*\n"


def draw_figures(home: Path, view: View) -> list[Path]:
    """Draw every figure that there is something for.

    Args:
        home: the benchmark's folder; receives `figures/`.
        view: its results.

    Returns:
        Paths of the figures.
    """
    return [save(figure, home / FIGURES_DIR / name) for name, figure in _figures(home, view)]


def _figures(home: Path, view: View) -> Iterator[tuple[str, Figure]]:
    tasks = tuple(view.setting.profile["tasks"])
    fps = float(view.setting.demonstrations["dart"]["fps"])
    tried = [name for name in (*STRATEGIES, "act_torque", OPERATOR) if view.runs(name)]
    if tried:
        yield "success.png", draw_success(*_success(view, tried, tasks))
    trials = {name: _nominal_trials(home, view, name) for name in STRATEGIES}
    if torques := _stable_torques(trials):
        yield "stable_torques.png", draw_stable_torques(torques)
    if any(trials.values()):
        yield "final_poses.png", draw_final_poses(_final_poses(home, trials, tasks))
    if changes := changes_of_success(view):
        columns = [f"{modality}\n{kind}" for modality in MODALITIES for kind in KINDS]
        rows = [title_of(name) for name in changes]
        yield "counterfactuals.png", draw_changes(list(changes.values()), rows, columns)
    for task in TRACED_TASKS:
        trace = _read_trace(home, "softgrasp", task)
        if trace is not None and trace.attention:
            yield f"attention_{task}.png", draw_demonstration(_grasp(trace, fps, _object_title(task)))


def _success(
    view: View, names: Sequence[str], tasks: Sequence[str]
) -> tuple[list[list[float | None]], list[str], list[str]]:
    cells = [[view.cell(name, tasks=(task,)) for task in tasks] for name in names]
    rates = [[cell.rate if cell else None for cell in row] for row in cells]
    columns = [str(OBJECT_BY_TASK[task].object_id) for task in tasks]
    return rates, [title_of(name) for name in names], columns


def _nominal_trials(home: Path, view: View, name: str) -> list[Trial]:
    trials: list[Trial] = []
    for run in view.runs(name):
        folder = _run_folder(home, name, run.seed) / "trials" / NOMINAL.name
        trials += [trial for scene in read_trials(folder).values() for trial in scene]
    return trials


def _run_folder(home: Path, name: str, seed: int) -> Path:
    return home / "runs" / name / f"seed_{seed}"


def _stable_torques(trials: dict[str, list[Trial]]) -> dict[str, dict[str, FloatArray]]:
    """By known and novel objects, by strategy: (N, 6) newtons; empty if no strategy has any."""
    panels = {
        title: {
            _SHORT[name]: _rows([trial.stable_torque_n for trial in found if trial.task in tasks])
            for name, found in trials.items()
        }
        for title, tasks in (("Known objects", KNOWN), ("Novel objects", NOVEL))
    }
    return panels if any(len(rows) for panel in panels.values() for rows in panel.values()) else {}


def _rows(values: Sequence[list[float] | None]) -> FloatArray:
    return np.array([row for row in values if row is not None], dtype=np.float64).reshape(-1, NUM_JOINTS)


def _final_poses(
    home: Path, trials: dict[str, list[Trial]], tasks: Sequence[str]
) -> dict[str, dict[str, FinalPose]]:
    shown = [task for task in TRACED_TASKS if task in tasks] or list(tasks[:3])
    return {
        f"object {OBJECT_BY_TASK[task].object_id}\n{OBJECT_BY_TASK[task].hardness}": {
            _SHORT[name]: _final_pose(home, name, [trial for trial in found if trial.task == task], task)
            for name, found in trials.items()
        }
        for task in shown
    }


def _final_pose(home: Path, name: str, trials: Sequence[Trial], task: str) -> FinalPose:
    trace = _read_trace(home, name, task)
    first = next(iter(trials), None)  # the trial whose trace is kept: of the first seed in the first scene
    return FinalPose(
        image=None if trace is None else trace.images[-1],
        is_success=first is not None and first.is_success,
        closure=_rows([trial.final_closure for trial in trials]),
    )


def _read_trace(home: Path, name: str, task: str) -> Trace | None:
    """What the first seed of a configuration has kept of an object; None if nothing readable."""
    path = _run_folder(home, name, 0) / "traces" / f"{task}.npz"
    if not path.exists():
        return None
    try:
        with np.load(path) as kept:
            prefix = "attention_"
            return Trace(
                state=kept["state"],
                lift_height_m=kept["lift_height_m"],
                attention={
                    key.removeprefix(prefix): kept[key] for key in kept.files if key.startswith(prefix)
                },
                images=kept["images"],
            )
    except (BadZipFile, EOFError):  # being written at this moment
        return None


def _grasp(trace: Trace, fps: float, title: str) -> Demonstration:
    closure, torque = trace.state[:, :NUM_JOINTS], trace.state[:, NUM_JOINTS:]
    return Demonstration(
        images=[trace.images[frame] for frame in strip_frames(len(trace.images), _STRIP_IMAGES)],
        closure=closure,
        torque=torque,
        stages=segment_stages(closure, torque, fps, trace.lift_height_m),
        fps=fps,
        attention=trace.attention,
        title=title,
    )


def _object_title(task: str) -> str:
    row = OBJECT_BY_TASK[task]
    return f"object {row.object_id} ({row.hardness}, {row.material})"
