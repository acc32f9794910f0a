"""Means of numbers that fits have, with Student's interval: of independent values, and of seeds within pictures.

Seeds of one picture are no more pictures: a thousand of them say nothing of the next picture. So the values of an
interval are the pictures' own means, each over its seeds, where there are three pictures or more; what seeds do is in
these means already. Where every picture has as many seeds this interval is exact for normal values (Searle, Casella &
McCulloch 1992, Variance Components, section 3.6). One or two pictures say too little of others: the interval is then
of these pictures alone, for other seeds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
"""Confidence of an interval."""

LEAST_PICTURES = 3
"""For an interval over pictures."""

LEAST_FREEDOM = 2
"""Degrees of freedom that an interval needs: with one, its ends are 13 standard errors away."""

Over: TypeAlias = Literal["pictures", "seeds", "none"]
"""What an interval is over; `none` where there are too few of both."""


@dataclass(frozen=True)
class NestedMean:
    """A mean over pictures of means over seeds."""

    mean: float
    low: float | None
    """Lower end of the interval; None where there is none."""
    high: float | None
    over: Over
    """What else could have been drawn: `pictures`, and seeds with them; or `seeds` of these pictures."""
    between: float | None
    """Standard deviation of the pictures' means; None of one picture."""
    within: float | None
    """Standard deviation between seeds of one picture, pooled over pictures; None where each has one seed."""
    pictures: int
    values: int

    @property
    def sign(self) -> int:
        """1 where the whole interval lies above 0, -1 where below, and 0 where it cannot be told."""
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)


def mean_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Student's interval of the mean of independent values; None for fewer than three.

    >>> low, high = mean_interval([1.0, 2.0, 3.0])
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    n = len(values)
    if n <= LEAST_FREEDOM:
        return None
    return _around(float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(n), n - 1, level)


def nested_mean(values: Sequence[Sequence[float]], level: float = LEVEL) -> NestedMean | None:
    """Sum up numbers of seeds within pictures; None where there are none.

    Args:
        values: those of each picture, one for each of its seeds; a picture without any is left out.
        level: confidence of the interval, between 0 and 1.

    >>> found = nested_mean([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> found.mean, found.over, round(found.between, 3), round(found.within, 3)
    (3.5, 'pictures', 2.0, 0.707)
    """
    pictures = [np.asarray(seeds, float) for seeds in values if len(seeds)]
    if not pictures:
        return None
    means = [float(seeds.mean()) for seeds in pictures]
    mean, counts = float(np.mean(means)), np.array([len(seeds) for seeds in pictures])
    freedom = int((counts - 1).sum())
    variance = sum(float(((seeds - seeds.mean()) ** 2).sum()) for seeds in pictures) / freedom if freedom else None
    over: Over = "none"
    interval: tuple[float, float] | None = None
    if len(pictures) >= LEAST_PICTURES:
        over, interval = "pictures", mean_interval(means, level)
    elif variance is not None and freedom >= LEAST_FREEDOM:
        error = math.sqrt(variance * float((1 / counts).sum())) / len(pictures)
        over, interval = "seeds", _around(mean, error, freedom, level)
    low, high = interval or (None, None)
    return NestedMean(
        mean,
        low,
        high,
        over,
        float(np.std(means, ddof=1)) if len(pictures) > 1 else None,
        None if variance is None else math.sqrt(variance),
        len(pictures),
        int(counts.sum()),
    )


def _around(mean: float, error: float, freedom: int, level: float) -> tuple[float, float]:
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    return mean - reach, mean + reach
