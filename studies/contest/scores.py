"""What the candidates are worth: scores of each in each fit, leagues over pictures, the chain from density to speed.

Scores are over the windows in which every candidate that a fit has is a number, so that all are judged on the same
ones: windows that hold no detail are left out. Fits of a picture by different optimizers count as its seeds do.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import IntEnum
from functools import cache

import numpy as np
from jaxtyping import Bool, Float

from fieldlens.analysis.contest.league import (
    LEAST_WINDOWS,
    Mediation,
    Score,
    Standing,
    league,
    mediation,
    score_quantity,
)
from fieldlens.analysis.detail.statistics import partial_rank_correlation, rank_correlation
from fieldlens.configs.encoding import Encoding
from fieldlens.configs.optimizer import Optimizer

from .quantities import CANDIDATES, DENSITY, SPEED, WAVES
from .runs import ContestRuns
from .table import WindowTable


class When(IntEnum):
    """The moment of a candidate that is asked what is missing at the end: its place in a table's arrays."""

    EARLY = 0
    END = 1


@cache  # claims, figures and the table ask for the same ones
def scores_of(table: WindowTable, when: When) -> dict[str, Score]:
    """The score of each candidate that a fit has, by name; none where too few windows can be judged.

    The outcome is what is missing at the end, whenever the candidate was measured.
    """
    judged = _judged(table, when)
    if not judged.any():
        return {}
    blocks = np.unique(table.blocks[judged], return_inverse=True)[1]
    residual, controls = table.residual[When.END, judged], table.controls[:, judged]
    floor = float(table.rounding)
    return {
        name: score_quantity(values[when, judged], residual, controls, blocks, floor=floor)
        for name, values in table.quantities.items()
        if np.isfinite(values[when, judged]).all()
    }


@cache
def league_of(
    runs: ContestRuns, encoding: Encoding, when: When, optimizer: Optimizer | None = None
) -> tuple[Standing, ...]:
    """The candidates of fits under one encoding, summed up over pictures, the strongest correlation first.

    A candidate that no fit has is not among them.

    Args:
        optimizer: of the contest's, whose fits alone count; None for all.
    """
    scores: dict[str, list[list[Score]]] = defaultdict(list)
    for picture in runs.contest.pictures:
        found = [scores_of(runs.table(config), when) for config in runs.of_picture(picture, encoding, optimizer)]
        for candidate in CANDIDATES:
            fits = [one[candidate.name] for one in found if candidate.name in one]
            if fits:
                scores[candidate.name].append(fits)
    standings = league(scores, tautologies={candidate.name for candidate in CANDIDATES if candidate.tautology})
    return tuple(sorted(standings, key=_strength, reverse=True))


def missing_at_end(runs: ContestRuns, encoding: Encoding, optimizer: Optimizer) -> float | None:
    """How much of the octave is missing at the end, over pictures that are judged: the median of means over fits."""
    means = []
    for picture in runs.contest.pictures:
        tables = [runs.table(config) for config in runs.of_picture(picture, encoding, optimizer)]
        judged = [table.missing_fraction for table in tables if scores_of(table, When.END)]
        means += [float(np.mean(judged))] if judged else []
    return float(np.median(means)) if means else None


def _strength(standing: Standing) -> float:
    return -1.0 if standing.correlation is None else abs(standing.correlation.median)


def correlation_with_missing(
    table: WindowTable, values: Float[np.ndarray, " n"], more_controls: Sequence[Float[np.ndarray, " n"]] = ()
) -> float | None:
    """Partial rank correlation of a number of each window with what is missing at the end, given the controls.

    Over the windows that have the number; None with too few of them.

    Args:
        more_controls: to be held equal as well, such as the energy of the reconstruction.
    """
    judged = np.isfinite(values) & np.isfinite(table.residual[When.END])
    if judged.sum() < LEAST_WINDOWS:
        return None
    error = np.maximum(table.residual[When.END, judged], table.rounding)
    controls = np.stack([*table.controls, *more_controls])[:, judged]
    return partial_rank_correlation(values[judged], error, controls)


def mediation_of(table: WindowTable) -> Mediation | None:
    """How much of what crease density has to do with missing detail, at the end, goes through the detail's speed."""
    judged = _judged(table, When.END)
    if not judged.any():
        return None
    density, speed = (table.quantities[name][When.END, judged] for name in (DENSITY, SPEED))
    if not np.isfinite(density).all():  # a field of sines
        return None
    error = np.maximum(table.residual[When.END, judged], table.rounding)
    return mediation(density, speed, error, table.controls[:, judged])


def density_and_waves(table: WindowTable) -> float | None:
    """Rank correlation, over windows at the end, of crease density with the speed of fine waves, which is a property of
    the network alone."""
    density, waves = (table.quantities[name][When.END] for name in (DENSITY, WAVES))
    return rank_correlation(density, waves) if np.isfinite([density, waves]).all() else None


def _judged(table: WindowTable, when: When) -> Bool[np.ndarray, " n"]:
    """The windows that are judged: those with a number of each candidate that has any; none of too few."""
    judged = np.isfinite(table.residual[When.END])
    for values in table.quantities.values():
        there = np.isfinite(values[when])
        if there.any():
            judged &= there
    return judged if judged.sum() >= LEAST_WINDOWS else np.zeros_like(judged)
