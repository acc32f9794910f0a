"""What stands beside densities: distances to creases, neurons near a point, bending, slopes."""

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from fieldlens.analysis import (
    bending,
    crease_bounds,
    local_complexity,
    nearest_crease,
    slopes,
)

from .fits import Fits
from .layout import LAYERS, WIDTH, Scale, colour_of, maps, show, target_tile


def crease_distance(fits: Fits) -> Figure:
    """Distance from each pixel to the nearest crease."""
    found = [(fit, nearest_crease(fit.network, *fit.size)) for fit in fits.picture]
    tiles = [(f"{fit.name}: median {distance.median_px:.2g} px", distance.px) for fit, distance in found]
    scale = Scale("px to the nearest crease", LogNorm(0.01, 10, clip=True), "cividis")
    return maps([target_tile(found[0][0]), *tiles], scale, found[0][0].size)


def complexity(fits: Fits) -> Figure:
    """Neurons that switch around each pixel, all layers together."""
    pair = fits.picture
    found = [local_complexity(fit.network, *fit.size).neurons.sum(0) for fit in pair]
    tiles = [(f"{fit.name}: mean {neurons.mean():.2g}", neurons) for fit, neurons in zip(pair, found, strict=True)]
    scale = Scale("neurons that switch within 1 px", Normalize(0, np.quantile(found[-1], 0.99)))
    return maps([target_tile(pair[0]), *tiles], scale, pair[0].size)


def bounds(fits: Fits) -> Figure:
    """Bounds by layer, how far apart they are in the picture, and what they rule out in tiles of several sizes."""
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    between, where, *shares = figure.subplots(1, 4)
    sizes = (1, 2, 4, 8, 16)
    layers = np.arange(len(fits.picture[0].network.width_per_layer)) + 1
    most = max(fits.picture[0].network.width_per_layer)
    for fit, axis in zip(fits.picture, shares, strict=True):
        found = {px: crease_bounds(fit.network, *fit.size, tile_px=px) for px in sizes}
        bound = found[8]
        low, high = bound.lower.mean((1, 2)), bound.upper.mean((1, 2))
        shift = 0.2 if axis is shares[1] else -0.2
        between.bar(layers + shift, high - low, 0.35, low, color=colour_of(fit), alpha=0.4, label=fit.name)
        for edge in (low, high):
            between.plot(layers + shift, edge, "_", color=colour_of(fit), markersize=11)
        for layer, colour in zip(layers, LAYERS, strict=False):
            ruled_out = [found[px].ruled_out[layer - 1] for px in sizes]
            axis.plot(sizes, ruled_out, "o-", color=colour, markersize=3, label=f"layer {layer}")
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [str(px) for px in sizes])
        axis.set(title=f"{fit.name}: share ruled out", xlabel="side of tiles in px", ylim=(-0.05, 1.05))
        if shift < 0:
            scale = Scale("upper less lower, neurons", Normalize(0, max(1, int(bound.width[-1].max()))))
            show([where], [(f"{fit.name}, layer {layers[-1]}: width", bound.width[-1])], scale, fit.size)
    between.set(title="bounds in tiles of 8 px", xlabel="layer", ylabel=f"neurons, of {most}", ylim=(0, 1.35 * most))
    between.set_xticks(layers)
    between.legend(fontsize=6, loc="upper left")
    shares[0].legend(fontsize=6)
    return figure


def bends(fits: Fits) -> Figure:
    """The two parts of what bends the field, on one scale."""
    raw, encoded = fits.picture
    found = {fit: bending(fit.network, *fit.size) for fit in (raw, encoded)}
    tiles = [
        (f"{raw.name}: kinks (smooth share {found[raw].smooth_share:.0%})", found[raw].kinks),
        (f"{encoded.name}: kinks", found[encoded].kinks),
        (f"{encoded.name}: smooth (share {found[encoded].smooth_share:.0%})", found[encoded].smooth),
    ]
    return maps(tiles, Scale("value per square px", LogNorm(1e-3, 1, clip=True)), raw.size)


def slope_maps(fits: Fits) -> Figure:
    """The largest singular value of the Jacobian at each pixel."""
    found = [(fit, slopes(fit.network, *fit.size).spectral) for fit in fits.picture]
    tiles = [
        (f"{fit.name}: mean {steepness.mean():.2g}, largest {steepness.max():.2g}", steepness)
        for fit, steepness in found
    ]
    scale = Scale("value per px", LogNorm(1e-3, 0.3, clip=True))
    return maps([target_tile(found[0][0]), *tiles], scale, found[0][0].size)
