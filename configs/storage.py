"""Configurations as plain YAML with a schema version, read by a safe loader and checked against the dataclasses."""

from pathlib import Path
from typing import TypeVar

import yaml

from .errors import InputError
from .files import read_bytes
from .records import from_hand, to_json
from .run import CompareConfig, FitConfig
from .study import Study

SCHEMA = 2

Config = TypeVar("Config", FitConfig, CompareConfig, Study)


class _Dumper(yaml.SafeDumper):
    """Escapes what cannot be seen: left to itself the library writes U+0085 and U+2028 as they are, and then reads them
    as line breaks, which fold to a space."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_str)


def to_yaml(config: FitConfig | CompareConfig | Study) -> str:
    """The configuration as YAML; `from_yaml` is its inverse."""
    data = {"schema": SCHEMA, **to_json(config)}
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
    schema = data.pop("schema", None)
    if schema != SCHEMA:
        of = "names no schema" if schema is None else f"is of another schema, {schema!r:.20}"
        raise InputError(f"{origin} {of}, and this version reads schema {SCHEMA}; make it anew with this version")
    try:
        return from_hand(kind, data)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    return str(error).partition("\n")[0]
