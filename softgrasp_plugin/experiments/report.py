"""`results.json`, `report.md` and `figures/` from whatever a benchmark has done so far."""

import shutil
from pathlib import Path

from ..files import write_text
from .collecting import collect
from .plan import CONFIGURATIONS, Profile
from .report_beyond import forces, presented, random_objects, sensing, speed, torque_limit
from .report_figures import FIGURES_DIR, draw_figures, embed
from .report_paper import chunks, loss_factors, modalities, strategies, training
from .report_senses import counterfactuals
from .report_setting import introduction, regenerate
from .report_targets import targets
from .results import Results
from .results_file import RESULTS_FILE, read_commits, write_results
from .setting import describe_setting
from .view import View

REPORT_FILE = "report.md"


def write_report(home: Path, profile: Profile, command: str, figures: bool = True) -> Path:
    """Write everything that can be said so far.

    Args:
        home: the benchmark's folder; receives `results.json`, `report.md` and `figures/`.
        profile: how much is run.
        command: what was typed, for whoever wants to do it again.
        figures: draw anew; figures that are there already stay in the report otherwise.

    Returns:
        Path of the report.
    """
    earlier = read_commits(home / RESULTS_FILE)
    results = collect(home, describe_setting(profile, command, earlier))
    write_results(results, home / RESULTS_FILE)
    if figures:
        draw_figures(home, View(results))
    path = home / REPORT_FILE
    drawn = {figure.name for figure in (home / FIGURES_DIR).glob("*.png")}
    write_text(path, render(results, drawn))
    return path


def publish(home: Path, docs_dir: Path) -> Path:
    """Copy the report and everything it links to.

    Args:
        home: the benchmark's folder.
        docs_dir: receives `report.md`, `results.json` and `figures/`; its older figures go.

    Returns:
        Path of the published report.
    """
    docs_dir.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(docs_dir / FIGURES_DIR, ignore_errors=True)
    if (home / FIGURES_DIR).exists():
        shutil.copytree(home / FIGURES_DIR, docs_dir / FIGURES_DIR)
    for name in (RESULTS_FILE, REPORT_FILE):
        shutil.copyfile(home / name, docs_dir / name)
    return docs_dir / REPORT_FILE


def render(results: Results, figures: set[str]) -> str:
    """The report as Markdown.

    Args:
        results: as far as they have come.
        figures: names of the files in `figures/` beside the report.
    """
    view = View(results)

    def shown(*names: str) -> str:
        return "\n".join(embed(name) for name in names if name in figures)

    parts = [
        "# Benchmark: SoftGrasp in simulation\n",
        introduction(view),
        targets(view),
        strategies(view),
        shown("success.png"),
        modalities(view),
        loss_factors(view),
        chunks(view),
        training(view),
        forces(view),
        shown("stable_torques.png", "final_poses.png"),
        torque_limit(view),
        counterfactuals(view),
        shown("counterfactuals.png"),
        presented(view),
        random_objects(view),
        sensing(view),
        speed(view),
        _attention(shown(*sorted(name for name in figures if name.startswith("attention_")))),
        regenerate(view),
    ]
    return "\n".join(part for part in parts if part)


def _attention(figures: str) -> str:
    if not figures:
        return ""
    text = (
        f"{CONFIGURATIONS['softgrasp'].title} with the first seed and in the first scene: how much the fused "
        "features draw on each modality as the grasp goes through its stages (SoftGrasp, Figs. 7–9; Eqs. "
        "(8)–(10))."
    )
    return f"## Attention during a grasp\n\n{text}\n\n{figures}"
