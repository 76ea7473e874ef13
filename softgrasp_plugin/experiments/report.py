"""`report.md`, `trials.parquet`, `setting.json` and `figures/` from whatever a benchmark has done so far."""

import math
import shutil
from importlib.resources import files
from pathlib import Path

from jinja2 import ChainableUndefined, Environment

from ..files import write_text
from ..grasping.objects import OBJECTS
from ..policies.modalities import MODALITIES
from . import paper_results
from .numbers import FILTERS
from .pieces import FIGURES_DIR, REPORT_FILE, TRIALS_FILE
from .plan import (
    CONFIGURATIONS,
    INTERVENTIONS,
    KINDS,
    LEROBOT_POLICIES,
    MODALITY_SETS,
    OPERATOR,
    PRESENTED,
    RECOMMENDED_SHIFT,
    SENSING,
    STRATEGIES,
    Profile,
    title_of,
)
from .report_figures import caption_of, draw_figures
from .results import KNOWN, NOVEL, SETTING_FILE, Results, collect, read_commits, read_results
from .setting import describe_setting
from .targets import RELEVANT, difference, verdicts

_NARROW = (11, 12)


def write_report(home: Path, profile: Profile, command: str, figures: bool = True) -> Path:
    """Write everything that can be said so far; from the kept table where only that was kept of the runs.

    Args:
        home: the benchmark's folder; receives `trials.parquet`, `setting.json`, `report.md` and `figures/`.
        profile: how much is run.
        command: what was typed, for whoever wants to do it again.
        figures: draw anew; figures that are there already stay in the report otherwise.

    Returns:
        Path of the report.
    """
    if (home / "runs").is_dir() or not (home / TRIALS_FILE).exists():
        results = collect(home, describe_setting(profile, command, read_commits(home)))
        results.write(home)
        if figures:
            draw_figures(home, results)
    else:
        results = read_results(home)
    path = home / REPORT_FILE
    write_text(path, render(results, {figure.name for figure in (home / FIGURES_DIR).glob("*.png")}))
    return path


def publish(home: Path, docs_dir: Path) -> Path:
    """Copy the report and everything it links to.

    Args:
        home: the benchmark's folder.
        docs_dir: receives the report, the results and `figures/`; its older figures go.

    Returns:
        Path of the published report.
    """
    docs_dir.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(docs_dir / FIGURES_DIR, ignore_errors=True)
    if (home / FIGURES_DIR).exists():
        shutil.copytree(home / FIGURES_DIR, docs_dir / FIGURES_DIR)
    for name in (TRIALS_FILE, SETTING_FILE, REPORT_FILE):
        shutil.copyfile(home / name, docs_dir / name)
    return docs_dir / REPORT_FILE


def render(results: Results, figures: set[str]) -> str:
    """The report as Markdown.

    Args:
        results: as far as they have come.
        figures: names of the files in `figures/` beside the report.
    """
    template = files(__package__).joinpath("report.md.j2").read_text(encoding="utf-8")
    environment = Environment(
        undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= FILTERS
    environment.tests["attention_figure"] = lambda name: name.startswith("attention_")
    environment.globals |= {
        "r": results,
        "setting": results.setting,
        "profile": results.setting.profile,
        "title": title_of,
        "figures": figures,
        "caption_of": caption_of,
        "verdicts": verdicts(results),
        "difference": difference,
        "paper": paper_results,
        "degrees": math.degrees,
        "CONFIGURATIONS": CONFIGURATIONS,
        "STRATEGIES": STRATEGIES,
        "RECOMMENDED_SHIFT": RECOMMENDED_SHIFT,
        "SHOWN": (*STRATEGIES, "act_torque", *LEROBOT_POLICIES, OPERATOR),
        "MODALITY_SETS": MODALITY_SETS,
        "OBJECTS": OBJECTS,
        "KNOWN": KNOWN,
        "NOVEL": NOVEL,
        "NARROW": _NARROW,
        "SOFT": [tuple(row.task for row in OBJECTS.values() if row.hardness == kind) for kind in _SOFT],
        "INTERVENTIONS": [condition.name for condition in INTERVENTIONS],
        "CHANGES": [f"{modality[0].upper()} {kind}" for modality in MODALITIES for kind in KINDS],
        "SENSING": SENSING,
        "PRESENTED": [condition.name for condition in PRESENTED],
        "grips": _grips_of_both,
        "RELEVANT": RELEVANT,
    }
    return environment.from_string(template).render()


def _grips_of_both(results: Results, name: str) -> tuple[float, float] | None:
    """Mean grip forces with a soft and a rigid surface, over the objects that were lifted with both."""
    columns = ["seed", "task", "was_lifted", "mean_grip_force_n"]
    lifted = (results.rows(name, condition.name)[columns] for condition in PRESENTED)
    soft, rigid = (
        rows[rows["was_lifted"] > 0].groupby(["seed", "task"])["mean_grip_force_n"].mean() for rows in lifted
    )
    both = soft.index[soft > 0].intersection(rigid.index[rigid > 0])
    if both.empty:
        return None
    return float(soft[both].mean()), float(rigid[both].mean())


_SOFT = ("deformable", "soft-plastic")
