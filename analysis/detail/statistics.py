"""Rank correlations between maps of windows, and how sure they are, by resampling blocks of the picture, or pictures.

Neighbouring windows of a picture are alike, so that formulas for independent samples are far too sure of themselves.
Blocks of windows are drawn with replacement instead, and the statistic, its ranks included, is computed anew for each
draw. Drawing a block k times gives its windows the weight k, and ranks are sums of the weights of smaller values: one
sort of the values serves all draws.

A number that each fit has is summed up over pictures instead: what holds in one picture need not hold in another.
Pictures are drawn then, and of each the seeds it was fitted with.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr, stdtrit

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Shares at or below the quantiles that sum up a distribution."""

RESAMPLES = 1000
"""Draws of a bootstrap."""

LEVEL = 0.95
"""Confidence of the intervals of a bootstrap."""

MIN_BLOCKS = 16
"""Least number of blocks for an interval: the spread of fewer is not known well enough for it to mean anything."""

MIN_DEFINED = 0.95
"""Least share of draws in which the statistic must be defined for an interval to be given."""

MIN_PICTURES = 6
"""Least number of pictures for an interval of their median. All six lie on one side of the true one in 2 of 2^6 cases,
so that with fewer not even their whole range is an interval of 95 %."""

_ROUNDING = 1e-12
"""Variances below this share of a whole one are rounding, which leaves some 1e-15 of what is fully determined."""

_CHUNK_NUMBERS = 2**16
"""Weights (windows x draws) treated at once, 0.5 MB in fp64: what is made of them stays in cache."""


@dataclass(frozen=True)
class Interval:
    """What a statistic could have been: of one picture, had other blocks of the same kind stood in it; of several, had
    they been others of the same kind."""

    low: float
    high: float
    level: float
    resamples: int


@dataclass(frozen=True)
class OverPictures:
    """A number that each fit has, over pictures that were fitted with one or more seeds."""

    median: float
    """Over pictures, of the mean over each one's seeds."""
    interval: Interval | None
    """Of the median; None with fewer than `MIN_PICTURES`."""
    below_zero: float
    """Share of pictures whose mean is below 0."""
    pictures: int
    """How many have a number; the others are left out."""


def rank_correlation(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None where a or b is constant.

    >>> round(rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0])), 6)
    1.0
    """
    once = np.ones((len(a), 1))
    return _defined(_correlations(_Ranker(a).scores(once), _Ranker(b).scores(once), once)[0])


def partial_rank_correlation(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], given: Float[np.ndarray, "*controls n"]
) -> float | None:
    """Rank correlation of a and b with what `given` says about each taken out: do they go together where it is equal?

    The correlation of what is left of the ranks of a and b by linear regression on the ranks of `given`, which is one
    control or a row for each of several. With one it is (r_ab - r_ag r_bg) / sqrt((1 - r_ag^2) (1 - r_bg^2)), with
    Spearman's r: Kendall & Stuart, vol. 2, 27.5, on ranks. None where nothing is left to correlate: a or b is constant,
    or the ranks of `given` determine those of one of them.
    """
    once = np.ones((len(a), 1))
    return _defined(_partial_correlations(_Ranker(a), _Ranker(b), _rankers(given), once)[0])


def block_bootstrap(
    a: Float[np.ndarray, " n"],
    b: Float[np.ndarray, " n"],
    given: Float[np.ndarray, "*controls n"],
    blocks: Int[np.ndarray, " n"],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval | None:
    """Interval of `partial_rank_correlation` by resampling blocks, numbered 0, 1, ...; None with under 16 of them.

    The percentile interval is too narrow for few blocks: about as much as one with normal quantiles in place of
    Student's, and the variance of B values divided by B instead of B - 1. Its tail share is made smaller to match
    ("expanded percentile interval", Hesterberg 2015, What Teachers Should Know About the Bootstrap, section 5.3).
    """
    count = int(blocks.max()) + 1
    if count < MIN_BLOCKS:
        return None
    drawn = block_draws(count, resamples, seed).T
    rankers = _Ranker(a), _Ranker(b), _rankers(given)
    step = max(1, _CHUNK_NUMBERS // len(a))
    values = np.concatenate(
        [_partial_correlations(*rankers, drawn[:, i : i + step].take(blocks, 0)) for i in range(0, resamples, step)]
    )
    return interval_of(values, count, level)


def block_draws(count: int, resamples: int, seed: int) -> Float[np.ndarray, "resamples count"]:
    """How often each of `count` blocks is drawn, when as many are drawn with replacement."""
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return drawn.astype(np.float64)


def interval_of(values: Float[np.ndarray, " resamples"], count: int, level: float = LEVEL) -> Interval | None:
    """The expanded percentile interval of a statistic's values over draws of `count` blocks; None if too few are
    defined."""
    defined = values[np.isfinite(values)]
    if len(defined) < MIN_DEFINED * len(values):
        return None
    quantile = stdtrit(count - 1, (1 + level) / 2) * np.sqrt(count / (count - 1))
    low, high = np.quantile(defined, [ndtr(-quantile), ndtr(quantile)])
    return Interval(float(low), float(high), level, len(values))


def over_pictures(
    values: Sequence[Sequence[float | None]], *, seed: int = 0, resamples: int = RESAMPLES
) -> OverPictures | None:
    """Sum up a number of fits over pictures; `values` has each picture's, one for each seed, None where undefined.

    The interval is the expanded percentile interval (`block_bootstrap`) of the median over `picture_draws`. None where
    no picture has a number.

    >>> over_pictures([[0.5, 0.7], [-0.1], [0.2, None]]).median
    0.2
    """
    pictures = [np.array(defined)[:, None] for seeds in values if (defined := [v for v in seeds if v is not None])]
    if not pictures:
        return None
    means = np.array([seeds.mean() for seeds in pictures])
    medians = np.median(picture_draws(pictures, resamples, seed)[:, :, 0], 1)
    return OverPictures(
        float(np.median(means)),
        interval_of(medians, len(pictures)) if len(pictures) >= MIN_PICTURES else None,
        float((means < 0).mean()),
        len(pictures),
    )


def picture_draws(
    pictures: Sequence[Float[np.ndarray, "_ numbers"]], resamples: int, seed: int
) -> Float[np.ndarray, "resamples pictures numbers"]:
    """Means over seeds of numbers that fits have together, when as many pictures as there are, and of each that is
    drawn as many seeds as it has, are drawn with replacement.

    Each of `pictures` has a row for each seed. Means of pictures already differ by what seeds do to them, so that
    drawing seeds as well adds about the variance between seeds over their number once more (Davison & Hinkley 1997,
    Bootstrap Methods and their Application, section 3.8). That errs on the safe side.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(pictures), size=(resamples, len(pictures)))
    means = np.empty((*drawn.shape, pictures[0].shape[1]))
    for picture, values in enumerate(pictures):
        here, seeds = drawn == picture, len(values)
        times = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=int(here.sum()))
        means[here] = times @ values / seeds
    return means


