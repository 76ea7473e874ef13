"""What the paper does not give: forces, deformations, speed, and how policies bear changed circumstances."""

from collections.abc import Sequence

import numpy as np

from .markdown import DASH, count, number, of, percent, percent_range, points, signed, table
from .plan import (
    CONFIGURATIONS,
    LIMIT,
    OPERATOR,
    PRESENTED,
    RANDOM_OBJECTS,
    SENSING,
    STRATEGIES,
    Configuration,
)
from .results import Cell, Latency, Measures
from .view import NOVEL, Pair, View, difference_of, interval_of, tasks_of_class


def title_of(name: str) -> str:
    """How a configuration is called in tables."""
    return "virtual operator" if name == OPERATOR else CONFIGURATIONS[name].title


def _tried(view: View, *conditions: str) -> list[Configuration]:
    """Configurations with trials under at least one of the conditions."""
    return [
        entry for name, entry in CONFIGURATIONS.items() if any(view.runs(name, tried) for tried in conditions)
    ]


def forces(view: View) -> str:
    """Grip forces and deformation per strategy."""
    rows = []
    for name in (*STRATEGIES, "act_torque", OPERATOR):
        cell = view.cell(name)
        soft = [view.cell(name, tasks=tasks_of_class(kind)) for kind in ("deformable", "soft-plastic")]
        rows.append(
            [
                title_of(name),
                of(cell, lambda found: number(found.mean_peak_n)),
                of(cell, lambda found: number(found.max_peak_n)),
                of(cell, lambda found: number(found.mean_grip_n)),
                *[of(part, lambda found: number(found.mean_deformation_mm, 2)) for part in soft],
                of(cell, lambda found: number(found.mean_duration_s)),
                *_failures(cell, len(view.runs(name))),
            ]
        )
    header = (
        "strategy",
        "peak grip N",
        "highest peak N",
        "mean grip N",
        "deformable mm",
        "soft-plastic mm",
        "duration s",
        *_FAILURES,
    )
    text = (
        "Means over all trials, failed ones included; the mean grip is over those in which the hand rose. "
        "Grip is the sum of the normal forces on the object. Deformation is the largest indentation from "
        "both sides, for the deformable and the soft-plastic objects. One trial can count under several "
        "kinds of failure."
    )
    return f"## Forces, deformation and duration\n\n{text}\n\n{table(header, rows)}\n"


_FAILURES = ("crushed", "dropped", "never lifted", "seeds", "trials")


def _failures(cell: Cell | None, seeds: int) -> list[str]:
    if cell is None:
        return [DASH] * len(_FAILURES)
    return [count(entry) for entry in (cell.crushed, cell.dropped, cell.never_lifted, seeds, cell.trials)]


def speed(view: View) -> str:
    """Inference and training time, size."""
    rows = []
    for name in (*STRATEGIES, "act_torque"):
        runs = [run for run in view.results.runs if run.configuration == name]
        measured = [run.latency for run in runs if run.latency]
        trained = [run.training for run in runs if run.training]
        latency: Latency | None = min(measured, key=lambda entry: entry.median_ms) if measured else None
        minutes = [number(entry.wall_s / 60) for entry in trained]
        rows.append(
            [
                title_of(name),
                of(latency, lambda found: count(found.parameters)),
                of(latency, lambda found: number(found.median_ms)),
                of(latency, lambda found: number(found.p95_ms)),
                of(latency, lambda found: f"{found.device}, {found.threads}"),
                ", ".join(str(entry.steps) for entry in trained) or DASH,
                ", ".join(minutes) or DASH,
            ]
        )
    header = (
        "strategy",
        "parameters",
        "median ms",
        "95th percentile ms",
        "device, threads",
        "steps of each seed",
        "training minutes",
    )
    text = (
        "Latency is the time from one camera frame to the action for one robot, with all processing before "
        "and after the network; of several seeds the quickest is shown. Other work on the same machine "
        "lengthens these times and those of training."
    )
    return f"## Size and speed\n\n{text}\n\n{table(header, rows)}\n"


