"""What moves the weights, as one word: `adam`, `muon`, `muon:0.02,momentum=0.95`; and which, and how fast, by default.

Both are the best of a search, so that no encoding stands as a straw man: `python -m benchmarks.optimizers` makes it
again and writes its tables to docs/learning_rates.md.
"""

from dataclasses import dataclass, field, replace
from typing import TypeAlias, get_args

from .encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Own, Positional, Raw
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

    rate: float | None = field(default=None, metadata=within(0, 1e30, above=True))
    """Muon's own learning rate, that of the first step; by default the best of the search."""
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


@dataclass(frozen=True)
class Searched:
    """What the search found for an encoding."""

    adam: float
    """The learning rate under Adam."""
    muon: float
    """Muon's own rate."""
    rest: float
    """The learning rate of what Muon leaves to Adam."""


SEARCHED: dict[type[Encoding], Searched] = {
    Raw: Searched(3e-3, 0.05, 1e-2),
    Basic: Searched(3e-3, 0.05, 3e-3),
    Fourier: Searched(3e-3, 0.02, 3e-3),
    Positional: Searched(3e-3, 0.01, 3e-3),
    Gaussian: Searched(3e-3, 0.01, 1e-3),
    HashGrid: Searched(3e-3, 0.01, 1e-3),
    Own: Searched(3e-3, 0.02, 3e-3),  # not searched, as nobody knows what it is: those of fourier
}

SEARCHED_OF_SINES = Searched(3e-4, 0.0015, 3e-4)
"""Of networks of sines, whatever their encoding."""


def default_optimizer(encoding: Encoding, network: Network) -> Optimizer:
    """What moves the weights when the person names nothing.

    By the search Muon is ahead under every encoding after equal seconds; one hidden layer has no matrix for it.
    """
    return with_rate(Muon(), encoding, network) if network.depth > 1 else Adam()


def with_rate(optimizer: Optimizer, encoding: Encoding, network: Network) -> Optimizer:
    """An optimizer whose own rate is not left open.

    >>> with_rate(Muon(momentum=0.9), Fourier(), Network())
    Muon(rate=0.02, momentum=0.9)
    """
    if isinstance(optimizer, Muon) and optimizer.rate is None:
        return replace(optimizer, rate=_searched(encoding, network).muon)
    return optimizer


def default_learning_rate(encoding: Encoding, network: Network, optimizer: Optimizer) -> float:
    """The rate to train at when the person names none: that of Adam, or of what another optimizer leaves to Adam."""
    found = _searched(encoding, network)
    return found.adam if isinstance(optimizer, Adam) else found.rest


def _searched(encoding: Encoding, network: Network) -> Searched:
    return SEARCHED_OF_SINES if network.activation == "sine" else SEARCHED[type(encoding)]
