"""How much of a quantity's variation over the windows of a picture others explain, alone and together.

All go in by the normal scores of their ranks (van der Waerden), so that units and scales do not matter, and products of
powers are much as sums. Each block of windows is foretold from all others, as in the contest's scores.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from fieldlens.configs.errors import InputError

from ..detail.attribution import unseen_errors
from .league import normal_scores


@dataclass(frozen=True)
class ExplainedShares:
    """Shares of a quantity's variance that are foretold on blocks which the regression has not seen: at most 1, and
    below 0 where blocks are foretold worse than by the mean of the others."""

    alone: dict[str, float]
    """By each of the others alone."""
    added: dict[str, float]
    """What each adds to all the rest."""
    together: float
    """By all of them."""


def explained_shares(
    outcome: Float[np.ndarray, " n"], causes: Mapping[str, Float[np.ndarray, " n"]], blocks: Int[np.ndarray, " n"]
) -> ExplainedShares | None:
    """How much of an outcome's variation over n windows some causes explain.

    "Cause" is what it is taken for: what goes along with a cause by chance or by something else counts as well.

    Args:
        blocks: the number of each window's block, 0, 1, ...

    Returns:
        None with fewer than two blocks, or for an outcome that is the same everywhere.

    Raises:
        InputError: for values that are not finite: leave out windows that have none.
    """
    for name, values in {"outcome": outcome, **causes}.items():
        if not np.isfinite(values).all():
            raise InputError(f"the {name} has windows without a number; leave them out")
    if int(blocks.max()) < 1 or np.ptp(outcome) == 0:
        return None
    scores = normal_scores(outcome)
    columns = {name: normal_scores(values) for name, values in causes.items()}
    nothing = float(unseen_errors((), scores, blocks).sum())

    def share(names: Collection[str]) -> float:
        return 1 - float(unseen_errors(tuple(columns[name] for name in names), scores, blocks).sum()) / nothing

    together = share(columns)
    return ExplainedShares(
        {name: share([name]) for name in columns},
        {name: together - share([other for other in columns if other != name]) for name in columns},
        together,
    )
