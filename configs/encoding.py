"""What is done to coordinates first, as one word: `raw`, `raw:0..1`, `fourier:8`, `hashgrid:16,log2_size=19`; or a
function of one's own, `mine.py:waves`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, get_args

from .errors import InputError, did_you_mean
from .records import within
from .word import Interval, KeyedWord, parse_word, written

_FOLDS = "by more than half a cycle a pixel, so that on the pixels it is a slower wave or a constant"


LIMIT = 1_000_000
"""Of the ends of intervals and of scales; no picture has so many pixels along a side."""


class _Encoding(KeyedWord, ABC):
    """The facts of an encoding that others ask for, as they are where it does not say otherwise; `str` is its word."""

    @classmethod
    def of_word(cls, word: str) -> "Encoding":  # type: ignore[override]  # all encodings share their words
        return parse_encoding(word)

    @property
    @abstractmethod
    def highest_frequency(self) -> float:
        """Cycles per unit of image coordinates of the fastest feature; 0 where all features are affine.

        >>> Fourier(octaves=8).highest_frequency
        64.0
        """

    @property
    def is_affine(self) -> bool:
        """Whether all features are affine in the coordinates, so that creases are straight, and fields between them."""
        return self.highest_frequency == 0

    @property
    def grid_resolutions(self) -> tuple[int, ...]:
        """Squares along the unit interval of each of its own grids, along whose lines fields bend too."""
        return ()

    def aliasing_note(self, resolution: int) -> str | None:  # noqa: ARG002  most have nothing to say
        """One sentence when it has waves that `resolution` pixels along the unit interval cannot tell apart, else None.

        Where a wave turns by more than half a cycle a pixel, its values on the pixels are those of a slower wave, or
        all alike: the fit gains no finer detail, and the wave may do anything between the pixels.
        """
        return None


def _rises(interval: Interval) -> bool:
    low, high = interval
    return math.isfinite(low) and math.isfinite(high) and low < high


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise InputError(what)


@dataclass(frozen=True)
class Raw(_Encoding):
    """The coordinates themselves, scaled to an interval."""

    interval: Interval = field(default=(-1.0, 1.0), metadata=within(-LIMIT, LIMIT))
    """The range that the longer side of the picture spans."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _need(_rises(self.interval), f"the interval of raw must rise, got {written(self.interval)}; try raw:-1..1")

    @property
    def highest_frequency(self) -> float:
        return 0.0


@dataclass(frozen=True)
class Fourier(_Encoding):
    """sin(2^l pi x) and cos(2^l pi x) for octaves l = 0 .. L-1 on each axis (NeRF, Mildenhall et al. 2020)."""

    octaves: int = field(default=8, metadata=within(1, 24))
    """The number L of octaves."""
    include_input: bool = False
    """Whether the raw coordinates stand beside the sines."""
    interval: Interval = field(default=(0.0, 1.0), metadata=within(-LIMIT, LIMIT))
    """The range of x that the longer side of the picture spans."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _need(_rises(self.interval), f"the interval of fourier must rise, got {written(self.interval)}; try -1..1")

    @property
    def highest_frequency(self) -> float:
        low, high = self.interval
        return 2.0 ** (self.octaves - 2) * (high - low)

    def aliasing_note(self, resolution: int) -> str | None:
        low, high = self.interval
        most = max(1, math.floor(math.log2(resolution / (high - low))) + 1)  # octaves with 2^l half cycles at most
        if self.octaves <= most:
            return None
        return (
            f"{self} has more octaves than {resolution} pixels can tell apart: a wave beyond the first {most} turns "
            f"{_FOLDS}; {replace(self, octaves=most)} is the most that is useful here"
        )


@dataclass(frozen=True)
class Positional(_Encoding):
    """Log-spaced frequencies 2^t - 1, t from 0 to `max_octave`, along the axes (Tancik et al. 2020)."""

    max_octave: float = field(default=6.0, metadata=within(0, 24, above=True))
    """The base-2 logarithm of the highest frequency, in cycles per unit."""
    features: int = field(default=256, metadata=within(4, 65536))
    """The number of frequencies over all axes; each gives a sine and a cosine."""

    @property
    def highest_frequency(self) -> float:
        return 2.0**self.max_octave - 1

    def aliasing_note(self, resolution: int) -> str | None:
        if self.highest_frequency <= resolution / 2:
            return None
        return (
            f"{self} has waves of up to {self.highest_frequency:.0f} cycles over {resolution} pixels: "
            f"above {resolution / 2:g} cycles a wave turns {_FOLDS}"
        )


@dataclass(frozen=True)
class Basic(_Encoding):
    """sin(2 pi x) and cos(2 pi x) on each axis: one wave over the picture (Tancik et al. 2020)."""

    @property
    def highest_frequency(self) -> float:
        return 1.0


@dataclass(frozen=True)
class Gaussian(_Encoding):
    """sin(2 pi B x) and cos(2 pi B x) with the rows of B drawn from a normal distribution (Tancik et al. 2020)."""

    scale: float = field(default=10.0, metadata=within(0, LIMIT, above=True))
    """The standard deviation of the frequencies, in cycles per unit."""
    features: int = field(default=256, metadata=within(1, 65536))
    """The number of frequency vectors; each gives a sine and a cosine."""

    @property
    def highest_frequency(self) -> float:
        return 3 * self.scale  # three standard deviations


@dataclass(frozen=True)
class HashGrid(_Encoding):
    """Learnt features on grids from coarse to fine, interpolated bilinearly (Mueller et al. 2022)."""

    levels: int = field(default=16, metadata=within(1, 32))
    """The number of grids."""
    features: int = field(default=2, metadata=within(1, 16))
    """Learnt numbers at each point of each grid."""
    log2_size: int = field(default=15, metadata=within(4, 24))
    """The base-2 logarithm of the most entries a level may have; finer levels share entries by hashing."""
    base: int = field(default=16, metadata=within(1, 2**20))
    """Grid squares along the unit interval on the coarsest level."""
    finest: int = field(default=256, metadata=within(1, 2**20))
    """Grid squares along the unit interval on the finest level."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _need(self.finest >= self.base, f"hashgrid's finest ({self.finest}) must not be below its base ({self.base})")

    @property
    def highest_frequency(self) -> float:
        return self.finest / 2  # half the finest grid's lines: the wave of a hat function

    @property
    def grid_resolutions(self) -> tuple[int, ...]:
        growth = (self.finest / self.base) ** (1 / max(1, self.levels - 1))
        return tuple(math.floor(self.base * growth**level + 1e-6) for level in range(self.levels))


