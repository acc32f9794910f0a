"""Optimizer and learning rate by encoding: the best of a small search, so that no encoding stands as a straw man.

`python -m benchmarks.learning_rates` makes the search again and writes its table to docs/learning_rates.md.
"""

from .encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Positional, Raw
from .network import Network
from .optimizer import Adam, Optimizer
from .run import FitConfig

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


def optimizer_of(config: FitConfig) -> Optimizer:
    """The optimizer that a person named, or the encoding's own."""
    return config.training.optimizer or Adam()