def _before_after(pair: Pair | None) -> list[str]:
    if pair is None:
        return [DASH] * 11
    before, after = pair.before, pair.after
    return [
        percent(before.rate),
        percent(after.rate),
        points(difference_of(after, before)),
        number(before.mean_peak_n),
        number(after.mean_peak_n),
        number(before.mean_grip_n),
        number(after.mean_grip_n),
        number(before.mean_deformation_mm, 2),
        number(after.mean_deformation_mm, 2),
        str(pair.seeds),
        count(after.trials),
    ]


def torque_limit(view: View) -> str:
    """Predicted torques executed as grip limits."""
    rows = [
        [entry.title, *_before_after(view.pair(entry.name, LIMIT.name))] for entry in _tried(view, LIMIT.name)
    ]
    header = (
        "policy",
        "success, ignored",
        "success, executed",
        "95 % interval of the change, points",
        "peak N, ignored",
        "executed",
        "mean grip N, ignored",
        "executed",
        "deformation mm, ignored",
        "executed",
        "seeds",
        "trials",
    )
    text = (
        "A policy predicts torques beside angles. Nominally the hand ignores them; here they limit its grip. "
        "Both columns are of the same policies with the same objects in the same scenes."
    )
    return _section("Predicted torque executed", text, header, rows)


