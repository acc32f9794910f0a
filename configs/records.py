"""Records, which are dataclasses, as plain JSON, and back by the types of their fields: keys are made here alone.

Keys are the names of the fields, in their order. Marks in a field's `metadata` say where it is otherwise: `INLINE`,
`IF_ANY`, or {"key": "global"} for another name. A record that says more than its fields has a method `to_json`, and
what it says beside them is not read back.
"""

import contextlib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args, get_origin, runtime_checkable

from .encoding import Encoding, parse_encoding
from .errors import InputError, did_you_mean
from .files import JsonObject, read_json
from .network import Network, parse_network

T = TypeVar("T")

INLINE: Mapping[str, Any] = {"inline": True}
"""Mark of a field with a record whose keys stand among those of its parent, none of them where it is None."""
IF_ANY: Mapping[str, Any] = {"if_any": True}
"""Mark of a field that is left out where it is None."""

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


@runtime_checkable
class SaysMore(Protocol):
    """A record that makes its own keys, from those of its fields."""

    def to_json(self) -> JsonObject:
        """As its file has it."""
        ...


def to_json(value: Any) -> Any:
    """Records and mappings as dictionaries, encodings as words, paths as strings, tuples as lists."""
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Path | Encoding):
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
    return _value(found, kind, "", by_hand=False)


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
    return _value(found, kind, "", by_hand=True)


def _value(data: Any, kind: Any, where: str, by_hand: bool) -> Any:
    origin, choices = get_origin(kind), get_args(kind)
    if kind is Any:
        return data
    if kind == Encoding or (kind == Encoding | None and data is not None):
        return parse_encoding(str(data))
    if kind is Network and isinstance(data, str):
        return parse_network(data)
    if is_dataclass(kind):
        return _record(data, kind, where, by_hand)
    if origin in (types.UnionType, typing.Union):
        if data is None and type(None) in choices:
            return None
        return _value(data, _but_none(kind), where, by_hand)
    if origin is typing.Literal:
        if data not in choices:
            raise InputError(f"{where} must be one of {', '.join(map(str, choices))}, got {data!r}")
        return data
    if origin in (tuple, list, Sequence):
        return _items(data, kind, where, by_hand)
    if origin in (dict, Mapping):
        if not isinstance(data, dict):
            raise InputError(f"{where} must be a group, got {data!r}")
        return {key: _value(item, choices[1], f"{where}.{key}", by_hand) for key, item in data.items()}
    return _plain_value(data, kind, where, by_hand)


def _items(data: Any, kind: Any, where: str, by_hand: bool) -> Any:
    if not isinstance(data, list):
        raise InputError(f"{where} must be a list, got {data!r}")
    choices = get_args(kind)
    if get_origin(kind) is not tuple:
        return [_value(item, choices[0], where, by_hand) for item in data]
    kinds = [choices[0]] * len(data) if choices[-1] is ... else choices
    if len(kinds) != len(data):
        raise InputError(f"{where} must be {len(kinds)} values, got {data!r}")
    return tuple(_value(item, one, where, by_hand) for item, one in zip(data, kinds, strict=True))


def _plain_value(data: Any, kind: Any, where: str, by_hand: bool) -> Any:
    if kind is float and not isinstance(data, bool):
        if by_hand and isinstance(data, int | str):
            with contextlib.suppress(ValueError, OverflowError):
                return float(data)  # YAML takes 1e-3, which has no dot, for a text
        elif isinstance(data, int):
            return data  # as it was written
    if kind is Path and isinstance(data, str):
        return Path(data)
    if isinstance(data, kind) and not (kind is int and isinstance(data, bool)):
        return data
    raise InputError(f"{where} must be {_KINDS[kind]}, got {data!r}")


def _record(data: Any, kind: Any, where: str, by_hand: bool, alone: bool = True) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"{where} must be a group of settings, got {data!r}")
    hints, prefix = typing.get_type_hints(kind), f"{where}." if where else ""
    keys = {part.metadata.get("key", part.name): part for part in fields(kind)}
    if alone and not issubclass(kind, SaysMore) and not any("inline" in part.metadata for part in keys.values()):
        for key in data:
            if key not in keys:
                group = f" of {where}" if where else ""
                raise InputError(f"{key!r} is no setting{group}{did_you_mean(str(key), keys)}")
    values = {}
    for key, part in keys.items():
        hint = hints[part.name]
        if "inline" in part.metadata:
            inner = _but_none(hint)
            there = inner is hint or any(one.name in data for one in fields(inner))
            values[part.name] = _record(data, inner, where, by_hand, alone=False) if there else None
        elif key in data:
            values[part.name] = _value(data[key], hint, prefix + key, by_hand)
        elif "if_any" in part.metadata:
            values[part.name] = None
        elif not by_hand:
            raise InputError(f"{prefix}{key} is missing")
    return kind(**values)


def _but_none(kind: Any) -> Any:
    """The first kind of a union; the kind itself where it is none."""
    return next(iter(get_args(kind)), kind)
