"""Neurons and weights."""

import numpy as np
import torch
from matplotlib.figure import Figure

from fieldlens.analysis import (
    first_layer_inspheres,
    nearest_crease,
    neuron_activity,
    neuron_cosines,
    region_narrowness,
    spectral_norms,
)
from fieldlens.render.colour import to_rgb
from fieldlens.studies.runs.charts import COLOURS

from .fits import Fits
from .layout import WIDTH, colour_of, frame


def activity(fits: Fits) -> Figure:
    """How many neurons work, and where."""
    pair = fits.picture
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    stacks, *places = figure.subplots(1, 3)
    labels: list[str] = []
    for fit in pair:
        for number, layer in enumerate(neuron_activity(fit.network, *fit.size), start=1):
            row = len(labels)
            left = 0
            for count, colour, what in (
                (layer.live, COLOURS[-1], "live"),
                (layer.always_on, COLOURS[2], "always on"),
                (layer.dead, "0.35", "dead"),
            ):
                stacks.barh(row, count, left=left, color=colour, label=what if row == 0 else None)
                left += count
            labels.append(f"{fit.name}, {number}")
    stacks.set_yticks(range(len(labels)), labels, fontsize=6)
    stacks.invert_yaxis()
    stacks.set(title="neurons by layer", xlabel="neurons")
    stacks.legend(fontsize=6, loc="upper center", bbox_to_anchor=(0.4, -0.2), ncols=3)
    shown = None
    for axis, fit in zip(places, pair, strict=True):
        height, width = fit.size
        axis.imshow(to_rgb(fit.target) // 3 + 170, extent=(0, width, height, 0))
        layers = neuron_activity(fit.network, *fit.size)
        centre = np.concatenate([layer.centre for layer in layers])
        share = np.concatenate([layer.on_share for layer in layers])
        spread = np.concatenate([layer.spread for layer in layers]).mean(1)
        shown = axis.scatter(
            *centre.T,
            s=0.01 * np.nan_to_num(spread) ** 2,
            c=share,
            cmap="cividis",
            vmin=0,
            vmax=1,
            edgecolors="white",
            linewidths=0.3,
        )
        frame(axis, f"{fit.name}: where neurons are on")
    assert shown is not None
    figure.colorbar(shown, ax=places, label="share of pixels", shrink=0.85, pad=0.01)
    return figure


def weights(fits: Fits) -> Figure:
    """Norms, angles and distances in the spaces of the layers."""
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    norms, cosines, narrow, balls = figure.subplots(2, 2).ravel().tolist()
    layers = len(fits.picture[0].network.width_per_layer)
    for number, fit in enumerate(fits.picture):
        colour, shift = colour_of(fit), 0.3 * number - 0.15
        values = spectral_norms(fit.network)
        norms.bar(
            np.arange(len(values)) + 1 + shift,
            values,
            0.3,
            color=colour,
            label=f"{fit.name}: product {np.prod(values):,.0f}",
        )
        for layer in range(layers):
            matrix = neuron_cosines(fit.network, layer)
            pairs = matrix[np.triu_indices(len(matrix), 1)]
            low, first, middle, third, high = np.nanquantile(pairs, [0.05, 0.25, 0.5, 0.75, 0.95])
            place = layer + 1 + shift
            cosines.plot([place, place], [low, high], color=colour)
            cosines.plot([place, place], [first, third], color=colour, linewidth=6, solid_capstyle="butt")
            cosines.plot([place], [middle], marker="_", color="white", markersize=8)
        narrowness = region_narrowness(fit.network, *fit.size)
        distance = nearest_crease(fit.network, *fit.size).mean_px
        narrow.plot(
            np.arange(layers) + 1,
            narrowness.per_layer,
            "o-",
            color=colour,
            label=f"{fit.name}: over all {narrowness.overall:.2g}; in the picture {distance:.2g} px",
        )
        radii = np.sort(first_layer_inspheres(fit.network, 60, torch.Generator().manual_seed(0)))
        balls.plot(radii, (np.arange(len(radii)) + 0.5) / len(radii), color=colour, label=fit.name)
    norms.set(title="spectral norms", xlabel="layer (the last is the output's)", ylabel="largest singular value")
    cosines.set(title="cosines between the neurons of a layer: 5, 25, 50, 75, 95 %", xlabel="layer", ylim=(-1, 1))
    narrow.set(title="region narrowness: mean of the least |z| / |W|", xlabel="layer", yscale="log")
    narrow.set_ylabel("in each layer's own space")
    balls.set(title="balls in first-layer cells", xlabel="radius in feature space", ylabel="share of balls below")
    for axis in (cosines, narrow):
        axis.set_xticks(np.arange(layers) + 1)
    for axis in (norms, narrow, balls):
        axis.legend(fontsize=6)
    return figure
