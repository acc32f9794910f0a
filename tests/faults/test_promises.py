"""docs/reliability.md: each promise names tests that there are, and each test of faults shows one."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")

OF_THE_TESTS = {
    "test_folders_are_not_taken_for_the_same_where_a_bit_of_any_file_differs",
    "test_what_has_no_effect_on_the_video_of_the_frames_is_refused",
}
"""Tests of faults that are about the tests themselves, or about options."""


def promises(text: str) -> dict[str, list[tuple[str, str]]]:
    """By each line of a table, the tests that it names: file and function."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what ")]
    return {row: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row) for row in rows}


def names_of(file: Path) -> set[str]:
    """The names of the tests of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_promise_names_tests_and_all_of_them_are_there():
    found = promises(TEXT)
    assert len(found) > 30
    assert [row for row, named in found.items() if not named] == []
    named = {test for tests in found.values() for test in tests}
    assert [(file, name) for file, name in sorted(named) if name not in names_of(ROOT / file)] == []


def test_every_test_of_faults_shows_a_promise():
    named = {name for tests in promises(TEXT).values() for _, name in tests}
    files = [file for file in Path(__file__).parent.glob("test_*.py") if file != Path(__file__)]
    there = {name for file in files for name in names_of(file)}
    assert there - named == OF_THE_TESTS


def test_promises_are_read_off_a_table():
    text = "| what happens | test |\n|---|---|\n| a | `tests/a/b.py::test_c` `tests/d.py::test_e` |\n| f | none |\n"
    assert list(promises(text).values()) == [[("tests/a/b.py", "test_c"), ("tests/d.py", "test_e")], []]
