"""Wrong edits that somebody could make, and the tests that have to notice them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One wrong edit.

    Attributes:
        what: what goes wrong by it.
        file: below the package.
        old: text that is there exactly once.
        new: what it becomes.
        tests: test files, of which one has to fail.
    """

    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "a dropped object counts as a success",
        "simulation/outcome.py",
        "is_success=is_held and not is_crushed and not is_dropped,",
        "is_success=is_held and not is_crushed,",
        ("tests/simulation",),
    ),
    Mutant(
        "a crush is forgotten",
        "simulation/outcome.py",
        "is_crushed = past.is_crushed or (",
        "is_crushed = (",
        ("tests/simulation",),
    ),
)