def _section(title: str, text: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return f"## {title}\n\n{text}\n\n{table(header, rows) if rows else 'Nothing has been tried yet.'}\n"


def presented(view: View) -> str:
    """The same looks with a soft and with a rigid surface."""
    soft, rigid = (condition.name for condition in PRESENTED)
    rows = []
    ratios: dict[str, float] = {}
    for entry in _tried(view, soft, rigid):
        cells = [view.cell(entry.name, condition) for condition in (soft, rigid)]
        grips = _grips_of_both(view, entry.name, soft, rigid)
        if grips:
            ratios[entry.name] = grips[1] / grips[0]
        rows.append(
            [
                entry.title,
                *[of(cell, lambda found: percent(found.rate)) for cell in cells],
                *[of(cell, lambda found: number(found.mean_peak_n)) for cell in cells],
                *([number(grip) for grip in grips] if grips else [DASH, DASH]),
                number(ratios.get(entry.name), 2),
                str(len(view.runs(entry.name, soft))),
                " + ".join(of(cell, lambda found: count(found.trials)) for cell in cells),
            ]
        )
    header = (
        "policy",
        "success, soft",
        "success, rigid",
        "peak N, soft",
        "peak N, rigid",
        "mean grip N, soft",
        "mean grip N, rigid",
        "grip rigid/soft",
        "seeds",
        "trials",
    )
    text = (
        "Every object of the test once with the surface of the softest material of Table 2 and once with "
        "that of the most rigid, while it looks the same: only touch can tell. Mean grips are over the "
        "objects that were lifted with both surfaces. A rigid surface alone makes the same closure press "
        "harder, so the ratio has to be read beside that of a policy that sees the image only and feels "
        "nothing."
    )
    return _section("Soft and rigid with the same look", f"{text} {ratio_verdict(ratios)}", header, rows)


def _grips_of_both(view: View, name: str, soft: str, rigid: str) -> tuple[float, float] | None:
    """Mean grip forces with either surface, over the objects that were lifted with both."""
    pairs = []
    for run in view.runs(name, soft):
        if rigid in run.conditions:
            cells, others = run.conditions[soft].cells, run.conditions[rigid].cells
            both = [(cells[task].mean_grip_n, others[task].mean_grip_n) for task in cells if task in others]
            pairs += [(grip, other) for grip, other in both if grip and other]
    if not pairs:
        return None
    first, second = np.mean(pairs, axis=0)
    return float(first), float(second)


_ALIKE = 0.1
"""Relative difference of two grip ratios that is not worth a word."""


def ratio_verdict(ratios: dict[str, float]) -> str:
    """What the grip on a rigid surface over that on a soft one says, by configuration."""
    if "softgrasp" not in ratios or "image" not in ratios:
        return "That comparison is not possible yet."
    ours, blind = ratios["softgrasp"], ratios["image"]
    if abs(ours / blind - 1) < _ALIKE:
        relation = "about as much as that of a policy without touch, so this shows no adaptation"
    elif abs(ours - 1) < abs(blind - 1):
        relation = "less than that of a policy without touch, as of one that adapts to what it feels"
    else:
        relation = "more than that of a policy without touch, so it does not keep the force the same"
    return (
        f"SoftGrasp grips a rigid surface {number(ours, 2)} times as hard as a soft one, the image-only "
        f"policy {number(blind, 2)} times: the surface changes SoftGrasp's grip {relation}."
    )


def random_objects(view: View) -> str:
    """Objects that are in neither set of the paper."""
    rows = []
    for entry in _tried(view, RANDOM_OBJECTS.name):
        cell = view.cell(entry.name, RANDOM_OBJECTS.name)
        rows.append(
            [
                entry.title,
                of(cell, lambda found: percent(found.rate)),
                of(cell, lambda found: percent_range(interval_of(found))),
                of(view.cell(entry.name, tasks=NOVEL), lambda found: percent(found.rate)),
                of(cell, lambda found: number(found.mean_peak_n)),
                *_failures(cell, len(view.runs(entry.name, RANDOM_OBJECTS.name))),
            ]
        )
    header = (
        "policy",
        "success",
        "95 % interval",
        "novel objects of Table 2",
        "peak grip N",
        *_FAILURES,
    )
    text = "Objects drawn at random within the ranges of Table 2, which nobody chose."
    return _section("Random objects", text, header, rows)


def sensing(view: View) -> str:
    """Noisy torques, a displaced camera, frames that do not arrive."""
    names = [condition.name for condition in SENSING]
    rows = []
    for entry in _tried(view, *names):
        pairs = [view.pair(entry.name, name) for name in names]
        first: Measures | None = next((pair.before for pair in pairs if pair), None)
        cells = [
            of(pair, lambda found: f"{percent(found.after.rate)} ({signed(_change(found))})")
            for pair in pairs
        ]
        rows.append([entry.title, of(first, lambda found: percent(found.rate)), *cells, *counts_of(pairs)])
    header = ("policy", "nominal", *[_describe(condition.name, condition.env) for condition in SENSING])
    header = (*header, "seeds", "trials of each")
    text = (
        "Success with disturbed senses, and in brackets the change in percentage points from the nominal "
        "trials with the same objects in the same scenes."
    )
    return _section("Disturbed senses", text, header, rows)


def _change(pair: Pair) -> float:
    return 100 * (pair.after.rate - pair.before.rate)


def counts_of(pairs: Sequence[Pair | None]) -> list[str]:
    """Seeds and trials of a row's comparisons; several numbers if they differ."""
    known = [pair for pair in pairs if pair]
    return [
        ", ".join(dict.fromkeys(str(pair.seeds) for pair in known)) or DASH,
        ", ".join(dict.fromkeys(count(pair.after.trials) for pair in known)) or DASH,
    ]


_UNITS = {
    "torque_noise": ("", "N torque noise"),
    "camera_shift_m": ("camera moved", "m"),
    "camera_turn_rad": ("turned", "rad"),
    "dropped_frame_rate": ("", "of the frames lost"),
}


def _describe(name: str, env: dict[str, float]) -> str:
    """A condition in words, from the options that define it."""
    if not set(env) <= set(_UNITS):
        return name.replace("_", " ")
    parts = [f"{_UNITS[key][0]} {value:g} {_UNITS[key][1]}".strip() for key, value in env.items()]
    return ", ".join(parts)
