"""Keyword arguments as choices: each goes to the group that has a field of its name, and is checked there."""

import dataclasses
import inspect
import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fieldlens.configs.encoding import PYTHON, Code, Own
from fieldlens.configs.errors import InputError, did_you_mean
from fieldlens.configs.records import Choices, Word, taken
from fieldlens.configs.run import CompareConfig, FitConfig

from ..verbs.executor import ExecutorOptions
from ..verbs.options import Beginning
from ..verbs.refusals import name_here
from .keywords import CompareKeywords, FitKeywords
from .mistakes import with_keywords

Config = TypeVar("Config", FitConfig, CompareConfig)
Record = TypeVar("Record")

_KEYWORDS = {"fit": FitKeywords, "compare": CompareKeywords}
"""What may be named, by verb: all choices but the scene, which is given without a name."""

_BEGINNING: Mapping[str, Callable[[Any], Any]] = {
    "resume": os.fspath,
    "config": Path,
    "preset": str,
    "output_dir": Path,
}
"""The fields of `Beginning`, and how each is made of what is given."""


def beginning_of(settings: dict[str, Any]) -> Beginning:
    """Where a fit or comparison begins. The settings that say so are taken out, but for the folder of outputs, which is
    a choice as well."""
    named = {name: settings[name] for name in _BEGINNING if settings.get(name) is not None}
    for name in _BEGINNING:
        if name != "output_dir":
            settings.pop(name, None)
    return Beginning(**{name: _BEGINNING[name](value) for name, value in named.items()})


def making_of(settings: dict[str, Any]) -> ExecutorOptions:
    """Who makes the fits of a comparison. The settings that say so are taken out.

    Raises:
        InputError: where one does not take the value, or both are given.
    """
    named = {key.name: settings.pop(key.name) for key in dataclasses.fields(ExecutorOptions) if key.name in settings}
    return ExecutorOptions(**taken(ExecutorOptions, named))


def with_settings(config: Config, settings: Mapping[str, Any], verb: str) -> Config:
    """A configuration with other settings, which are named by themselves, out of their groups.

    >>> with_settings(FitConfig(), {"encoding": "raw", "steps": 8}, "fit").training.steps
    8

    A function is an encoding of one's own.

    Raises:
        InputError: where there is no such setting, or it does not take the value.
    """
    settings = {name: _as_choice(value) for name, value in settings.items()}
    groups = {name: value for name, value in _parts(config).items() if _is_group(value)}
    known = {name: group for group, value in groups.items() for name in _parts(value)}
    alone = set(_parts(config)) - set(groups)
    for name in settings:
        if name not in known and name not in alone:
            hint = did_you_mean(name, _KEYWORDS[verb].__optional_keys__)
            ours = name_here(name, verb)
            told = f"; here it is {ours}" if ours else hint
            join = "" if told.endswith("?") else ";"
            raise InputError(
                with_keywords(f"there is no keyword {name!r}{told}{join} help(fieldlens.{verb}) lists them")
            )
    changed: dict[str, Any] = {name: value for name, value in settings.items() if name in alone}
    for group, value in groups.items():
        of_group = {name: setting for name, setting in settings.items() if known.get(name) == group}
        if of_group:
            changed[group] = dataclasses.replace(value, **taken(type(value), of_group))
    return dataclasses.replace(config, **taken(type(config), changed))


def own_encoding(function: Callable[[Any], Any]) -> Own:
    """A function of a program as an encoding of one's own: by the file that has it where there is one.

    A folder keeps the file's text, or that of the function alone where it was typed into a notebook or a console.
    """
    name = getattr(function, "__name__", type(function).__name__)
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    file = Path(getattr(module, "__file__", None) or "")
    if vars(module or object).get(name) is function and file.suffix == ".py" and file.is_file():
        here = Path(os.path.relpath(file))
        shown = file if ".." in here.parts else here
        return Own(str(shown), name, Code(function, file.read_bytes()))
    try:
        source = textwrap.dedent(inspect.getsource(function))  # type: ignore[arg-type]  # it refuses what has none
    except (OSError, TypeError):
        source = f"# Python has no text of {name}\n"
    return Own(PYTHON, name if name.isidentifier() else "function", Code(function, source.encode()))


def _as_choice(value: Any) -> Any:
    """A function as an encoding, also within a list; anything else as it is."""
    if isinstance(value, list | tuple):
        return [_as_choice(item) for item in value]
    return own_encoding(value) if callable(value) else value


def _parts(record: Any) -> dict[str, Any]:
    return {key.name: getattr(record, key.name) for key in dataclasses.fields(record)}


def _is_group(value: Any) -> bool:
    return isinstance(value, Choices) and not isinstance(value, Word)


def defaults_of(config: Config) -> dict[str, Any]:
    """All settings by their own names, out of their groups, as words where they have one."""
    parts = _parts(config)
    inside = [_parts(value) for value in parts.values() if _is_group(value)]
    alone = {name: value for name, value in parts.items() if not _is_group(value)}
    plain = {name: value for group in (alone, *inside) for name, value in group.items()}
    return {name: str(value) if isinstance(value, Word) else value for name, value in plain.items()}
