"""What every card says beside what is read from the files it describes."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A picture beside a card: its path in the repository, and what it shows."""

    path: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class CardOptions:
    """What no file says.

    Attributes:
        description: what should be said first, in a sentence or two of Markdown; of a dataset, how the
            demonstrations were made.
        license: identifier of the licence, as the Hub spells it.
        figures: pictures in the repository.
    """

    description: str = ""
    license: str = "apache-2.0"
    figures: Sequence[Figure] = ()
