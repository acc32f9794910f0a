"""Which quantity explains most of the error, beyond what the target's own detail explains?

Log residual energy of windows is regressed on log target energy, without and with the log of each quantity. What a
quantity explains is its gain in R^2 on parts of the picture that the regression was not fitted to: each block of
windows is predicted from all others. Sums of squared errors per block are then resampled to say how sure gains, and
differences between gains, are.

A quantity that is nearly the reconstruction itself, such as its slope, would explain the error by the error: where a
reconstruction lacks detail it is flat. Such a quantity is a tautology, shown beside the others and never named.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from fieldlens.configs.errors import InputError

from .statistics import LEVEL, MIN_BLOCKS, RESAMPLES, Interval, block_draws, interval_of

LEAST_SHARE = 0.04
"""Least share of what target energy leaves unexplained that is called an explanation: a partial correlation of 0.2."""

DETERMINED = 1e-12
"""Where a smaller share of variance is left, there is only rounding to explain."""

_ZERO = 1e-12
"""Energies below this share of their mean count as that, whatever the floor."""

_FLOOR_SHARE = 1e-3
"""Logarithms are of at least this share of a quantity's mean: without creases there is no log density."""


@dataclass(frozen=True)
class Gain:
    """What one quantity adds to the regression."""

    quantity: str
    gain: float
    """What it adds to cross-validated R^2; below 0 where it predicts unseen blocks worse than target energy alone."""
    share: float
    """The gain over all that target energy leaves, 1 - R^2: a partial R^2."""
    interval: Interval | None
    """Interval of the share; None with fewer than `MIN_BLOCKS` blocks."""
    exponent: float
    """Residual energy goes with this power of the quantity, where the target's energy is the same."""
    tautology: bool
    """Nearly the reconstruction itself: never named as what explains most."""


@dataclass(frozen=True)
class Attribution:
    """Gains of all quantities, and the one that explains most if there surely is one."""

    r_squared: float
    """Cross-validated, of the regression on target energy alone."""
    gains: tuple[Gain, ...]
    outcome: Literal["named", "undecided", "nothing"]
    """nothing: the share of every quantity is surely less than `LEAST_SHARE`; undecided: neither that nor a surely best
    one."""
    explains_most: str | None
    """Named only if its share is at least `LEAST_SHARE`, surely above 0 and surely above all others but tautologies."""
    not_told_apart: tuple[str, ...]
    """The quantities whose gain is not surely below the largest one, if that is surely above 0."""


