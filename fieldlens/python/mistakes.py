"""Mistakes in a Python session: the command line's sentences, with keywords in the place of options."""

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from fieldlens.configs.errors import InputError

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

_AS_IT_IS = re.compile(r"(`[^`]*`|(?<!\w)'[^']*'(?!\w))")
"""Commands of a terminal, and what was given: both stay."""
_NETWORK = re.compile(r"--network\.[a-z-]+(?: and --network\.[a-z-]+)?(?: (?:sine|relu|leaky_relu)\b)?")
_VALUE = r" (?:\d[\w.]*|[\w./-]+:\w+|(?:cuda|cpu|cosine|radiance)\b)"
_OPTION = re.compile(rf"(?<![\w-])--([a-z][a-z-]*)((?:{_VALUE})*)")
_NUMBER = re.compile(r"\d[\d.]*")


def with_keywords(sentence: str) -> str:
    """A sentence of the command line as Python has it.

    >>> with_keywords("--revive-at 9 never comes: --steps 3 is the end of 'a --steps', see `fieldlens fit --help`")
    "revive_at=9 never comes: steps=3 is the end of 'a --steps', see `fieldlens fit --help`"
    >>> with_keywords("there is no keyword 'width'; here it is --network.width")
    'there is no keyword \\'width\\'; here it is network="4x128"'
    >>> with_keywords("as in --networks 4x64 2x128")
    'as in networks=["4x64", "2x128"]'
    """
    between = iter(_AS_IT_IS.split(sentence))
    return "".join(_anew(part) + next(between, "") for part in between)


def in_keywords(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The function, whose mistakes are told with keywords."""

    @wraps(function)
    def told(*given: Given.args, **named: Given.kwargs) -> Answer:
        try:
            return function(*given, **named)
        except InputError as error:
            raise InputError(with_keywords(str(error))) from None

    return told


def _anew(text: str) -> str:
    text = _NETWORK.sub(lambda found: 'network="4x128,sine"' if " sine" in found[0] else 'network="4x128"', text)
    return _OPTION.sub(_keyword, text)


def _keyword(option: re.Match[str]) -> str:
    name = option[1].replace("-", "_")
    values = [value if _NUMBER.fullmatch(value) else f'"{value}"' for value in option[2].split()]
    if len(values) > 1:
        return f"{name}=[{', '.join(values)}]"
    return "=".join((name, *values))
