"""Whatever can be chosen can be chosen from the command line: by an option, or by a key of a one-word form."""

import dataclasses
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from fieldlens.cli import main
from fieldlens.configs.encoding import ENCODINGS, parse_encoding
from fieldlens.configs.run import CompareConfig, FitConfig


def leaves(kind: type) -> Iterator[str]:
    """The names of a configuration's values; those of the dataclasses inside it in place of the dataclasses."""
    types = typing.get_type_hints(kind)
    for key in dataclasses.fields(kind):
        inner = types[key.name]
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            yield from leaves(inner)
        else:
            yield key.name


@pytest.mark.parametrize(("verb", "kind"), [("fit", FitConfig), ("compare", CompareConfig)])
def test_every_field_of_a_configuration_has_an_option(
    verb: str, kind: type, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    options = re.findall(r"--(?:[a-z]+\.)*([a-z-]+)", capsys.readouterr().out)
    missing = set(leaves(kind)) - {option.replace("-", "_") for option in options}
    assert missing <= {"scene", "more_scenes"}, "scenes are what a verb is given without an option's name"


def another(value: Any) -> Any:
    """A value of the same type that no encoding has as its default."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 3
        case (low, high):
            return (low - 1.5, high + 1)
    raise AssertionError(f"a new type of key: {value!r}")


@pytest.mark.parametrize(
    ("name", "key"), [(name, key.name) for name, cls in ENCODINGS.items() for key in dataclasses.fields(cls)]
)
def test_every_field_of_an_encoding_is_a_key_of_its_word(name: str, key: str) -> None:
    changed = dataclasses.replace(ENCODINGS[name](), **{key: another(getattr(ENCODINGS[name](), key))})
    assert parse_encoding(str(changed)) == changed
    assert f"{key}=" in str(changed) or str(changed).startswith(f"{name}:")
