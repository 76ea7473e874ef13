"""`results.json`: every number of a report in one file."""

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ..files import write_text
from .results import Cell, ConditionResult, Latency, Results, RunResult, SceneValues, Training
from .setting import Setting

RESULTS_FILE = "results.json"
_FORMAT = 1
_CELL_FIELDS = tuple(field.name for field in fields(Cell))


def write_results(results: Results, path: Path) -> None:
    """Write `results.json`, whole or not at all: one line per run and condition, cells as bare rows."""
    runs = [
        {
            **asdict(run),
            "conditions": {
                name: {
                    "scenes": found.scenes,
                    "cells": {task: _row(cell) for task, cell in found.cells.items()},
                    **({"by_scene": asdict(found)["by_scene"]} if found.by_scene else {}),
                }
                for name, found in run.conditions.items()
            },
        }
        for run in results.runs
    ]
    content = {"format": _FORMAT, "cell": _CELL_FIELDS, "setting": asdict(results.setting), "runs": runs}
    write_text(path, "".join(_pretty(content, 4)) + "\n")


def _row(cell: Cell) -> list[float | None]:
    return [getattr(cell, name) for name in _CELL_FIELDS]


def _pretty(value: Any, levels: int, indent: str = "\n") -> Iterator[str]:
    """JSON whose outermost levels have a line for each entry."""
    is_object = isinstance(value, dict)
    is_table = isinstance(value, list | tuple) and any(isinstance(entry, dict) for entry in value)
    if levels == 0 or not value or not (is_object or is_table):
        yield json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return
    yield "{" if is_object else "["
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for place, (key, entry) in enumerate(entries):
        yield f"{',' if place else ''}{indent} "
        if is_object:
            yield f"{json.dumps(key)}: "
        yield from _pretty(entry, levels - 1, indent + " ")
    yield f"{indent}{'}' if is_object else ']'}"


def read_results(path: Path) -> Results:
    """Read `results.json`.

    Raises:
        ValueError: if another version of this package wrote it.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["format"] != _FORMAT or tuple(content["cell"]) != _CELL_FIELDS:
        raise ValueError(f"{path} has another format; write it anew from the benchmark's runs.")
    setting = Setting(**{**content["setting"], "commits": tuple(content["setting"]["commits"])})
    return Results(setting, tuple(_parse_run(run) for run in content["runs"]))


def read_commits(path: Path) -> tuple[str, ...]:
    """Commits with which a `results.json` was written, of any format; none if there is no such file."""
    if not path.exists():
        return ()
    return tuple(json.loads(path.read_text(encoding="utf-8"))["setting"]["commits"])


def _parse_run(run: dict[str, Any]) -> RunResult:
    conditions = {
        name: ConditionResult(
            scenes=tuple(found["scenes"]),
            cells={task: _parse_cell(row) for task, row in found["cells"].items()},
            by_scene={task: _parse_scenes(values) for task, values in found.get("by_scene", {}).items()},
        )
        for name, found in run["conditions"].items()
    }
    return RunResult(
        configuration=run["configuration"],
        seed=run["seed"],
        training=Training(**run["training"]) if run["training"] else None,
        latency=Latency(**run["latency"]) if run["latency"] else None,
        conditions=conditions,
    )


def _parse_cell(row: list[Any]) -> Cell:
    return Cell(**dict(zip(_CELL_FIELDS, row, strict=True)))


def _parse_scenes(values: dict[str, Any]) -> SceneValues:
    plain: dict[str, Any] = {key: tuple(row) if isinstance(row, list) else row for key, row in values.items()}
    return SceneValues(**plain)
