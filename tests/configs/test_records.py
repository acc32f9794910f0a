"""Records as JSON: they come back as they were, and what does not fit is refused."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldlens.configs.errors import InputError
from fieldlens.configs.files import write_json
from fieldlens.configs.records import IF_ANY, INLINE, fields_of, from_json, read_json_as, to_json, with_before


@dataclass(frozen=True)
class Inner:
    low: float
    high: float | None


@dataclass(frozen=True)
class Plain:
    title: ClassVar[str] = "not written"
    path: Path
    name: str
    count: int
    is_exact: bool
    precision: Literal["fp32", "bf16"]
    ends: tuple[int, float]
    notes: tuple[str, ...]
    rows: Sequence[Sequence[float | None]]
    by_name: Mapping[str, Inner]
    anything: dict[str, Any] | None
    inner: Inner | None = None


@dataclass(frozen=True, kw_only=True)
class Marked:
    inner: Inner | None = field(default=None, metadata=INLINE)
    some: int | None = field(default=None, metadata=IF_ANY)
    all: int = field(metadata={"key": "global"})


@dataclass(frozen=True)
class Longer:
    size: int

    def to_json(self) -> dict[str, Any]:
        return with_before(fields_of(self), "size", {"half": self.size / 2})


numbers = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, numbers, st.none() | numbers)
plain = st.builds(
    Plain,
    path=st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1).map(Path),
    count=st.integers(),
    ends=st.tuples(st.integers(), numbers),
    notes=st.lists(st.text()).map(tuple),
    rows=st.lists(st.lists(st.none() | numbers)),
    by_name=st.dictionaries(st.text(), inners, max_size=3),
    anything=st.none() | st.dictionaries(st.text(), st.lists(st.integers()), max_size=3),
    inner=st.none() | inners,
)
marked = st.builds(Marked, inner=st.none() | inners, some=st.none() | st.integers(), all=st.integers())


@given(plain | marked | st.builds(Longer, st.integers(-(2**50), 2**50)))
def test_a_record_comes_back_from_json(record: Plain | Marked | Longer) -> None:
    assert from_json(type(record), json.loads(json.dumps(to_json(record), allow_nan=False))) == record


def test_keys_are_the_fields_in_their_order_but_where_they_are_marked() -> None:
    keys = "path name count is_exact precision ends notes rows by_name anything inner"
    assert " ".join(to_json(EXAMPLE)) == keys
    assert json.dumps(to_json(Marked(inner=Inner(1.0, None), all=3))) == '{"low": 1.0, "high": null, "global": 3}'
    assert json.dumps(to_json(Marked(some=2, all=3))) == '{"some": 2, "global": 3}'
    assert json.dumps(to_json([Longer(3)])) == '[{"half": 1.5, "size": 3}]'


EXAMPLE = Plain(Path("a/b"), "a", 1, True, "fp32", (1, 2.0), ("x",), [[1.0, None]], {"k": Inner(0.0, 1.0)}, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", 3),
        ("name", None),
        ("count", 1.5),
        ("count", True),
        ("is_exact", 1),
        ("precision", "fp8"),
        ("ends", 5),
        ("ends", [1]),
        ("ends", [1, "2"]),
        ("notes", "x"),
        ("rows", [["1"]]),
        ("by_name", []),
        ("by_name", {"k": {"low": 0.0}}),
        ("inner", {"low": 0.0, "high": 1.0, "middle": 0.5}),
        ("colour", 1),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, key: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"must be|missing|no setting"):
        from_json(Plain, to_json(EXAMPLE) | {key: value})
    write_json(tmp_path / "plain.json", to_json(EXAMPLE) | {key: value})
    with pytest.raises(InputError, match=r"plain\.json' is damaged, or of another version"):
        read_json_as(tmp_path / "plain.json", Plain)


def test_no_key_may_be_missing_even_where_there_is_a_default() -> None:
    for key in to_json(EXAMPLE):
        with pytest.raises(ValueError, match=f"{key} is missing"):
            from_json(Plain, {name: value for name, value in to_json(EXAMPLE).items() if name != key})


def test_a_number_stays_as_it_was_written() -> None:
    assert json.dumps(to_json(from_json(Inner, {"low": 1, "high": 2.0}))) == '{"low": 1, "high": 2.0}'
