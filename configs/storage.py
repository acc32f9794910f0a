"""Configurations as plain YAML with a schema version, read by a safe loader and checked against the dataclasses."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml

from .errors import InputError, shown
from .files import read_bytes
from .records import from_hand, to_json
from .run import CompareConfig, FitConfig
from .study import Contest, Study

SCHEMA = 3
BEFORE = {"optimizer": "adam", "average": 0}
"""Of training, what a configuration of schema 2 means where it names nothing else: there was no choice then."""

MOST_BYTES = 256 * 1024
"""Of a configuration, which has a few kilobytes."""
MOST_DEPTH = 16
"""Groups and lists within each other; ours are three deep."""
MOST_VALUES = 20_000
"""With aliases written out."""

Config = TypeVar("Config", FitConfig, CompareConfig, Study, Contest)


class _Dumper(yaml.SafeDumper):
    """Escapes what cannot be seen: left to itself the library writes U+0085 and U+2028 as they are, and then reads them
    as line breaks, which fold to a space."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if data.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_str)


def to_yaml(config: FitConfig | CompareConfig | Study | Contest) -> str:
    """The configuration as YAML; `from_yaml` is its inverse."""
    data = {"schema": SCHEMA, **to_json(config)}
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read_config(path: Path, kind: type[Config]) -> Config:
    """The configuration in a YAML file.

    Raises:
        InputError: when it cannot be read, or as `from_yaml` does.
    """
    return from_yaml(read_bytes(path, MOST_BYTES), kind, str(path))


def from_yaml(text: str | bytes, kind: type[Config], origin: str) -> Config:
    """The configuration that a YAML text holds; bytes are UTF-8.

    Args:
        origin: where the text comes from, for messages.

    Raises:
        InputError: when it is no YAML, of another schema, or has keys or values that do not fit.
    """
    try:
        _check_size(text, origin)
        data = yaml.safe_load(text)
    except InputError:
        raise
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2026-02-30
        raise InputError(f"{origin} is not YAML: {_problem(error)}") from None
    if not isinstance(data, dict):
        raise InputError(f"{origin} holds no configuration")
    schema = data.pop("schema", None)
    if schema == 2:
        _take_as_before(data)
    elif schema != SCHEMA:
        of = "names no schema" if schema is None else f"is of another schema, {shown(schema)}"
        raise InputError(
            f"{origin} {of}, and this version reads schemas 2 and {SCHEMA}; make it anew with this version"
        )
    try:
        return from_hand(kind, data)
    except InputError as error:
        raise InputError(f"{origin}: {error}") from None


def _take_as_before(data: dict[Any, Any]) -> None:
    """Write into a configuration of schema 2 the optimizer and the weights shown that it stood for.

    A learning rate that it left open is that of today's table.
    """
    training = data.setdefault("training", {})
    if isinstance(training, dict):  # what is not is refused with all else that does not fit
        several = data.get("optimizers")
        taken = {name: value for name, value in BEFORE.items() if training.get(name) is None}
        training |= {name: value for name, value in taken.items() if not (several and name == "optimizer")}


def _check_size(text: str | bytes, origin: str) -> None:
    """See how large a YAML text is when its aliases are written out, without doing so; nothing is built of it yet.

    Raises:
        InputError: where it is too long, too deep or too large, repeats itself without end, or names a setting twice.
        yaml.YAMLError: where it is no YAML.
    """
    if len(text) > MOST_BYTES:
        raise InputError(f"{origin} has {len(text):,} characters, and a configuration at most {MOST_BYTES:,}")
    open_groups, sizes = [_Group(None, keeps_keys=False)], dict[str, int]()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = f"{origin}, line {event.start_mark.line + 1}"
        if isinstance(event, yaml.CollectionStartEvent):
            open_groups.append(_Group(event.anchor, isinstance(event, yaml.MappingStartEvent)))
            if len(open_groups) > MOST_DEPTH:
                raise InputError(f"{line}: a configuration is at most {MOST_DEPTH - 1} groups and lists deep")
            continue
        if isinstance(event, yaml.AliasEvent):
            if any(group.anchor == event.anchor for group in open_groups):
                raise InputError(f"{line}: *{event.anchor} stands within itself")
            size, anchor, key = sizes.get(event.anchor, 1), None, None
        elif isinstance(event, yaml.ScalarEvent):
            size, anchor, key = 1, event.anchor, event.value
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = open_groups.pop()
            size, anchor, key = closed.size, closed.anchor, None
        else:
            continue
        if anchor:
            sizes[anchor] = size
        if not open_groups[-1].takes(size, key):
            raise InputError(f"{line}: {shown(key)} stands twice in one group")
        if open_groups[-1].size > MOST_VALUES:
            raise InputError(
                f"{line}: with what it repeats written out it holds more than {MOST_VALUES:,} values, more than any "
                "configuration"
            )


@dataclass
class _Group:
    """A group or list that is being read."""

    anchor: str | None
    keeps_keys: bool
    size: int = 1
    parts: int = 0
    keys: set[str] = field(default_factory=set)

    def takes(self, size: int, key: str | None) -> bool:
        """Add a part; every other one of a group is a key, and not taken when it is there already."""
        name = key if self.keeps_keys and self.parts % 2 == 0 else None
        is_new = name is None or name not in self.keys
        if name is not None:
            self.keys.add(name)
        self.size, self.parts = self.size + size, self.parts + 1
        return is_new


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    if not isinstance(error, yaml.YAMLError) and "digits" in str(error):
        return "a number has more digits than can be read"  # Python's own advice is about its settings
    return str(error).partition("\n")[0]
