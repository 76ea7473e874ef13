"""Files of this package: written whole or not at all, read with errors that say file, place and expected."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all, whatever interrupts it; missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f"{path.suffix}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.rename(path)


def write_json(path: Path, content: Any) -> None:
    """Write plain values as JSON, whole or not at all."""
    write_text(path, json.dumps(content) + "\n")


@contextmanager
def reading(path: Path, expected: str, remedy: str) -> Iterator[None]:
    """Turn whatever reading a malformed file raises into one sentence about the file.

    Args:
        path: the file.
        expected: what it should hold, such as "the calibration of a hand".
        remedy: what to do about it, a sentence.

    Raises:
        ValueError: if the file is missing, cut off, of another type, or a value in it is refused.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist; expected {expected}. {remedy}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(f"{path} is not JSON ({where}); expected {expected}. {remedy}") from error
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}; expected {expected}. {remedy}") from error
    except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{path} does not hold {expected}: {error} {remedy}") from error


def read_json(path: Path) -> Any:
    """Plain values from a JSON file; call it inside `reading`."""
    return json.loads(path.read_text(encoding="utf-8"))
