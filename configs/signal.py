"""A signal to fit, as one word: `signal:5,10,20,40`, its frequencies, and `,samples=2048` where it has other than 1024.

The word is written like an encoding's, but its main value is a list: what follows the commas belongs to it up to the
first key.
"""

import itertools
from dataclasses import dataclass, field

from .errors import InputError, did_you_mean, shown
from .records import Choices, within

NAME = "signal"
SAMPLES = 1024
MOST_SAMPLES = 2**20


@dataclass(frozen=True)
class Sines(Choices):
    """A sum of sines of equal amplitude on [0, 1], as Rahaman et al. (2019) fit; `str` gives the word."""

    frequencies: tuple[int, ...] = (5, 10, 20, 40)
    """Whole cycles over the unit interval, rising."""
    samples: int = field(default=SAMPLES, metadata=within(8, MOST_SAMPLES))
    """How many samples the signal has; they are at (i + 0.5) / samples."""

    CALLED = "signal's {name}"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.frequencies)) < len(self.frequencies):
            raise InputError(f"signal takes each frequency once, got {shown(list(self.frequencies))}")
        if not all(0 < k < self.samples / 2 for k in self.frequencies):
            raise InputError(
                f"{self.samples} samples hold whole frequencies from 1 to {(self.samples - 1) // 2} cycles, got "
                f"{shown(list(self.frequencies))}; take others, or more with samples=N"
            )
        object.__setattr__(self, "frequencies", tuple(sorted(self.frequencies)))

    def __str__(self) -> str:
        samples = "" if self.samples == SAMPLES else f",samples={self.samples}"
        return f"{NAME}:{_listed(self.frequencies)}{samples}"


def is_signal(word: str) -> bool:
    """Whether a word names a signal, rightly written or not."""
    return word.strip().partition(":")[0].partition(",")[0] == NAME


def parse_signal(word: str) -> Sines:
    """The signal that a word names.

    >>> parse_signal("signal:5,10,samples=200")
    Sines(frequencies=(5, 10), samples=200)
    >>> str(parse_signal("signal"))
    'signal:5,10,20,40'

    Raises:
        InputError: for an unknown key or a value that does not fit.
    """
    head, *parts = word.strip().split(",")
    _, colon, first = head.partition(":")
    parts = [first, *parts] if colon else parts
    listed = list(itertools.takewhile(lambda part: "=" not in part, parts))
    values = {}
    if colon:
        values["frequencies"] = tuple(_whole(part, "signal's frequencies") for part in listed)
    elif listed:
        raise InputError(f"write the frequencies of a signal after a colon, as in {Sines()}, got {word!r}")
    for pair in parts[len(listed) :]:
        key, equals, value = pair.partition("=")
        if key != "samples" or not equals:
            raise InputError(f"{key!r} is no key of {NAME}{did_you_mean(key, ['samples'])}")
        values["samples"] = _whole(value, "signal's samples")
    return Sines(**values)


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{what} must be whole numbers, as in {Sines()}, got {shown(text)}") from None


def _listed(frequencies: tuple[int, ...]) -> str:
    return ",".join(map(str, frequencies))
