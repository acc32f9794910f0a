"""Records, which are dataclasses, as plain JSON, and back by the types of their fields: keys are made here alone.

Keys are the names of the fields, in their order. Marks in a field's `metadata` say where it is otherwise: `INLINE`,
`IF_ANY`, {"key": "global"} for another name, or {"before": value} for what holds in files that were written before
there was the key. A record that says more than its fields has a method `to_json`, and
what it says beside them is not read back.
"""

import contextlib
import enum
import math
import numbers
import os
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_origin, runtime_checkable

from .errors import InputError, did_you_mean, shown
from .files import JsonObject, read_json

T = TypeVar("T")

INLINE: Mapping[str, Any] = {"inline": True}
"""Mark of a field with a record whose keys stand among those of its parent, none of them where it is None."""
IF_ANY: Mapping[str, Any] = {"if_any": True}
"""Mark of a field that is left out where it is None."""

MOST_CHARACTERS = 4096
"""Of a text or a path in a person's choices; file systems take no longer path."""

MOST_VALUES = 1000
"""Of a list in a person's choices."""

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


class _By(enum.Enum):
    """Who wrote a value down."""

    PROGRAM = enum.auto()
    """`to_json`: every key is there, and of its kind."""
    HAND = enum.auto()
    """A person, in YAML: what is left open is the default, a number may be a text."""
    PYTHON = enum.auto()
    """A person, in Python: records are records."""


@dataclass(frozen=True)
class Bounds:
    """What numbers a field takes, each of them where it is a list; NaN is never among them."""

    low: float
    high: float
    above: bool
    """Whether `low` itself is left out."""

    def check(self, value: Any, called: str) -> None:
        """Refuse other numbers, also within a list.

        Raises:
            InputError: by the field's name, with what it takes.
        """
        if isinstance(value, tuple):
            for item in value:
                self.check(item, called)
        elif isinstance(value, int | float):
            if self.above and not self.low < value < math.inf:
                raise InputError(f"{called} must be a number above {self.low}, got {shown(value)}")
            if self.above and value > self.high:
                raise InputError(f"{called} must be at most {self.high}, got {shown(value)}")
            if not self.low <= value <= self.high:
                raise InputError(f"{called} must be {self.low} to {self.high}, got {shown(value)}")


def within(low: float, high: float, *, above: bool = False) -> Mapping[str, Any]:
    """Mark of a field of `Choices`: its numbers are from `low`, or only `above` it, to `high`."""
    return {"bounds": Bounds(low, high, above)}


class Choices:
    """Choices of a person, as a frozen dataclass: each is of its field's type and in its bounds, or it is not made.

    What does no harm is converted: a text to a path, a list to a tuple, a number of numpy to one of Python, a word to
    the record it names.
    """

    CALLED: ClassVar[str] = "{name}"
    """What a field is called in a sentence: by its {name}, or as an {option} of the command line."""

    def __post_init__(self) -> None:
        parts = fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        for name, value in taken(type(self), {part.name: getattr(self, part.name) for part in parts}).items():
            object.__setattr__(self, name, value)  # the class is frozen, and has not been seen yet


def taken(kind: type[Choices], given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for some fields of choices, each of its field's type and in its bounds.

    Raises:
        InputError: for one that is not and cannot be converted.
    """
    values, hints, parts = {}, _hints(kind), {part.name: part for part in fields(kind)}  # type: ignore[arg-type]
    for name, before in given.items():
        called = kind.CALLED.format(name=name, option=f"--{name.replace('_', '-')}")
        value = _value(before, hints[name], called, _By.PYTHON)
        if isinstance(value, tuple) and len(value) > MOST_VALUES:
            raise InputError(f"{called} takes at most {MOST_VALUES:,} values, got {len(value):,}")
        if "bounds" in parts[name].metadata:
            parts[name].metadata["bounds"].check(value, called)
        values[name] = value
    return values


class Word(Choices):
    """Choices that are also written as one word: `str` makes it and `of_word` reads it."""

    IN_FILES: ClassVar[bool] = True
    """Whether files have the word, and not a group of its fields."""

    @classmethod
    def of_word(cls, word: str) -> "Word":
        """What a word names.

        Raises:
            InputError: when it is none.
        """
        raise NotImplementedError


@lru_cache
def _hints(kind: type) -> Mapping[str, Any]:
    return typing.get_type_hints(kind)


@runtime_checkable
class SaysMore(Protocol):
    """A record that makes its own keys, from those of its fields."""

    def to_json(self) -> JsonObject:
        """As its file has it."""
        ...


def to_json(value: Any) -> Any:
    """Records and mappings as dictionaries, choices of one word as such, paths as strings, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Path) or (isinstance(value, Word) and value.IN_FILES):
        return str(value)
    if is_dataclass(value):
        return value.to_json() if isinstance(value, SaysMore) else fields_of(value)
    return value


def fields_of(record: Any) -> JsonObject:
    """What a record says if it says no more than its fields."""
    plain: JsonObject = {}
    for part in fields(record):
        value = to_json(getattr(record, part.name))
        if "inline" in part.metadata:
            plain |= value or {}
        elif value is not None or "if_any" not in part.metadata:
            plain[part.metadata.get("key", part.name)] = value
    return plain


def with_before(plain: JsonObject, key: str, more: JsonObject) -> JsonObject:
    """More keys, before one of those that are there."""
    at, items = [*plain].index(key), [*plain.items()]
    return dict([*items[:at], *more.items(), *items[at:]])


def from_json(kind: type[T], found: Any) -> T:
    """The record of which `to_json` was made.

    Raises:
        ValueError: where a key is missing or one too many, or a value of another kind.
    """
    return _value(found, kind, "", _By.PROGRAM)


