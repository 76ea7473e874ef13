"""Files that are there whole or not at all, whatever interrupts the one who writes them."""

import json
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Write a text file; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)


def write_json(path: Path, content: Any) -> None:
    """Write plain values as JSON."""
    write_text(path, json.dumps(content) + "\n")
