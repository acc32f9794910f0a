"""What goes with the error: capacity, densities, early densities."""

import numpy as np
from jaxtyping import Float
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from fieldlens.analysis import (
    BEND,
    COAREA,
    CROSSINGS,
    capacity,
    early_prediction,
    explain,
    refined_crossings,
)
from fieldlens.render.colour import MISSING_RANGE

from .fits import Fits
from .layout import Scale, colour_of, maps, row_of_charts


def capacity_maps(fits: Fits) -> Figure:
    """What refits of the output layer, and as many cosines, leave of the error."""
    pair = fits.picture
    tiles: list[tuple[str, Float[np.ndarray, "_ _"]]] = []
    for fit in pair:
        found = capacity(fit.network, fit.target, fit.drawn)
        for name, share, removed in (
            ("refit", found.remaining_share, found.removed),
            ("cosines", 1 - found.null_share, found.null_removed),
        ):
            tiles.append((f"{fit.name}, {name}: {1 - (removed or 0):.0%} left", found.windows.spread(share)))
    scale = Scale("share of the error that remains", Normalize(*MISSING_RANGE), "magma")
    return maps(tiles, scale, pair[0].size)


def attribution(fits: Fits) -> Figure:
    """Gains of all densities, with their intervals; tautologies in grey."""
    figure, axes = row_of_charts(2, 2.4)
    for axis, fit in zip(axes, fits.picture, strict=True):
        assert fit.density.bend is not None  # a fit always measures it
        quantities = {
            COAREA: fit.density.length.sum(0),
            CROSSINGS: refined_crossings(fit.network, *fit.size, stride=4, max_refine=32).mean_per_pixel,
            BEND: fit.density.bend.sum(0),
        }
        found = explain(fit.target, fit.drawn, quantities).attribution
        assert found is not None  # there are blocks enough
        for row, gain in enumerate(found.gains):
            colour = "0.6" if gain.tautology else colour_of(fit)
            axis.barh(row, gain.share, color=colour, height=0.6)
            if gain.interval is not None:
                axis.plot([gain.interval.low, gain.interval.high], [row, row], color="black", linewidth=1)
        names = [gain.quantity.replace(" of the ", "\nof the ") for gain in found.gains]
        axis.set_yticks(range(len(names)), names, fontsize=6)
        axis.invert_yaxis()
        axis.axvline(0, color="black", linewidth=0.7)
        axis.set_title(f"{fit.name}: {found.explains_most or 'none'} named ({found.outcome})")
        axis.set_xlabel(f"gain in R², as a share of what target energy ({found.r_squared:.2f}) leaves")
    return figure


def early(fits: Fits) -> Figure:
    """What an early density says about the detail missing at the end."""
    figure, (axis,) = row_of_charts(1)
    for fit, aside in zip(fits.picture, (0.98, 1.02), strict=True):
        steps = np.array([step for step in fit.steps if step > 0])
        found = [early_prediction(fit.at(step).density.length.sum(0), fit.target, fit.drawn) for step in steps.tolist()]
        estimates = [np.nan if each.estimate is None else each.estimate for each in found]
        axis.plot(steps * aside, estimates, "o-", color=colour_of(fit), label=fit.name, markersize=4)
        for step, each in zip(steps, found, strict=True):
            if each.interval is not None:
                ends = [each.interval.low, each.interval.high]
                axis.plot([step * aside] * 2, ends, color=colour_of(fit), linewidth=1)
    axis.axhline(0, color="black", linewidth=0.7)
    axis.set(xscale="log", xlabel="step at which density was measured", ylabel="partial rank correlation")
    axis.set_title(f"density at a step, and detail missing at the end (step {fits.steps}), with 95 % intervals")
    axis.legend(fontsize=6)
    return figure