def read_json_as(path: Path, kind: type[T]) -> T:
    """Read the record that a file holds.

    Raises:
        InputError: when the file is missing or damaged, or its keys are others than this version's.
    """
    found = read_json(path)
    try:
        return from_json(kind, found)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{str(path)!r} is damaged, or of another version of fieldlens") from None


def from_hand(kind: type[T], found: Any) -> T:
    """What a person wrote down as `to_json` has it: what is left open is the default, a number may be a text.

    Raises:
        InputError: by the setting's name, such as training.steps, where a key or value does not fit.
    """
    return _value(found, kind, "", _By.HAND)


def _value(data: Any, kind: Any, where: str, by: _By) -> Any:
    origin, choices = get_origin(kind), get_args(kind)
    if kind is Any:
        return data
    is_union = origin in (types.UnionType, typing.Union)
    records = [one for one in (choices if is_union else (kind,)) if is_dataclass(one)]
    if data is None and type(None) in choices:
        return None
    if records:
        return _record_or_word(data, records, where, by)
    if is_union:
        return _value(data, _but_none(kind), where, by)
    if origin is typing.Literal:
        if not isinstance(data, str) or data not in choices:
            raise InputError(f"{where} must be one of {', '.join(map(str, choices))}, got {shown(data)}")
        return data
    if origin in (tuple, list, Sequence):
        return _items(data, kind, where, by)
    if origin in (dict, Mapping):
        if not isinstance(data, dict):
            raise InputError(f"{where} must be a group, got {shown(data)}")
        return {key: _value(item, choices[1], f"{where}.{key}", by) for key, item in data.items()}
    return _plain_value(data, kind, where, by)


def _record_or_word(data: Any, kinds: Sequence[Any], where: str, by: _By) -> Any:
    """A record of one of these kinds: encodings have several, which share their words."""
    first = kinds[0]
    if issubclass(first, Word) and isinstance(data, str):
        return first.of_word(data)
    if by is _By.PYTHON:
        if isinstance(data, tuple(kinds)):
            return data
        names = ", ".join(kind.__name__ for kind in kinds)
        raise InputError(f"{where} must be {'a' if len(kinds) == 1 else 'one of'} {names}, got {shown(data)}")
    if issubclass(first, Word) and first.IN_FILES:
        raise InputError(f"{where} must be a word such as {first()}, got {shown(data)}")
    return _record(data, first, where, by)


def _items(data: Any, kind: Any, where: str, by: _By) -> Any:
    if by is _By.PYTHON and isinstance(data, range):
        data = [*data[: MOST_VALUES + 1]]  # a longer one is told by one too many
    if not isinstance(data, list | tuple if by is _By.PYTHON else list):
        raise InputError(f"{where} must be a list, got {shown(data)}")
    choices = get_args(kind)
    if get_origin(kind) is not tuple:
        return [_value(item, choices[0], where, by) for item in data]
    kinds = [choices[0]] * len(data) if choices[-1] is ... else choices
    if len(kinds) != len(data):
        raise InputError(f"{where} must be {len(kinds)} values, got {shown(data)}")
    return tuple(_value(item, one, where, by) for item, one in zip(data, kinds, strict=True))


def _plain_value(data: Any, kind: Any, where: str, by: _By) -> Any:
    if by is not _By.PROGRAM and isinstance(data, str) and len(data) > MOST_CHARACTERS:
        raise InputError(f"{where} must have at most {MOST_CHARACTERS:,} characters, got {len(data):,}")
    if kind is float and not isinstance(data, bool):
        if by is _By.HAND and isinstance(data, int | str):
            with contextlib.suppress(ValueError, OverflowError):
                return float(data)  # YAML takes 1e-3, which has no dot, for a text
        elif isinstance(data, int):
            return data  # as it was written
    if by is _By.PYTHON and not isinstance(data, bool):  # numpy has numbers of its own
        if kind is int and isinstance(data, numbers.Integral):
            return int(data)
        if kind is float and isinstance(data, numbers.Real):
            return float(data)
    if by is _By.PYTHON and kind in (Path, str) and isinstance(data, os.PathLike):
        data = os.fspath(data)
    if kind is Path and isinstance(data, str):
        return Path(data)
    if isinstance(data, kind) and not (kind is int and isinstance(data, bool)):
        return data
    raise InputError(f"{where} must be {_KINDS[kind]}, got {shown(data)}")


def _record(data: Any, kind: Any, where: str, by: _By, alone: bool = True) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"{where} must be a group of settings, got {shown(data)}")
    hints, prefix = _hints(kind), f"{where}." if where else ""
    keys = {part.metadata.get("key", part.name): part for part in fields(kind)}
    if alone and not issubclass(kind, SaysMore) and not any("inline" in part.metadata for part in keys.values()):
        for key in data:
            if key not in keys:
                group, meant = f" of {where}" if where else "", key if isinstance(key, str) else ""
                raise InputError(f"{shown(key)} is no setting{group}{did_you_mean(meant, keys)}")
    values = {}
    for key, part in keys.items():
        hint = hints[part.name]
        if "inline" in part.metadata:
            inner = _but_none(hint)
            there = inner is hint or any(one.name in data for one in fields(inner))
            values[part.name] = _record(data, inner, where, by, alone=False) if there else None
        elif key in data:
            values[part.name] = _value(data[key], hint, prefix + key, by)
        elif "before" in part.metadata:
            values[part.name] = part.metadata["before"]
        elif "if_any" in part.metadata:
            values[part.name] = None
        elif by is _By.PROGRAM:
            raise InputError(f"{prefix}{key} is missing")
    return kind(**values)


def _but_none(kind: Any) -> Any:
    """The first kind of a union; the kind itself where it is none."""
    return next(iter(get_args(kind)), kind)
