"""What is whole of a recorded dataset, and its repair."""

from collections.abc import Iterator
from pathlib import Path

from ..datasets.repair import examine_dataset, repair_dataset
from .doctor_checks import Finding, Level


def check_dataset(root: Path, *, repair: bool) -> Iterator[Finding]:
    """Say which episodes are whole, repair the dataset if asked to, and say how to go on.

    Args:
        root: its folder.
        repair: whether to mend it; what is taken out or rewritten is kept beside it.
    """
    subject = f"dataset {root}"
    try:
        damage = examine_dataset(root)
    except ValueError as error:
        yield Finding(Level.RED, subject, str(error))
        return
    whole = len(damage.rows)
    going_on = f"Go on recording with --resume=true --dataset.root={root}"
    if not damage.problems:
        yield Finding(Level.GREEN, subject, f"{whole} episodes, all whole")
        if damage.strays:
            names = ", ".join(str(path.relative_to(root)) for path in damage.strays[:5])
            yield Finding(
                Level.AMBER, "left over from an interrupted recording", names, f"Harmless. {going_on}"
            )
        return
    for problem in damage.problems:
        yield Finding(Level.AMBER if repair else Level.RED, subject, problem)
    summary = (
        f"{whole} of {damage.announced} episodes are whole (0…{whole - 1})" if whole else "none is whole"
    )
    if not repair:
        yield Finding(
            Level.RED,
            subject,
            summary,
            f"softgrasp-doctor --dataset={root} --repair=true keeps these, and everything else beside it."
            if whole
            else "Record anew into another folder.",
        )
        return
    try:
        backup = repair_dataset(damage)
    except (ValueError, OSError) as error:
        yield Finding(Level.RED, subject, f"{summary}; not repaired: {error}")
        return
    yield Finding(Level.AMBER, subject, f"{summary}; what was taken out or rewritten is in {backup}")
    left = examine_dataset(root).problems
    level = Level.RED if left else Level.GREEN
    yield Finding(level, subject, "; ".join(left) or f"repaired: {whole} episodes, all whole", going_on)
