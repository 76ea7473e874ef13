"""Beside each promise of docs/safety.md stands the test that holds it; it has to exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parent


def test_every_test_that_is_named_exists() -> None:
    text = (TESTS.parent / "docs" / "safety.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (TESTS / path).exists() or f"def {name}(" not in (TESTS / path).read_text(encoding="utf-8")
    ]
    assert missing == []
