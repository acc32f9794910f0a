"""What moves the weights, as one word: `adam`, `muon`, `muon:0.02,momentum=0.95`; and how fast by default.

The default rates are the best of a small search, so that no encoding stands as a straw man:
`python -m benchmarks.learning_rates` makes it again and writes its table to docs/learning_rates.md.
"""

from dataclasses import dataclass, field
from typing import TypeAlias, get_args

from .encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Positional, Raw
from .errors import InputError
from .network import Network
from .records import within
from .word import KeyedWord, parse_word


class _Optimizer(KeyedWord):
    """`str` is its word."""

    @classmethod
    def of_word(cls, word: str) -> "Optimizer":  # type: ignore[override]  # all optimizers share their words
        return parse_optimizer(word)


@dataclass(frozen=True)
class Adam(_Optimizer):
    """Adam (Kingma & Ba 2015), by the fit's learning rate."""


@dataclass(frozen=True)
class Muon(_Optimizer):
    """Muon (Jordan et al. 2024) for the matrices between hidden layers, Adam by the fit's learning rate for the rest.

    Muon gives all directions of a matrix's momentum the same length before it takes a step along them.
    """

    rate: float = field(default=0.02, metadata=within(0, 1e30, above=True))
    """Muon's own learning rate, that of the first step."""
    momentum: float = field(default=0.95, metadata=within(0, 1))
    """The share of the momentum that stays from one step to the next."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum == 1:
            raise InputError("muon's momentum must be below 1, for with 1 no gradient ever counts")


Optimizer: TypeAlias = Adam | Muon

OPTIMIZERS: dict[str, type[Optimizer]] = {cls.__name__.lower(): cls for cls in get_args(Optimizer)}


def parse_optimizer(word: str) -> Optimizer:
    """The optimizer that a word names.

    >>> parse_optimizer("muon:0.01")
    Muon(rate=0.01, momentum=0.95)

    Raises:
        InputError: for an unknown name or key, or a value that does not fit, with the nearest right one.
    """
    return parse_word(word, OPTIMIZERS, "optimizer", "--optimizers adam muon")


LEARNING_RATES: dict[type[Encoding], float] = {
    Raw: 3e-3,
    Basic: 3e-3,
    Fourier: 3e-3,
    Positional: 3e-3,
    Gaussian: 1e-3,
    HashGrid: 1e-3,
}

SIREN_RATE = 3e-4
"""Adam's learning rate for networks of sines, whatever their encoding."""


def default_learning_rate(encoding: Encoding, network: Network) -> float:
    """The rate to train at when the person names none."""
    return SIREN_RATE if network.activation == "sine" else LEARNING_RATES[type(encoding)]
