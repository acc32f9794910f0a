"""Figures of a study's trained fields themselves: what they draw, their weights, and the space of their features."""

from dataclasses import replace
from functools import partial

import matplotlib as mpl
import numpy as np
import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from fieldlens.analysis import first_layer_inspheres, neuron_cosines, packed_patterns, relu_network
from fieldlens.fitting import initial_state
from fieldlens.render.colour import to_rgb
from fieldlens.studies.runs.charts import charts, legend_outside
from fieldlens.studies.runs.saved import open_run

from .runs import Runs

INSPHERES = 40
"""Points of feature space around which a ball is sought in its cell: each takes a linear programme."""
SECTION_SIDE = 256
"""Points along the side of a plane of feature space whose patterns are drawn."""


def angles(runs: Runs) -> Figure:
    """Cosines between the neurons of each layer of one trained field."""
    study, unit = runs.study, runs.units[0]
    network = relu_network(open_run(runs.folder(runs.config(unit, study.fine))).field)
    layers = len(network.width_per_layer)
    figure, axes = charts(layers, columns=min(4, layers))
    for number, axis in enumerate(axes):
        axis.imshow(neuron_cosines(network, number), vmin=-1, vmax=1, cmap="RdBu_r", interpolation="none")
        axis.set_title(f"layer {number + 1}")
        axis.grid(visible=False)
    figure.colorbar(axes[0].images[0], ax=axes, label="cosine")
    return figure


def inspheres(runs: Runs) -> Figure:
    """Radii of balls in first-layer cells around random points of feature space, before and after training."""
    study, unit = runs.study, runs.units[0]
    figure, (axis,) = charts(1)
    encodings = (*study.few, study.coarse, study.fine)
    for encoding, colour in zip(encodings, mpl.colormaps["viridis"](np.linspace(0, 0.9, len(encodings))), strict=True):
        config = runs.config(unit, encoding)
        trained = open_run(runs.folder(config))
        untrained = initial_state(config, trained.scene, trained.device).field
        for field, style in ((untrained, ":"), (trained.field, "-")):
            generator = torch.Generator().manual_seed(unit.seed)
            radii = np.sort(first_layer_inspheres(relu_network(field), INSPHERES, generator))
            share = (np.arange(len(radii)) + 0.5) / len(radii)
            axis.plot(radii, share, style, color=colour, label=str(encoding) if style == "-" else None)
    axis.set_xlabel("radius in feature space")
    axis.set_ylabel("share of points below")
    legend_outside(figure, axis)
    return figure


def cross_sections(runs: Runs) -> Figure:
    """First-layer patterns on planes of feature space, each with a colour of its own."""
    study, unit = runs.study, runs.units[0]
    network = relu_network(open_run(runs.folder(runs.config(unit, study.fine))).field)
    features = network.weights[0].shape[1]
    figure, axes = charts(2)
    for axis, first, title in ((axes[0], 0, "first"), (axes[1], features - 2, "last")):
        plane = replace(network, encode=partial(_on_plane, first, features))
        patterns = packed_patterns(plane, SECTION_SIDE, SECTION_SIDE).layers[0]
        _, number = np.unique(patterns.reshape(SECTION_SIDE**2, -1), axis=0, return_inverse=True)
        colours = np.random.default_rng(0).uniform(0.25, 1, (number.max() + 1, 3))
        axis.imshow(colours[number].reshape(SECTION_SIDE, SECTION_SIDE, 3), extent=(-1, 1, 1, -1), interpolation="none")
        axis.set_title(f"{number.max() + 1:,} patterns on the {title} two features")
        axis.grid(visible=False)
    return figure


def _on_plane(first: int, features: int, x: Float[Tensor, "n 2"]) -> Float[Tensor, "n f"]:
    """Points of the unit square as features: two of them run from -1 to 1, the others are 0."""
    values = x.new_zeros(len(x), features)
    values[:, first : first + 2] = 2 * x - 1
    return values


def encoding_distance(runs: Runs) -> Figure:
    """|g(x) - g(x + d)| of the fine encoding over shifts d: it depends on the shift alone."""
    octaves = runs.study.fine_octaves
    shift = np.linspace(-1, 1, 257)
    along = np.cos(2.0 ** np.arange(octaves)[:, None] * np.pi * shift).sum(0)
    distance = np.sqrt(np.maximum(4 * octaves - 2 * (along[:, None] + along[None, :]), 0))
    figure, (axis,) = charts(1)
    image = axis.imshow(distance, extent=(-1, 1, 1, -1), cmap="viridis")
    axis.set_xlabel("shift in x")
    axis.set_ylabel("shift in y")
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis, label="distance of features")
    return figure


def pictures(runs: Runs) -> Figure:
    """Each picture's first fits, beside the target."""
    firsts = list({unit.picture: unit for unit in reversed(runs.units)}.values())[::-1]
    study = runs.study
    encodings = study.compared
    columns = len(encodings) + 1
    figure = Figure(figsize=(1.7 * columns, 1.9 * len(firsts)), layout="constrained")
    axes = figure.subplots(len(firsts), columns, squeeze=False)
    for row, unit in zip(axes, firsts, strict=True):
        opened = [open_run(runs.folder(runs.config(unit, encoding))) for encoding in encodings]
        _show(row[0], opened[0].view.target(), "target")
        for axis, saved, encoding in zip(row[1:], opened, encodings, strict=True):
            _show(axis, saved.view.draw(saved.field, device=saved.device), str(encoding))
    return figure


def _show(axis: Axes, picture: Float[np.ndarray, "h w c"], title: str) -> None:
    axis.imshow(to_rgb(picture), interpolation="none")
    axis.set_title(title)
    axis.set_axis_off()
