"""Figures of a benchmark's report, drawn from its results and from what single runs have kept."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from matplotlib.figure import Figure

from ..figures.benchmark import FinalPose, draw_changes, draw_final_poses, draw_stable_torques, draw_success
from ..figures.demonstration import Demonstration, draw_demonstration, strip_frames
from ..figures.style import save
from ..grasping.objects import OBJECT_BY_TASK
from ..grasping.stages import segment_stages
from ..joints import NUM_JOINTS, FloatArray
from ..policies.modalities import MODALITIES
from .pieces import FIGURES_DIR, FIRST_FIGURE
from .plan import INTERVENTIONS, KINDS, OPERATOR, STRATEGIES, title_of
from .results import KNOWN, NOVEL, Results
from .runs import TRACED_TASKS
from .trials import Trace

_STRIP_IMAGES = 10
_ATTENTION = "attention_"
_SHORT = {"softgrasp": "SoftGrasp", "concat": "Direct Connection", "act": "ACT", "timesformer": "TimeSformer"}

_CAPTIONS = {
    FIRST_FIGURE: "Success of each policy with each object.",
    "stable_torques.png": "Torque of each joint in the Stable stage of successful trials "
    "(SoftGrasp, Figs. 11 and 13).",
    "final_poses.png": "How grasps end with an object of each hardness: last image of the first scene, and "
    "final closure of each joint over all nominal trials, mean and range (SoftGrasp, Figs. 10 and 12).",
    "counterfactuals.png": "Change of success when one sense is replaced, without the loss factors.",
}


def caption_of(name: str) -> str:
    """What a figure shows."""
    task = name.removeprefix(_ATTENTION).removesuffix(".png")
    return _CAPTIONS.get(name) or f"Attention during a grasp of {_object_title(task)}."


def draw_figures(home: Path, results: Results) -> list[Path]:
    """Draw every figure that there is something for.

    Args:
        home: the benchmark's folder; receives `figures/`.
        results: its results.

    Returns:
        Paths of the figures.
    """
    return [save(figure, home / FIGURES_DIR / name) for name, figure in _figures(home, results)]


def _figures(home: Path, results: Results) -> Iterator[tuple[str, Figure]]:
    tasks = tuple(results.setting.profile["tasks"])
    fps = float(results.setting.demonstrations["dart"]["fps"])
    trials = {name: results.rows(name) for name in (*STRATEGIES, "act_torque", OPERATOR)}
    if tried := [name for name, rows in trials.items() if len(rows)]:
        cells = [[results.cell(name, tasks=(task,)) for task in tasks] for name in tried]
        rates = [[cell.rate if cell else None for cell in row] for row in cells]
        columns = [str(OBJECT_BY_TASK[task].object_id) for task in tasks]
        yield FIRST_FIGURE, draw_success(rates, [title_of(name) for name in tried], columns)
    trials = {name: trials[name] for name in STRATEGIES}
    panels = {
        title: {
            _SHORT[name]: _rows(rows[rows["task"].isin(some)], "stable_torque_n")
            for name, rows in trials.items()
        }
        for title, some in (("Known objects", KNOWN), ("Novel objects", NOVEL))
    }
    if any(len(torques) for panel in panels.values() for torques in panel.values()):
        yield "stable_torques.png", draw_stable_torques(panels)
    if any(len(rows) for rows in trials.values()):
        shown = [task for task in TRACED_TASKS if task in tasks] or tasks[:3]
        poses = {
            f"object {OBJECT_BY_TASK[task].object_id}\n{OBJECT_BY_TASK[task].hardness}": {
                _SHORT[name]: _final_pose(home, name, rows, task) for name, rows in trials.items()
            }
            for task in shown
        }
        yield "final_poses.png", draw_final_poses(poses)
    if changes := _changes(results):
        columns = [f"{modality}\n{kind}" for modality in MODALITIES for kind in KINDS]
        yield "counterfactuals.png", draw_changes(list(changes.values()), [*map(title_of, changes)], columns)
    for task in TRACED_TASKS:
        trace = _read_trace(home, "softgrasp", task)
        if trace is not None and trace.attention:
            yield f"{_ATTENTION}{task}.png", draw_demonstration(_grasp(trace, fps, _object_title(task)))


def _changes(results: Results) -> dict[str, list[float | None]]:
    """Change of success in percentage points, by configuration and in the order of `INTERVENTIONS`.

    The loss factors are left out: they are a matter of degree, and the figure is to be read at a glance.
    """
    conditions = [condition.name for condition in INTERVENTIONS]
    return {
        name: [pair.points if (pair := results.pair(name, each)) else None for each in conditions]
        for name in results.tried(*conditions)
        if not name.startswith("loss_")
    }


def _rows(trials: pd.DataFrame, column: str) -> FloatArray:
    return np.array(list(trials[column].dropna()), dtype=np.float64).reshape(-1, NUM_JOINTS)


def _final_pose(home: Path, name: str, trials: pd.DataFrame, task: str) -> FinalPose:
    trace, rows = _read_trace(home, name, task), trials[trials["task"] == task]
    return FinalPose(
        image=None if trace is None else trace.images[-1],
        # The trial whose trace is kept: of the first seed in the first scene.
        is_success=bool(len(rows) and rows["is_success"].iloc[0] > 0),
        closure=_rows(rows, "final_closure"),
    )


def _read_trace(home: Path, name: str, task: str) -> Trace | None:
    """What the first seed of a configuration has kept of an object; None if nothing readable."""
    path = home / "runs" / name / "seed_0" / "traces" / f"{task}.npz"
    if not path.exists():
        return None
    try:
        with np.load(path) as kept:
            attention = {
                key.removeprefix(_ATTENTION): kept[key] for key in kept if key.startswith(_ATTENTION)
            }
            return Trace(kept["state"], kept["lift_height_m"], attention, kept["images"])
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
