"""What claims about the contest are measured by: one number of all fits of one picture."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float

from fieldlens.analysis.contest.league import LEAST_TOTAL
from fieldlens.analysis.detail.statistics import rank_correlation
from fieldlens.configs.encoding import Encoding, Raw
from fieldlens.configs.run import FitConfig

from .quantities import LEVERAGE, SPEED
from .runs import ContestRuns
from .scores import When, correlation_with_missing, density_and_waves, mediation_of, scores_of
from .table import WindowTable

LONG = 1e3
"""Powers of two by which a forecast is off that foretells no end at all, where there was one: more than any other."""


@dataclass(frozen=True)
class PictureFits:
    """The fits of one picture of a contest: a unit of its claims, for what holds is to hold in pictures."""

    runs: ContestRuns
    picture: str

    def fits(self, group: "Group") -> list[FitConfig]:
        """Those under the encodings of a group."""
        encodings = [encoding for encoding in self.runs.contest.encodings if group(encoding)]
        return [config for encoding in encodings for config in self.runs.of_picture(self.picture, encoding)]

    def tables(self, group: "Group") -> list[WindowTable]:
        """What was measured in the windows of these."""
        return [self.runs.table(config) for config in self.fits(group)]


Group: TypeAlias = Callable[[Encoding], bool]
"""Some of a contest's encodings."""

Effect: TypeAlias = Callable[[PictureFits], float | None]
"""What claims take: a number of one picture; None where it is not defined."""


def raw(encoding: Encoding) -> bool:
    """Coordinates as they are."""
    return isinstance(encoding, Raw)


def encoded(encoding: Encoding) -> bool:
    """All others."""
    return not raw(encoding)


def every(encoding: Encoding) -> bool:  # noqa: ARG001
    """All of them."""
    return True


def correlation(name: str, when: When, group: Group) -> Effect:
    """Mean partial rank correlation of a candidate with what is missing at the end, given the controls."""

    def of(table: WindowTable) -> float | None:
        found = scores_of(table, when)
        return found[name].correlation if name in found else None

    return lambda picture: mean(map(of, picture.tables(group)))


def ahead(name: str, other: str, group: Group) -> Effect:
    """By how much one candidate's correlation, at the end, lies below another's in the same fits, as a mean."""

    def of(table: WindowTable) -> float | None:
        found = scores_of(table, When.END)
        both = [found[each].correlation for each in (other, name) if each in found]
        return None if len(both) < 2 or None in both else both[0] - both[1]  # type: ignore[operator]

    return lambda picture: mean(map(of, picture.tables(group)))


def negative(effect: Effect) -> Effect:
    """1 where a number of a picture is below 0, else 0: the mean over pictures is a share of them."""

    def of(picture: PictureFits) -> float | None:
        value = effect(picture)
        return None if value is None else float(value < 0)

    return of


def given_kept(name: str, group: Group) -> Effect:
    """Mean partial rank correlation of a candidate with what is missing at the end, with the energy of the
    reconstruction, which the weights have drawn already, held equal as well."""

    def of(table: WindowTable) -> float | None:
        kept = np.maximum(table.kept[When.END], table.rounding)
        return correlation_with_missing(table, table.quantities[name][When.END], [kept])

    return lambda picture: mean(map(of, picture.tables(group)))


def by_other_networks(name: str, group: Group) -> Effect:
    """Mean partial rank correlation of what is missing with the speed or the leverage that this picture's detail has in
    networks fitted to another one: weights that never drew it."""

    def of(picture: PictureFits) -> float | None:
        runs = picture.runs
        if len(runs.contest.pictures) < 2:
            return None
        pairs = [(runs.table(config), runs.table(runs.lender(config))) for config in picture.fits(group)]
        return mean(
            correlation_with_missing(table, {SPEED: lender.lent_speed, LEVERAGE: lender.lent_leverage}[name])
            for table, lender in pairs
        )

    return of


def with_waves(group: Group) -> Effect:
    """Mean rank correlation of crease density with the speed of fine waves."""
    return lambda picture: mean(map(density_and_waves, picture.tables(group)))


def through_speed(group: Group) -> Effect:
    """Share of crease density's effect on what is missing that goes through speed: 1 - c'/c of mean effects.

    None where the total effect c is less than `LEAST_TOTAL`: there is nothing to share out.
    """

    def of(picture: PictureFits) -> float | None:
        found = [path for path in map(mediation_of, picture.tables(group)) if path is not None]
        total, direct = mean(path.total for path in found), mean(path.direct for path in found)
        if total is None or direct is None or abs(total) < LEAST_TOTAL:
            return None
        return 1 - direct / total

    return of


def off_forecast(picture: PictureFits) -> float | None:
    """Median over fits and moments of how far the foretold steps are from those that it took, in powers of two.

    Where half of what was missing then still is at the end, the steps that were left count as those that it took if
    fewer were foretold, for the forecast is off by that much at least; and else it is left out, for so far it is right.
    """
    found = [distance for table in picture.tables(every) for distance in _distances(table)]
    return float(np.median(found)) if found else None


def forecast_order(picture: PictureFits) -> float | None:
    """Rank correlation of foretold steps with those that it took, over the fits and moments that came to see it."""
    pairs = [
        pair
        for table in picture.tables(every)
        for pair in zip(table.foretold, table.happened(), strict=True)
        if np.isfinite(pair[1])
    ]
    if len(pairs) < 3:
        return None
    foretold, happened = np.array(pairs, np.float64).T
    return rank_correlation(foretold, happened)


def _distances(table: WindowTable) -> Float[np.ndarray, " judged"]:
    happened, left = table.happened(), table.steps_left()
    seen = np.isfinite(happened)
    judged = seen | (table.foretold < left)
    with np.errstate(divide="ignore"):
        off = np.abs(np.log2(table.foretold / np.where(seen, happened, left)))
    return np.minimum(off, LONG)[judged]


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is defined; None where nothing is."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
