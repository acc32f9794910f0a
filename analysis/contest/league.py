"""The contest: what foretells the missing detail of a window, beyond what the target's detail there is like? And does
one quantity work through another?

A score is of one fit of one picture: how much better residual energies of parts of the picture are foretold with the
quantity than by the controls alone, and its rank correlation with them where the controls are equal. A league sums up
scores over pictures, because quantities are to hold in pictures that nobody chose them by. Mediation asks how much of
what goes together with a cause also goes together with what the cause is thought to work through.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from fieldlens.configs.errors import InputError

from ..detail.attribution import DETERMINED, log_energies, unseen_errors
from ..detail.statistics import (
    MIN_BLOCKS,
    MIN_PICTURES,
    RESAMPLES,
    Interval,
    OverPictures,
    block_bootstrap,
    block_draws,
    interval_of,
    over_pictures,
    partial_rank_correlation,
    picture_draws,
)

LEAST_WINDOWS = 16
"""Fewer leave nothing to correlate once six controls are taken out."""

LEAST_TOTAL = 0.1
"""Least size of a total effect that is shared out, one per cent of the variation in ranks: the ratio of two smaller
numbers is of noise."""


@dataclass(frozen=True)
class Score:
    """What one quantity adds to the controls, in one fit. Intervals are over blocks of the picture."""

    r_squared: float | None
    """Cross-validated, of the controls alone; None with fewer than two blocks, or where the error does not vary."""
    gain: float | None
    """What the quantity adds to it; below 0 where unseen blocks are foretold worse with it. None as above."""
    share: float | None
    """The gain over all that the controls leave, 1 - R^2; None where they leave nothing."""
    gain_interval: Interval | None
    correlation: float | None
    """Partial rank correlation with residual energy given the controls; None where undefined."""
    correlation_interval: Interval | None


@dataclass(frozen=True)
class Standing:
    """One quantity's place in a league. Each number is None where no fit has it."""

    quantity: str
    gain: OverPictures | None
    share: OverPictures | None
    correlation: OverPictures | None
    tautology: bool
    """Nearly the reconstruction itself: shown, and no candidate."""


@dataclass(frozen=True)
class Mediation:
    """A cause, what it is thought to work through, and the outcome, as a path of rank correlations given controls.

    Effects are standardised coefficients between ranks, from which regression has taken the ranks of the controls, as
    in `partial_rank_correlation`.
    """

    total: float
    """c: the partial rank correlation of cause and outcome."""
    direct: float
    """c': the coefficient of the cause, where the mediator is held fixed as well."""
    to_mediator: float
    """a: the partial rank correlation of cause and mediator."""
    from_mediator: float
    """b: the coefficient of the mediator, where the cause is held fixed."""

    @property
    def indirect(self) -> float:
        """a b, which is c - c'."""
        return self.to_mediator * self.from_mediator

    @property
    def share(self) -> float | None:
        """1 - c'/c: the share of the total effect that goes through the mediator.

        Below 0, or above 1, where the two ways have opposite signs. None for a total effect under `LEAST_TOTAL`.
        """
        return None if abs(self.total) < LEAST_TOTAL else 1 - self.direct / self.total


@dataclass(frozen=True)
class MediationOverPictures:
    """Mediation in fits of several pictures."""

    total: OverPictures
    direct: OverPictures
    share: float | None
    """1 - c'/c of the medians, of which one is not as easily near 0 as a single fit's; None under `LEAST_TOTAL`."""
    share_interval: Interval | None
    """None as well where the median total effect is under `LEAST_TOTAL` or of the other sign in over 5 % of draws."""


def score_quantity(
    quantity: Float[np.ndarray, " n"],
    residual: Float[np.ndarray, " n"],
    controls: Float[np.ndarray, "controls n"],
    blocks: Int[np.ndarray, " n"],
    *,
    floor: float = 0.0,
    seed: int | None = None,
    resamples: int = RESAMPLES,
) -> Score:
    """Score a quantity of n windows, of whichever sign and scale, by the log of their residual energies.

    The regression is that of `attribute`, with the controls in place of target energy: each block, numbered 0, 1, ...,
    is foretold from all others. The quantity comes in by the normal scores of its ranks (van der Waerden). So it counts
    for nothing in which unit or on which scale a quantity is given, and what has many decades is much as its logarithm.

    Args:
        controls: a row each, such as `Controls.columns`.
        floor: residual energies below count as that: the energy of 8-bit rounding.
        seed: of the bootstrap; without it, and with fewer than `MIN_BLOCKS` blocks, there are no intervals.

    Raises:
        InputError: for values that are not finite: leave out windows that have none.
    """
    for name, values in {"quantity": quantity, "residual": residual, "controls": controls}.items():
        if not np.isfinite(values).all():
            raise InputError(f"the {name} of the contest has windows without a number; leave them out")
    error = np.maximum(residual, floor)
    count = int(blocks.max()) + 1
    sure = seed if count >= MIN_BLOCKS else None
    correlation = partial_rank_correlation(quantity, error, controls)
    correlation_interval = gain_interval = None
    if sure is not None and correlation is not None:
        correlation_interval = block_bootstrap(quantity, error, controls, blocks, seed=sure, resamples=resamples)
    log_error = log_energies(residual, floor)
    if count < 2 or not log_error.any():
        return Score(None, None, None, None, correlation, correlation_interval)
    columns = tuple(_standardised(control) for control in controls)
    nothing = unseen_errors((), log_error, blocks)
    base = unseen_errors(columns, log_error, blocks)
    better = base - unseen_errors((*columns, normal_scores(quantity)), log_error, blocks)
    if sure is not None:
        drawn = block_draws(count, resamples, sure)
        gain_interval = interval_of(drawn @ better / (drawn @ nothing), count)
    left = base.sum() > DETERMINED * log_error @ log_error
    return Score(
        1 - float(base.sum() / nothing.sum()),
        float(better.sum() / nothing.sum()),
        float(better.sum() / base.sum()) if left else None,
        gain_interval,
        correlation,
        correlation_interval,
    )


