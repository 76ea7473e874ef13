"""The paper's tables with this benchmark's numbers beside them."""

from ..grasping.objects import OBJECTS
from .markdown import DASH, count, number, of, percent, percent_range, table
from .paper_results import (
    FACTOR_SUCCESSES,
    MODALITY_PERCENT,
    STRATEGY_SUCCESSES,
    TOTAL_TRIALS,
    TRIALS_PER_OBJECT,
    strategy_rate,
)
from .plan import CONFIGURATIONS, MODALITY_SETS, OPERATOR, STRATEGIES
from .results import Cell
from .view import KNOWN, NOVEL, View, interval_of

NARROW = (11, 12)
"""Held from the side, and narrower than object 6, the only demonstrated one that is."""

_COUNTED = ("95 % interval", "each seed", "seeds", "trials")


def _counted(view: View, name: str) -> list[str]:
    """How sure a configuration's rate is."""
    cell = view.cell(name)
    rates = view.seed_rates(name)
    return [
        of(cell, lambda found: percent_range(interval_of(found))),
        ", ".join(percent(rate, 0) for rate in rates) or DASH,
        str(len(rates)) if rates else DASH,
        of(cell, lambda found: count(found.trials)),
    ]


def _rate(view: View, name: str, tasks: tuple[str, ...] | None = None) -> str:
    return of(view.cell(name, tasks=tasks), lambda found: percent(found.rate))


def loss_factors(view: View) -> str:
    """SoftGrasp, Table 4."""
    rows = []
    for factor, paper in FACTOR_SUCCESSES.items():
        name = factor_name(factor)
        ours = of(view.cell(name), lambda cell: number(TOTAL_TRIALS * cell.rate))
        split = [_rate(view, name, KNOWN), _rate(view, name, NOVEL)]
        rows.append([f"{factor:g}", str(paper), ours, *split, *_counted(view, name)])
    header = ("λ", "paper, of 120", "ours, of 120", "known", "novel", *_COUNTED)
    text = (
        "Success by loss factor λ (SoftGrasp, Table 4). Ours is the success rate of all trials times 120, so "
        "that it reads like the paper's column however many seeds there are. Known objects are those of the "
        "demonstrations."
    )
    return f"## Loss factor\n\n{text}\n\n{table(header, rows)}\n"


def factor_name(factor: float) -> str:
    """Configuration of a loss factor; the paper's best is the policy's default."""
    return "softgrasp" if factor == 0.1 else f"loss_{factor:g}"


def modalities(view: View) -> str:
    """SoftGrasp, Table 5."""
    rows = []
    for name in (*MODALITY_SETS, "softgrasp"):
        letters = "I+T+A" if name == "softgrasp" else CONFIGURATIONS[name].title
        split = [_rate(view, name, KNOWN), _rate(view, name, NOVEL)]
        paper = f"{MODALITY_PERCENT[name]} %"
        rows.append([letters, paper, _rate(view, name), *split, *_counted(view, name)])
    header = ("modalities", "paper", "ours", "known", "novel", *_COUNTED)
    text = (
        "Average success by what the policy is told (SoftGrasp, Table 5): I the image, T the joint torques, "
        "A the joint angles."
    )
    return f"## Modalities\n\n{text}\n\n{table(header, rows)}\n"


def strategies(view: View) -> str:
    """SoftGrasp, Table 6."""
    rows = []
    for name in (*STRATEGIES, "act_torque", OPERATOR):
        if name in STRATEGY_SUCCESSES:
            paper = STRATEGY_SUCCESSES[name]
            title = f"{CONFIGURATIONS[name].title}, paper"
            rest = [percent(strategy_rate(name), 0), *[DASH] * 3, str(TOTAL_TRIALS)]
            rows.append([title, *map(str, paper), *rest])
        title = "virtual operator" if name == OPERATOR else f"{CONFIGURATIONS[name].title}, ours"
        cells = [view.cell(name, tasks=(row.task,)) for row in OBJECTS.values()]
        per_object = [of(cell, _of_ten) for cell in cells]
        rows.append([title, *per_object, f"**{_rate(view, name)}**", *_counted(view, name)])
    header = ("strategy", *map(str, OBJECTS), "average", *_COUNTED)
    text = (
        f"Successes of {TRIALS_PER_OBJECT} with each object (SoftGrasp, Table 6); ours are means over the "
        "training seeds. Objects 1–6 are those of the demonstrations, 7–12 are novel. ACT with torques is "
        "not in the paper: it tells apart what the torques bring and what the network brings. The virtual "
        "operator is who demonstrated; it shows what the task allows."
    )
    return f"## Strategies\n\n{text}\n\n{table(header, rows)}\n"


def _of_ten(cell: Cell) -> str:
    text = number(TRIALS_PER_OBJECT * cell.rate)
    return text.removesuffix(".0")


def chunks(view: View) -> str:
    """One step or a chunk of actions, with and without noise in the demonstrations."""
    kinds = {
        "softgrasp": ("chunk", "with DART"),
        "chunk_clean": ("chunk", "without"),
        "absolute": ("chunk, angles anew", "with DART"),
        "one_step": ("one step", "with DART"),
        "one_step_clean": ("one step", "without"),
    }
    rows = [
        [*kind, _rate(view, name), _rate(view, name, KNOWN), _rate(view, name, NOVEL), *_counted(view, name)]
        for name, kind in kinds.items()
    ]
    header = ("prediction", "demonstrations", "success", "known", "novel", *_COUNTED)
    text = (
        "The paper predicts the joint angles and torques of the next moment only: the rows with one step. "
        "The recommended policy predicts a chunk of several moments, of which overlapping predictions are "
        "averaged, with angles as changes from the present ones; one row predicts them anew instead. "
        "Demonstrations may have been recorded with noise on what the hand executes (DART)."
    )
    return f"## One step or a chunk, with and without DART\n\n{text}\n\n{table(header, rows, range(2))}\n"


def training(view: View) -> str:
    """Longer training, more varied demonstrations, blurred images first, beside the recommended training."""
    narrow = tuple(OBJECTS[number].task for number in NARROW)
    rows = [
        [
            CONFIGURATIONS[name].title,
            *[_rate(view, name, tasks) for tasks in (None, KNOWN, NOVEL, *((task,) for task in narrow))],
            *_counted(view, name),
        ]
        for name in ("softgrasp", "longer", "wide", "more_objects", "curriculum")
    ]
    header = ("training", "success", "known", "novel", *(f"object {number}" for number in NARROW), *_COUNTED)
    text = (
        "Is the training too short, are the demonstrations too uniform? Not in the paper. Objects "
        f"{' and '.join(map(str, NARROW))} are narrower than any that is held from the side in the usual "
        "demonstrations; the random ones are further objects, of which some are that narrow. Blurred images "
        "that sharpen in the course of training are a curriculum for policies that look and do not feel."
    )
    return f"## Training and demonstrations\n\n{text}\n\n{table(header, rows)}\n"
