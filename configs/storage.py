"""Configurations as plain YAML with a schema version, read by a safe loader and checked against the dataclasses."""

import contextlib
import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml

from .encoding import Encoding, parse_encoding
from .errors import InputError, did_you_mean
from .files import read_bytes
from .network import Network, parse_network
from .run import CompareConfig, FitConfig
from .study import Study

SCHEMA = 2

Config = TypeVar("Config", FitConfig, CompareConfig, Study)

_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", Path: "a path"}


class _Dumper(yaml.SafeDumper):
    """Escapes what cannot be seen: left to itself the library writes U+0085 and U+2028 as they are, and then reads them
    as line breaks, which fold to a space."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_str)


def to_yaml(config: FitConfig | CompareConfig | Study) -> str:
    """The configuration as YAML; `from_yaml` is its inverse."""
    data = {"schema": SCHEMA, **to_plain(config)}
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read_config(path: Path, kind: type[Config]) -> Config:
    """The configuration in a YAML file.

    Raises:
        InputError: when it cannot be read, or as `from_yaml` does.
    """
    return from_yaml(read_bytes(path), kind, str(path))


def from_yaml(text: str | bytes, kind: type[Config], origin: str) -> Config:
    """The configuration that a YAML text holds; bytes are UTF-8.

    Args:
        origin: where the text comes from, for messages.

    Raises:
        InputError: when it is no YAML, of another schema, or has keys or values that do not fit.
    """
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-30
        raise InputError(f"{origin} is not YAML: {_problem(error)}") from None
    if not isinstance(data, dict):
        raise InputError(f"{origin} holds no configuration")
    if data.pop("schema", None) != SCHEMA:
        raise InputError(f"{origin} is of another schema than this version reads (schema: {SCHEMA})")
    try:
        return _from_plain(data, kind, "")
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    return str(error).partition("\n")[0]


def to_plain(value: Any) -> Any:
    """Dataclasses as dictionaries, encodings as words, paths as strings, tuples as lists."""
    if isinstance(value, Encoding):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {key.name: to_plain(getattr(value, key.name)) for key in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _from_plain(data: Any, kind: Any, where: str) -> Any:
    """What `to_plain` was given; `where` is the setting's name, such as training.steps."""
    if kind == Encoding or (kind == Encoding | None and data is not None):
        return parse_encoding(str(data))
    if kind is Network and isinstance(data, str):
        return parse_network(data)
    if dataclasses.is_dataclass(kind):
        if not isinstance(data, dict):
            raise InputError(f"{where} must be a group of settings, got {data!r}")
        hints = typing.get_type_hints(kind)
        for key in data:
            if key not in hints:
                group = f" of {where}" if where else ""
                raise InputError(f"{key!r} is no setting{group}{did_you_mean(str(key), hints)}")
        prefix = f"{where}." if where else ""
        return kind(**{key: _from_plain(value, hints[key], prefix + key) for key, value in data.items()})
    return _plain_value(data, kind, where)


def _plain_value(data: Any, kind: Any, where: str) -> Any:
    origin, choices = get_origin(kind), get_args(kind)
    if origin is tuple:
        if not isinstance(data, list):
            raise InputError(f"{where} must be a list, got {data!r}")
        return tuple(_from_plain(item, choices[0], where) for item in data)
    if origin is typing.Literal:
        if data not in choices:
            raise InputError(f"{where} must be one of {', '.join(map(str, choices))}, got {data!r}")
        return data
    if origin in (types.UnionType, typing.Union):
        if data is None and type(None) in choices:
            return None
        return _plain_value(data, choices[0], where)
    if kind is float and isinstance(data, int | str) and not isinstance(data, bool):
        with contextlib.suppress(ValueError, OverflowError):
            return float(data)  # YAML takes 1e-3, which has no dot, for a text
    if kind is Path and isinstance(data, str):
        return Path(data)
    if isinstance(data, kind) and not (kind is int and isinstance(data, bool)):
        return data
    raise InputError(f"{where} must be {_KINDS[kind]}, got {data!r}")