def league(
    scores: Mapping[str, Sequence[Sequence[Score]]],
    *,
    tautologies: Collection[str] = (),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[Standing, ...]:
    """Sum up the scores that each quantity has in fits, by picture and seed, as `over_pictures` does; best gain first.

    Pictures are drawn alike for all quantities. A quantity without a gain in any fit comes last.
    """

    def summed_up(fits: Sequence[Sequence[Score]], number: Callable[[Score], float | None]) -> OverPictures | None:
        return over_pictures([[number(fit) for fit in seeds] for seeds in fits], seed=seed, resamples=resamples)

    standings = [
        Standing(
            name,
            summed_up(fits, lambda fit: fit.gain),
            summed_up(fits, lambda fit: fit.share),
            summed_up(fits, lambda fit: fit.correlation),
            name in tautologies,
        )
        for name, fits in scores.items()
    ]
    return tuple(sorted(standings, key=lambda each: -np.inf if each.gain is None else each.gain.median, reverse=True))


def mediation(
    cause: Float[np.ndarray, " n"],
    mediator: Float[np.ndarray, " n"],
    outcome: Float[np.ndarray, " n"],
    controls: Float[np.ndarray, "*controls n"],
) -> Mediation | None:
    """How much of a cause's effect on an outcome goes through a mediator, in the n windows of one fit.

    The paths of Baron & Kenny (1986) on ranks: with r the partial rank correlations given the controls, of cause x,
    mediator m and outcome y,

        c = r_xy,   a = r_xm,   c' = (r_xy - r_xm r_my) / (1 - r_xm^2),   b = (r_my - r_xm r_xy) / (1 - r_xm^2),

    and c = c' + a b exactly. None where one of the three is undefined, or cause and mediator are in one order.

    "Cause" is what it is taken for, not what is shown: whatever drives mediator and outcome alike, and is none of the
    controls, counts as going through the mediator.
    """
    xy, xm, my = (
        partial_rank_correlation(one, other, controls)
        for one, other in ((cause, outcome), (cause, mediator), (mediator, outcome))
    )
    if xy is None or xm is None or my is None or 1 - xm**2 <= DETERMINED:
        return None
    return Mediation(xy, (xy - xm * my) / (1 - xm**2), xm, (my - xm * xy) / (1 - xm**2))


def mediation_over_pictures(
    found: Sequence[Sequence[Mediation | None]], *, seed: int = 0, resamples: int = RESAMPLES
) -> MediationOverPictures | None:
    """Sum up the mediation of fits by picture and seed, with the medians and the draws of `over_pictures`.

    A fit's total and direct effect are drawn together, and their share is made anew of the medians of each draw. None
    where no fit has a mediation.
    """
    fits = [defined for seeds in found if (defined := [fit for fit in seeds if fit is not None])]
    total = over_pictures([[fit.total for fit in seeds] for seeds in fits], seed=seed, resamples=resamples)
    direct = over_pictures([[fit.direct for fit in seeds] for seeds in fits], seed=seed, resamples=resamples)
    if total is None or direct is None:
        return None
    pictures = [np.array([(fit.total, fit.direct) for fit in seeds]) for seeds in fits]
    medians = np.median(picture_draws(pictures, resamples, seed), 1)
    # a draw in which the effect has the other sign is no draw of this effect
    shares = 1 - medians[:, 1] / np.where(medians[:, 0] * np.sign(total.median) < LEAST_TOTAL, np.nan, medians[:, 0])
    defined = abs(total.median) >= LEAST_TOTAL
    return MediationOverPictures(
        total,
        direct,
        1 - direct.median / total.median if defined else None,
        interval_of(shares, len(pictures)) if defined and len(pictures) >= MIN_PICTURES else None,
    )


def _standardised(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """With mean 0 and variance 1, so that controls of small numbers are not taken for rounding; 0 where constant."""
    around = values - values.mean()
    spread = around.std()
    return around / spread if spread > 1e-9 * np.abs(values).max() else np.zeros_like(around)


def normal_scores(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The normal quantile of each value's mean rank, less a half, over n; ties share theirs."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    return ndtri((np.cumsum(times) - times / 2) / len(values))[place]
