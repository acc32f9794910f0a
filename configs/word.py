"""A choice as one word: `name[:main][,key=value...]`.

Each kind of choice is a frozen dataclass whose first field is the word's main value. `str` gives the word and
`parse_word` reads it; the two are inverse. Keys are written only where they differ from their default, but a main value
that is a number always is: `raw`, `raw:0..1`, `fourier:8`, `hashgrid:16,log2_size=19`, `muon:0.02`; of `muon` it may be
left open.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from .errors import InputError, did_you_mean
from .records import Word

Interval: TypeAlias = tuple[float, float]


class KeyedWord(Word):
    """Choices that are written as a name, a main value and other keys."""

    def __init_subclass__(cls) -> None:
        cls.CALLED = f"{cls.__name__.lower()}'s {{name}}"

    def __str__(self) -> str:
        cls = type(self)
        keys = dataclasses.fields(self)  # type: ignore[arg-type]  # every subclass is a dataclass
        changed = [key.name for key in keys if getattr(self, key.name) != key.default]
        others = [f"{key.name}={written(getattr(self, key.name))}" for key in keys[1:] if key.name in changed]
        # nobody types the interval of plain `raw`, but how many octaves `fourier` has is what people compare; and what
        # is left open has no number
        has_main = bool(keys) and (keys[0].type not in (Interval, float | None) or keys[0].name in changed)
        main = f":{written(getattr(self, keys[0].name))}" if has_main else ""
        return ",".join([cls.__name__.lower() + main, *others])


KeyedWordT = TypeVar("KeyedWordT", bound=KeyedWord)


def parse_word(
    word: str,
    kinds: Mapping[str, type[KeyedWordT]],
    noun: str,
    several: str,
    unknown: Callable[[str], str] | None = None,
) -> KeyedWordT:
    """The choice that a word names.

    Args:
        kinds: by the names that words begin with.
        noun: what is chosen, such as "encoding", for messages.
        several: how more than one is written.
        unknown: what to say of a name that is none of the kinds; by default the nearest of them.

    Raises:
        InputError: for an unknown name or key, or a value that does not fit, with the nearest right one.
    """
    head, *pairs = word.strip().split(",")
    name, colon, main = head.partition(":")
    if name not in kinds:
        if near := _with_colon(head, kinds):
            raise InputError(f"unknown {noun} {head!r}; did you mean {near!r}?")
        raise InputError(unknown(name) if unknown else f"unknown {noun} {name!r}{did_you_mean(name, kinds)}")
    cls = kinds[name]
    keys = {key.name: key for key in dataclasses.fields(cls)}  # type: ignore[arg-type]  # as in `__str__`
    values: dict[str, Any] = {}
    if colon:
        if not keys:
            raise InputError(f"{name} takes no value, got {head!r}")
        first = next(iter(keys))
        values[first] = _read(main, keys[first].type, f"{name}'s {first}")
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if pair.partition(":")[0].strip() in kinds:
            raise InputError(
                f"{word!r} names more than one {noun}: fit takes one, and compare several, separated by spaces, as in "
                f"{several}"
            )
        if key not in keys:
            end = did_you_mean(key, keys) if keys else ", which takes none"
            raise InputError(f"{key!r} is no key of the {noun} {name}{end}")
        if not equals:
            raise InputError(f"write {key}=VALUE in the {noun} {word!r}")
        if key in values:
            raise InputError(f"{key} is given more than once in the {noun} {word!r}")
        values[key] = _read(value, keys[key].type, f"{name}'s {key}")
    return cls(**values)


def _with_colon(head: str, kinds: Iterable[str]) -> str | None:
    """A word whose value follows its name at once, as it is written here.

    >>> _with_colon("fourier8", ["raw", "fourier"]), _with_colon("forier8", ["raw", "fourier"])
    ('fourier:8', None)
    """
    parts = re.fullmatch(r"([a-z]+)[-_= ]?(\d.*)", head.lower())
    return f"{parts[1]}:{parts[2]}" if parts and parts[1] in kinds else None


def written(value: object) -> str:
    """A value as a word has it."""
    match value:
        case bool():
            return str(value).lower()
        case float():
            return repr(value).removesuffix(".0")
        case (low, high):
            return f"{written(low)}..{written(high)}"
        case _:
            return str(value)


def _read_interval(text: str) -> Interval:
    low, dots, high = text.partition("..")
    if not dots:
        raise ValueError(text)
    return _read_float(low), _read_float(high)


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_READERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    bool: ({"true": True, "false": False}.__getitem__, "true or false"),
    int: (int, "a whole number"),
    float: (_read_float, "a number"),
    float | None: (_read_float, "a number"),
    Interval: (_read_interval, "an interval such as -1..1"),
}


def _read(text: str, kind: Any, what: str) -> Any:
    read, wanted = _READERS[kind]
    try:
        return read(text)
    except (ValueError, KeyError):
        raise InputError(f"{what} must be {wanted}, got {text!r}") from None
