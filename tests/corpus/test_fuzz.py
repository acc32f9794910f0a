"""Whatever becomes of the corpus' files when they are changed again, by a fuzzer: a result or one sentence.

FIELDLENS_FUZZ is how many changed files of each kind are tried, other ones each time; without it a few are, always the
same.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from tests.corpus import KINDS
from tests.corpus.case import Case, Kind

TRIES = os.environ.get("FIELDLENS_FUZZ")
LARGEST = 100_000
"""Bytes of the largest file that is changed: others take long, and what they say is in their beginning."""

Edit = tuple[str, float, bytes, int]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["write", "insert", "drop", "repeat", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.binary(min_size=1, max_size=8)
        | st.sampled_from(
            [b"-1", b"0", b"1e999", b"nan", b"\xff\xff\xff\xff", b"\0\0\0\0", b"../", b"[", b"{", b"9" * 30]
        ),
        st.integers(1, 200),
    ),
    min_size=1,
    max_size=5,
)


def changed(whole: bytes, edits: Iterable[Edit]) -> bytes:
    """A file after these edits, one after the other: how, where as a share of it, which bytes, and how many."""
    content = whole
    for how, share, data, count in edits:
        at = int(share * len(content))
        before, after = content[:at], content[at:]
        match how:
            case "write":
                content = before + data + after[len(data) :]
            case "insert":
                content = before + data + after
            case "drop":
                content = before + after[count:]
            case "repeat":
                content = before + after[:count] * 3 + after
            case _:
                content = before
    return content


@lru_cache
def beginnings(kind: str) -> list[Case]:
    """The cases of a kind that can be changed."""
    cases = (case for case in KINDS[kind].cases() if not callable(case.content))
    return [case for case in cases if all(len(data) <= LARGEST for data in _files(case).values())]


def _files(case: Case) -> Mapping[str, bytes]:
    assert not callable(case.content)
    return {"": case.content} if isinstance(case.content, bytes) else case.content


def ends_well(kind: Kind, path: Path) -> bool:
    """Whether a reader gives a result or one sentence."""
    try:
        kind.read(path)
    except InputError as refusal:
        return "\n" not in str(refusal)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_ends_in_a_result_or_one_sentence(kind: str):
    @settings(
        max_examples=int(TRIES or 25),
        derandomize=TRIES is None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )
    @given(st.data())
    def tried(data: st.DataObject) -> None:
        case = data.draw(st.sampled_from(beginnings(kind)), "beginning")
        files = _files(case)
        name = data.draw(st.sampled_from(sorted(files)), "file")
        content: Any = {**files, name: changed(files[name], data.draw(EDITS, "edits"))}
        whole = Case(case.name, content.get("", content))
        with tempfile.TemporaryDirectory() as place:
            assert ends_well(KINDS[kind], whole.write(Path(place)))

    tried()


def test_edits_change_a_file_as_they_say():
    assert changed(b"abcdef", [("write", 0.5, b"XY", 1)]) == b"abcXYf"
    assert changed(b"abcdef", [("insert", 0.5, b"XY", 1), ("cut", 0.9, b"", 1)]) == b"abcXYde"
    assert changed(b"abcdef", [("drop", 0.0, b"", 2), ("repeat", 0.0, b"", 1)]) == b"ccccdef"
