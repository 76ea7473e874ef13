"""The command blocks of the documentation: of Markdown pages, and of the heads of the ready-made
configurations.
"""

import re
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?:bash|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of commands.

    Attributes:
        document: where it stands, relative to the project.
        commands: what a reader would paste.
    """

    document: str
    commands: str

    @property
    def first_line(self) -> str:
        return self.commands.strip().splitlines()[0].rstrip(" \\")

    @property
    def name(self) -> str:
        return f"{self.document}: {self.first_line}"


def pages() -> list[str]:
    """All Markdown pages for readers, in the order in which a stranger's commands build on each other."""
    docs = sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / "docs").rglob("*.md"))
    return ["README.md", "CONTRIBUTING.md", "hub_configs/README.md", *docs]


def page_blocks(page: str) -> list[Block]:
    return [Block(page, text) for text in _FENCE.findall((PROJECT / page).read_text(encoding="utf-8"))]


def head_blocks(folder: str) -> list[Block]:
    """The commands in the heads of `hub_configs/<folder>/**/*.yaml`: comment lines indented by three."""
    blocks = []
    for path in sorted((PROJECT / "hub_configs" / folder).rglob("*.yaml")):
        head = path.read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
        comment = [line for line in head if line.startswith("#")]
        commands = [line[4:] for line in comment if re.match(r"#   +(?:lerobot|softgrasp)-|#       ", line)]
        if commands:
            blocks.append(Block(path.relative_to(PROJECT).as_posix(), "\n".join(commands) + "\n"))
    return blocks


def all_blocks() -> list[Block]:
    """Every block, each after those whose results it uses."""
    first = [*page_blocks("README.md"), *head_blocks("record"), *page_blocks("hub_configs/README.md")]
    rest = [page for page in pages() if page not in ("README.md", "hub_configs/README.md")]
    return [
        *first,
        *(block for folder in ("train", "eval", "rollout") for block in head_blocks(folder)),
        *(block for page in rest for block in page_blocks(page)),
    ]