PYTHON = "python"
"""Stands for the file of a function that a program gave and no file has."""


@dataclass(frozen=True, eq=False)
class Code:
    """A function that a person named, and the text that says what it is."""

    function: Callable[[Any], Any]
    """Points (n, d) to features (n, k), in torch's operations."""
    source: bytes
    """The file that was run, or the text of the function alone."""


@dataclass(frozen=True)
class Own(_Encoding):
    """A function of one's own, by its file and its name there, such as `mine.py:waves`.

    A word alone runs nothing. `fields.own_encoding` runs the file where a person has named it in a command.
    """

    file: str
    """As it was named, ending in .py; `PYTHON` where there is none."""
    function: str
    code: Code | None = field(default=None, compare=False, repr=False)
    """What it computes; None of a word that was only read, such as that in a folder."""
    fastest: float = field(default=0.0, compare=False, repr=False)
    """Cycles per unit of coordinates of its fastest feature, once it was tried (`fields.features`)."""

    def __str__(self) -> str:
        return f"{self.file}:{self.function}"

    @property
    def highest_frequency(self) -> float:
        return self.fastest


WithName: TypeAlias = Raw | Fourier | Positional | Basic | Gaussian | HashGrid
Encoding: TypeAlias = WithName | Own

ENCODINGS: dict[str, type[WithName]] = {cls.__name__.lower(): cls for cls in get_args(WithName)}


def require_named(encoding: Encoding) -> None:
    """See that a function of one's own is not only known by its word.

    Raises:
        InputError: where it is, with what to type.
    """
    if isinstance(encoding, Own) and encoding.code is None:
        how = f"by --encoding {encoding} (of a comparison, by --encodings with all words as they were)"
        if encoding.file == PYTHON:
            how = f"from Python, by encoding={encoding.function}"
        raise InputError(
            f"{encoding} is an encoding of somebody's own, and what a folder holds is never run: name the function "
            f"yourself, {how}"
        )


_ELSEWHERE = {
    "nerf": "fourier",
    "pe": "fourier",
    "rff": "gaussian",
    "ngp": "hashgrid",
    "none": "raw",
    "identity": "raw",
}
"""What encodings are called in other programs and in the literature."""


def parse_encoding(word: str) -> Encoding:
    """The encoding a word names.

    >>> parse_encoding("fourier:4,include_input=true")
    Fourier(octaves=4, include_input=True, interval=(0.0, 1.0))
    >>> str(parse_encoding("raw:-1..1"))
    'raw'
    >>> parse_encoding("mine.py:waves")
    Own(file='mine.py', function='waves')

    Raises:
        InputError: for an unknown name or key, or a value that does not fit, with the nearest right one.
    """
    file, colon, function = word.strip().rpartition(":")
    if colon and (file.endswith(".py") or file == PYTHON):
        _need(function.isidentifier(), f"{function!r} is no name of a function in {word!r}; write it as mine.py:waves")
        return Own(file, function)
    if word.strip().endswith(".py"):
        raise InputError(f"{word!r} is a file: name the function in it as well, as in {word.strip()}:waves")
    return parse_word(word, ENCODINGS, "encoding", "--encodings raw fourier:8", _unknown)


def _unknown(name: str) -> str:
    """What to say of a name that is no encoding's."""
    if name.lower() in ("siren", "sine", "sin"):
        return (
            f"{name!r} is no encoding but an activation: with raw coordinates it is --network.activation sine, "
            "and in a comparison --networks 4x128,sine"
        )
    near = _ELSEWHERE.get(name.lower())
    return f"unknown encoding {name!r}{f'; did you mean {near!r}?' if near else did_you_mean(name, ENCODINGS)}"
