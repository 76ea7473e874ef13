from pathlib import Path
from typing import Any

import pytest

from softgrasp_plugin.files import read_json, reading, write_json


def read(path: Path) -> Any:
    with reading(path, "a pair of numbers", "Make it again."):
        content = read_json(path)
        return float(content["a"]), float(content["b"][0])


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "x.json", {"a": 1, "b": [2]})
    assert read(tmp_path / "new" / "x.json") == (1.0, 2.0)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"a": 1, "b": [2',
        "{}",
        "[]",
        "null",
        '{"a": 1, "b": []}',
        '{"a": null, "b": [2]}',
        '{"a": "x", "b": [2]}',
        '{"a": 1' + "0" * 400 + ', "b": [2]}',
        "[" * 100_000,
    ],
)
def test_anything_else_is_one_sentence_about_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"x\.json .* a pair of numbers.*Make it again\.$"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"x\.json does not exist"):
        read(tmp_path / "x.json")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"x\.json does not hold a pair of numbers"):
        read(tmp_path / "x.json")