def share_in_lowest_quarter(values: Float[np.ndarray, " n"], by: Float[np.ndarray, " n"]) -> float | None:
    """Share of the sum of `values` in the quarter of windows where `by` is lowest; None where the sum is zero or NaN.

    Windows tied at the border of the quarter count in part, so that the order they come in does not matter.

    >>> share_in_lowest_quarter(np.array([1.0, 2.0, 3.0, 4.0]), by=np.array([4.0, 1.0, 2.0, 3.0]))
    0.2
    """
    total = float(values.sum())
    if not total > 0:
        return None
    quarter = len(by) / 4
    border = np.sort(by)[int(np.ceil(quarter)) - 1]
    below, tied = by < border, by == border
    part = (quarter - below.sum()) / tied.sum()
    return float(values[below].sum() + part * values[tied].sum()) / total


class _Ranker:
    """Ranks of fixed values under many sets of weights, one column each."""

    def __init__(self, values: Float[np.ndarray, " n"]) -> None:
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        place = np.empty(len(values), np.int64)
        place[self._order] = np.arange(len(values))
        self._smaller = np.searchsorted(ordered, ordered, "left")[place]
        self._not_larger = np.searchsorted(ordered, ordered, "right")[place]

    def scores(self, weights: Float[np.ndarray, "n draws"]) -> Float[np.ndarray, "n draws"]:
        """Ranks with weighted mean 0 and variance 1 in each column, ties at their mean rank; NaN where all are tied.

        The weight of what is smaller plus that of what is not larger is twice the mean rank of ties, less one.
        """
        cumulated = np.zeros((len(weights) + 1, weights.shape[1]))
        np.cumsum(weights.take(self._order, 0), axis=0, out=cumulated[1:])
        ranks = cumulated.take(self._smaller, 0)
        ranks += cumulated.take(self._not_larger, 0)
        total = weights.sum(0)
        ranks -= _weighted_product(weights, ranks) / total
        variance = _weighted_product(weights, ranks, ranks) / total
        ranks /= np.sqrt(np.where(variance > 1e-9, variance, np.nan))
        return ranks


def _correlations(
    a: Float[np.ndarray, "n draws"], b: Float[np.ndarray, "n draws"], weights: Float[np.ndarray, "n draws"]
) -> Float[np.ndarray, " draws"]:
    return _weighted_product(weights, a, b) / weights.sum(0)


def _rankers(given: Float[np.ndarray, "*controls n"]) -> list[_Ranker]:
    return [_Ranker(control) for control in given.reshape(-1, given.shape[-1])]


def _partial_correlations(
    a: _Ranker, b: _Ranker, given: Sequence[_Ranker], weights: Float[np.ndarray, "n draws"]
) -> Float[np.ndarray, " draws"]:
    """Partial rank correlation under each column of weights, NaN where it is undefined.

    Gaussian elimination of the controls, one after the other, turns the matrix of correlations into that of the
    covariances of what regression on them leaves.
    """
    # nothing can be taken out by what is constant
    controls = [np.nan_to_num(control.scores(weights)) for control in given]
    scores = [*controls, b.scores(weights), a.scores(weights)]
    left = np.ones((len(scores), len(scores), weights.shape[1]))
    for i, one in enumerate(scores):
        for j, other in enumerate(scores[:i]):
            left[i, j] = left[j, i] = _correlations(one, other, weights)
    for i in range(len(controls)):
        # nor by what the controls before it determine
        variance = np.where(left[i, i] > _ROUNDING, left[i, i], np.inf)
        rest = left[i + 1 :, i]
        left[i + 1 :, i + 1 :] -= rest[:, None] * rest / variance
    product = left[-1, -1] * left[-2, -2]
    return left[-1, -2] / np.sqrt(np.where(product > _ROUNDING, product, np.nan))


def _weighted_product(*columns: Float[np.ndarray, "n draws"]) -> Float[np.ndarray, " draws"]:
    """Sum down each column of the product of several arrays, without making it."""
    return np.einsum(",".join(["nr"] * len(columns)) + "->r", *columns)


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
