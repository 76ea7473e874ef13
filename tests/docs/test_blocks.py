"""What can be seen of the documentation without running it."""

import json
import re

import pytest

from .blocks import PROJECT, all_blocks, pages

_COMPOSED = re.compile(r"--[\w.]+='([\[{][^']*)'")


@pytest.mark.parametrize("block", all_blocks(), ids=lambda block: block.name)
def test_lists_and_mappings_are_json(block: object) -> None:
    """LeRobot parses options as JSON beside a configuration file or a policy, as YAML otherwise."""
    for value in _COMPOSED.findall(block.commands):  # type: ignore[attr-defined]
        json.loads(value)


@pytest.mark.parametrize("page", [page for page in pages() if "results" not in page])
def test_so_are_those_in_the_text(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    for value in _COMPOSED.findall(text):
        json.loads(value)
    assert not re.findall(r"--[\w.]+=[\[{]", text), "a list without quotation marks"


@pytest.mark.parametrize("page", pages())
def test_links_lead_somewhere(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in target]
    missing = [target for target in targets if not ((PROJECT / page).parent / target).exists()]
    assert missing == []
