"""The search for rates before a sweep: a small grid for each method, by fits with a seed that is not reported.

All methods have the same number of fits of each scene. The rates are half decades around the default, nearest first; a
gaussian encoding has its scale searched in the same fits, by octaves. Muon has two rates, which are moved together.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from fieldlens.configs.encoding import Gaussian
from fieldlens.configs.errors import InputError
from fieldlens.configs.optimizer import Muon
from fieldlens.configs.run import FitConfig
from fieldlens.fitting import plan_of
from fieldlens.scenes.scene import Scene

from .plan import Method

OWN_SEED = 2**32
"""What is added to a sweep's seed for the search: far from all that are reported, so that more of these can follow."""

REACH = 12
"""Steps of the grid to either side: with rates alone there are 25 tries, the most that `--tune` takes."""


@dataclass(frozen=True)
class Factors:
    """What is tried: multiples of the defaults."""

    rate: float
    """Of all learning rates."""
    scale: float
    """Of a gaussian encoding's scale; 1 of others."""


@dataclass(frozen=True)
class Trial:
    """One try of a method."""

    factors: Factors
    score_db: float | None
    """The mean over scenes of the PSNR at the end, of held-out pixels where there are any; None where one diverged."""


@dataclass(frozen=True)
class Found:
    """What the search found for a method."""

    method: str
    factors: Factors
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Tuned:
    """What the search found: tuned.json."""

    seed: int
    fits_of_each: int
    """Fits of each method on each scene."""
    found: tuple[Found, ...]

    def of(self, method: str) -> Factors:
        """The factors of a method, by its name."""
        return next(one.factors for one in self.found if one.method == method)


def tried(gaussian: bool, count: int) -> list[Factors]:
    """The first so many tries, nearest to the default first, slower before faster.

    >>> [one.rate for one in tried(gaussian=False, count=4)]
    [1.0, 0.316, 3.16, 0.1]
    """
    steps = range(-REACH, REACH + 1)
    grid = product(steps, steps if gaussian else (0,))
    nearest = sorted(grid, key=lambda at: (abs(at[0]) + abs(at[1]), abs(at[1]), at))[:count]
    return [Factors(_rounded(10 ** (rate / 2)), 2.0**scale) for rate, scale in nearest]


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def tuned_fit(config: FitConfig, scene: Scene, factors: Factors) -> FitConfig:
    """A fit with its rates, and its scale, multiplied; one whose factors are 1 has the defaults written out."""
    plan = plan_of(config, scene)
    optimizer, encoding = plan.optimizer, config.encoding
    if isinstance(optimizer, Muon):
        assert optimizer.rate is not None  # a plan leaves nothing open
        optimizer = replace(optimizer, rate=_rounded(optimizer.rate * factors.rate))
    if isinstance(encoding, Gaussian):
        encoding = replace(encoding, scale=_rounded(encoding.scale * factors.scale))
    rate = _rounded(plan.learning_rate * factors.rate)
    training = replace(config.training, optimizer=optimizer, learning_rate=rate)
    return replace(config, training=training, encoding=encoding)


def trial_of(config: FitConfig) -> FitConfig:
    """A fit of the search: of what is drawn it has only what cannot be left out."""
    assert config.training.steps is not None  # fits of a comparison take equal steps
    output = replace(config.output, frames=f"every:{config.training.steps}", checkpoints="newest", quick=True)
    return replace(config, output=replace(output, turntable=False))


def best_of(
    methods: Sequence[Method], tries: Callable[[Method], Sequence[Factors]], score: Callable[[Method, Factors], float]
) -> tuple[Found, ...]:
    """The best try of each method; of equals the one that is nearest to the default.

    Args:
        score: in dB, the more the better; NaN for one that has diverged.

    Raises:
        InputError: when all tries of a method have diverged.
    """
    found = []
    for method in methods:
        trials = [Trial(one, _finite(score(method, one))) for one in tries(method)]
        scored = [(trial.score_db, trial) for trial in trials if trial.score_db is not None]
        if not scored:
            raise InputError(f"{method.name} diverged at every rate that was tried; leave it out, or tune by more fits")
        best = max(scored, key=lambda pair: pair[0])[1]
        found.append(Found(method.name, best.factors, tuple(trials)))
    return tuple(found)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
