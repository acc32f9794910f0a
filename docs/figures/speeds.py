"""What the speed of detail is made of: how much of its variation over windows creases and gradients explain."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fieldlens.analysis import (
    ExplainedShares,
    detail_speed,
    explained_shares,
    gate_overlap,
    gradient_size,
    octave_details,
    packed_patterns,
)
from fieldlens.analysis.detail.explain import explained_band
from fieldlens.analysis.detail.octaves import octave_waves

from .fits import Fit, Fits
from .layout import WIDTH, colour_of

PICTURES = ("astronaut", "coffee", "chelsea", "brick", "grass", "hubble")
"""Three photographs, two textures and a picture of science."""

TOGETHER = "all four"


@dataclass(frozen=True)
class Made:
    """What the speeds of one fit are made of."""

    of_detail: ExplainedShares
    """The speed of the target's detail."""
    of_waves: ExplainedShares
    """The speed of waves of the same octave, less the mean and the slope that edges of windows leave of them."""
    level: float
    """The median window's speed of such waves, over that of waves as windows cut them."""


def structure(fits: Fits) -> Figure:
    """Shares of variance explained, of six pictures, by each cause alone and by all of them."""
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    axes = figure.subplots(1, 4, sharey=True, sharex=True).tolist()
    pairs = [fits.short(scene) for scene in PICTURES]
    for of_pictures, (first, second) in zip(zip(*pairs, strict=True), (axes[:2], axes[2:]), strict=True):
        found, fit = [_made(fit) for fit in of_pictures], of_pictures[0]
        _rows(first, fit, "speed of the target's detail", [made.of_detail for made in found])
        level = float(np.median([made.level for made in found]))
        _rows(second, fit, f"level waves ({level:.0%} of cut ones)", [made.of_waves for made in found])
    axes[0].set_ylim(4.5, -0.7)
    return figure


def _rows(axis: Axes, fit: Fit, title: str, found: list[ExplainedShares]) -> None:
    """A dot for each picture, and their median in words: alone, and what each adds to the others."""
    names = [*found[0].alone, TOGETHER]
    for row, name in enumerate(names):
        shares = [each.together if name == TOGETHER else each.alone[name] for each in found]
        axis.plot(shares, [row] * len(shares), ".", color=colour_of(fit), alpha=0.6)
        axis.plot([np.median(shares)] * 2, [row - 0.3, row + 0.3], color="black", linewidth=1.2)
        added = "" if name == TOGETHER else f", adds {np.median([each.added[name] for each in found]):.2f}"
        axis.text(1.02, row - 0.33, f"{np.median(shares):.2f}{added}", ha="right", fontsize=5.5)
    axis.set_yticks(range(len(names)), names)
    axis.set(title=f"{fit.name}:\n{title}", xlabel="share of variance", xlim=(-0.1, 1.05))


def _made(fit: Fit) -> Made:
    height, width = fit.size
    band = explained_band(fit.target)
    detail = octave_details(fit.target)[band]
    waves = octave_waves(height, width, band)
    found = detail_speed(fit.saved.field, [detail, *waves, *(wave.levelled() for wave in waves)])
    of_detail, *of_waves = (one.per_energy for one in found)
    cut, level = np.array(of_waves).reshape(2, len(waves), *detail.windows.shape).mean(1)
    windows = detail.windows
    assert fit.density.bend is not None  # a fit always measures it
    overlap = gate_overlap(packed_patterns(fit.network, height, width), windows)
    causes = {
        "crossings": windows.mean_of_map(fit.density.crossings_per_pixel),
        "bend": windows.mean_of_map(fit.density.bend.sum(0)),
        "change of gates": overlap.change_per_pixel.sum(0),
        "size of gradients": windows.mean_of_map(gradient_size(fit.saved.field, height, width)),
    }
    blocks = windows.blocks()

    def of(speeds: Float[np.ndarray, "rows columns"]) -> ExplainedShares:
        there = np.isfinite(speeds)
        numbered = np.unique(blocks[there], return_inverse=True)[1]
        shares = explained_shares(speeds[there], {name: cause[there] for name, cause in causes.items()}, numbered)
        assert shares is not None  # pictures have blocks enough
        return shares

    return Made(of(of_detail), of(level), float(np.median(level / cut)))
