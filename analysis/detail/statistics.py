"""Rank correlations between maps of windows, and how sure they are, by resampling blocks of the picture.

Neighbouring windows of a picture are alike, so that formulas for independent samples are far too sure of themselves.
Blocks of windows are drawn with replacement instead, and the statistic, its ranks included, is computed anew for each
draw. Drawing a block k times gives its windows the weight k, and ranks are sums of the weights of smaller values: one
sort of the values serves all draws.
"""

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

_CHUNK_NUMBERS = 2**16
"""Weights (windows x draws) treated at once, 0.5 MB in fp64: what is made of them stays in cache."""


@dataclass(frozen=True)
class Interval:
    """What a statistic of this one picture could have been, had other blocks of the same kind stood in it."""

    low: float
    high: float
    level: float
    resamples: int


def rank_correlation(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None where a or b is constant.

    >>> round(rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([1.0, 10.0, 100.0])), 6)
    1.0
    """
    once = np.ones((len(a), 1))
    return _defined(_correlations(_Ranker(a).scores(once), _Ranker(b).scores(once), once)[0])


def partial_rank_correlation(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"], given: Float[np.ndarray, " n"]
) -> float | None:
    """Rank correlation of a and b with what `given` says about each taken out: do they go together where it is equal?

    (r_ab - r_ag r_bg) / sqrt((1 - r_ag^2) (1 - r_bg^2)) with Spearman's r: Kendall & Stuart, vol. 2, 27.5, on ranks.
    None where nothing is left to correlate: a or b is constant, or `given` alone puts one of them in order.
    """
    once = np.ones((len(a), 1))
    return _defined(_partial_correlations(_Ranker(a), _Ranker(b), _Ranker(given), once)[0])


def block_bootstrap(
    a: Float[np.ndarray, " n"],
    b: Float[np.ndarray, " n"],
    given: Float[np.ndarray, " n"],
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
    rankers = _Ranker(a), _Ranker(b), _Ranker(given)
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


def _partial_correlations(
    a: _Ranker, b: _Ranker, given: _Ranker, weights: Float[np.ndarray, "n draws"]
) -> Float[np.ndarray, " draws"]:
    """Partial rank correlation under each column of weights, NaN where it is undefined."""
    a_scores, b_scores = a.scores(weights), b.scores(weights)
    # nothing can be taken out by what is constant
    given_scores = np.nan_to_num(given.scores(weights))
    ab = _correlations(a_scores, b_scores, weights)
    ag = _correlations(a_scores, given_scores, weights)
    bg = _correlations(b_scores, given_scores, weights)
    left = (1 - ag**2) * (1 - bg**2)
    # rounding leaves some 1e-15 of what is fully determined
    return (ab - ag * bg) / np.sqrt(np.where(left > 1e-12, left, np.nan))


def _weighted_product(*columns: Float[np.ndarray, "n draws"]) -> Float[np.ndarray, " draws"]:
    """Sum down each column of the product of several arrays, without making it."""
    return np.einsum(",".join(["nr"] * len(columns)) + "->r", *columns)


def _defined(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