def attribute(
    residual: Float[np.ndarray, "*windows"],
    target: Float[np.ndarray, "*windows"],
    quantities: Mapping[str, Float[np.ndarray, "*windows"]],
    blocks: Int[np.ndarray, "*windows"],
    *,
    tautologies: Collection[str] = (),
    floor: float = 0.0,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Attribution | None:
    """Regress log residual energy on log target energy, without and with each quantity, which are 0 or more.

    `blocks` numbers the block of each window 0, 1, ...; each is a fold. Energies below `floor` count as that. Being
    sure means that an interval of the bootstrap excludes 0 at 95 %, shared out over the quantities (Bonferroni), for
    the best of many is looked at. None with fewer than two blocks, without a quantity, or where the error does not
    vary or follows from the target's energy alone.

    Raises:
        InputError: for values that are not finite: leave out windows that have none.
    """
    for name, values in {"residual": residual, "target": target, **quantities}.items():
        if not np.isfinite(values).all():
            raise InputError(f"the {name} has windows without a number, which no regression can use; leave them out")
    count = int(blocks.max()) + 1
    if count < 2 or not quantities:
        return None
    folds = blocks.ravel()
    error, detail = (log_energies(energy, floor) for energy in (residual, target))
    nothing = unseen_errors((), error, folds)
    base = unseen_errors((detail,), error, folds)
    if not base.sum() > DETERMINED * error @ error:
        return None
    logs = {name: _log(values, _FLOOR_SHARE * float(values.mean())) for name, values in quantities.items()}
    left = {name: unseen_errors((detail, log), error, folds) for name, log in logs.items()}
    drawn = block_draws(count, resamples, seed)

    def interval(advantage: Float[np.ndarray, " blocks"], level: float = LEVEL) -> Interval | None:
        """Interval of an advantage over another model, as a share of the errors that target energy leaves."""
        return interval_of(drawn @ advantage / (drawn @ base), count, level) if count >= MIN_BLOCKS else None

    gains = tuple(
        Gain(
            name,
            float((base - errors).sum() / nothing.sum()),
            float((base - errors).sum() / base.sum()),
            interval(base - errors),
            _exponent(detail, logs[name], error),
            name in tautologies,
        )
        for name, errors in left.items()
    )
    return _judged(1 - float(base.sum() / nothing.sum()), gains, left, base, interval)


def _judged(
    r_squared: float,
    gains: tuple[Gain, ...],
    left: Mapping[str, Float[np.ndarray, " blocks"]],
    base: Float[np.ndarray, " blocks"],
    interval: Callable[[Float[np.ndarray, " blocks"], float], Interval | None],
) -> Attribution:
    """Which quantity explains most, if one surely does: `left` are the errors with each, `base` those with none."""
    candidates = [gain for gain in gains if not gain.tautology]
    if not candidates:
        return Attribution(r_squared, gains, "undecided", None, ())
    shared = 1 - (1 - LEVEL) / len(candidates)

    def surely_better(errors: Float[np.ndarray, " blocks"], than: Float[np.ndarray, " blocks"]) -> bool:
        sure = interval(than - errors, shared)
        return sure is not None and sure.low > 0

    best = max(candidates, key=lambda gain: gain.gain)
    if best.share < LEAST_SHARE or not surely_better(left[best.quantity], base):
        small = all(gain.interval is not None and gain.interval.high < LEAST_SHARE for gain in candidates)
        return Attribution(r_squared, gains, "nothing" if small else "undecided", None, ())
    rivals = [gain.quantity for gain in candidates if gain is not best]
    equals = [rival for rival in rivals if not surely_better(left[best.quantity], left[rival])]
    if equals:
        return Attribution(r_squared, gains, "undecided", None, (best.quantity, *equals))
    return Attribution(r_squared, gains, "named", best.quantity, ())


def log_energies(energies: Float[np.ndarray, "*windows"], floor: float) -> Float[np.ndarray, " n"]:
    """Natural logarithms around their mean; all 0 where nothing varies.

    Energies below `floor`, or a 10^-12 part of their mean, count as that.
    """
    return _log(energies, max(floor, _ZERO * float(energies.mean())))


def _log(values: Float[np.ndarray, "*windows"], floor: float) -> Float[np.ndarray, " n"]:
    """Logarithms around their mean; all 0 where nothing varies."""
    least = max(floor, np.finfo(np.float64).tiny)
    logs = np.log(np.maximum(values.ravel().astype(np.float64), least))
    logs -= logs.mean()
    return logs if logs.std() > 1e-9 else np.zeros_like(logs)


def unseen_errors(
    columns: tuple[Float[np.ndarray, " n"], ...], values: Float[np.ndarray, " n"], folds: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " blocks"]:
    """Sum of squared errors in each block, predicted by least squares from all other blocks.

    `folds` numbers the block of each value 0, 1, ...; a constant is among the columns anyway.
    """
    x = np.stack([np.ones_like(values), *columns], 1)
    count = int(folds.max()) + 1
    gram, cross = np.zeros((count, x.shape[1], x.shape[1])), np.zeros((count, x.shape[1]))
    np.add.at(gram, folds, x[:, :, None] * x[:, None])
    np.add.at(cross, folds, x * values[:, None])
    others = np.linalg.pinv(gram.sum(0) - gram, rcond=1e-9, hermitian=True)
    weights = (others @ (cross.sum(0) - cross)[:, :, None])[:, :, 0]
    errors = values - (x * weights[folds]).sum(1)
    return np.bincount(folds, np.square(errors), count)


def _exponent(
    detail: Float[np.ndarray, " n"], quantity: Float[np.ndarray, " n"], error: Float[np.ndarray, " n"]
) -> float:
    x = np.stack([detail, quantity, np.ones_like(error)], 1)
    return float(np.linalg.lstsq(x, error, rcond=1e-9)[0][1])
