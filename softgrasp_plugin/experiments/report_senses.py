"""Counterfactuals: how a grasp changes when one of the policy's senses is replaced."""

from collections.abc import Callable

from ..policies.observation_config import MODALITIES
from .interventions import KINDS
from .markdown import of, signed, table
from .plan import CONFIGURATIONS, INTERVENTIONS
from .report_beyond import counts_of, title_of
from .view import Pair, View

_NAMES = tuple(condition.name for condition in INTERVENTIONS)


def changes_of_success(view: View) -> dict[str, list[float | None]]:
    """Change of success in percentage points, by configuration and in the order of `INTERVENTIONS`.

    The loss factors are left out: they are a matter of degree, and the figure is to be read at a glance.
    """
    return {
        name: [None if pair is None else _points(pair) for pair in pairs]
        for name, pairs in _pairs(view).items()
        if not name.startswith("loss_")
    }


def _pairs(view: View) -> dict[str, list[Pair | None]]:
    pairs = {name: [view.pair(name, changed) for changed in _NAMES] for name in CONFIGURATIONS}
    return {name: found for name, found in pairs.items() if any(found)}


def counterfactuals(view: View) -> str:
    """Every policy under every intervention, against its own nominal trials."""
    pairs = _pairs(view)
    measures: dict[str, Callable[[Pair], str]] = {
        "Change in success, percentage points": lambda pair: signed(_points(pair), 0),
        "Change in peak grip force, N": lambda pair: signed(pair.after.mean_peak_n - pair.before.mean_peak_n),
        "Change in deformation, mm": lambda pair: signed(
            pair.after.mean_deformation_mm - pair.before.mean_deformation_mm, 2
        ),
    }
    letters = [f"{modality[0].upper()} {kind}" for modality in MODALITIES for kind in KINDS]
    header = ("policy", *letters, "seeds", "trials of each")
    parts = ["## Counterfactuals\n", _TEXT]
    for title, text in measures.items():
        rows = [
            [title_of(name), *[of(pair, text) for pair in found], *counts_of(found)]
            for name, found in pairs.items()
        ]
        parts += [f"\n### {title}\n", table(header, rows) if rows else "Nothing has been tried yet."]
    return "\n".join(parts) + "\n"


def _points(pair: Pair) -> float:
    return 100 * (pair.after.rate - pair.before.rate)


_TEXT = """\
The world stays as it is, and one of the policy's senses is replaced: the image (I), the joint angles (A) or
the joint torques (T) are zeroed (a black image, an open hand, no touch), frozen at their first value of the
episode, doubled, or swapped for those of a demonstration with an object of another hardness. Every number is
the difference from the nominal trials of the same policy with the same objects in the same scenes. A policy
that does not have a sense is a control: its grasp cannot change."""
