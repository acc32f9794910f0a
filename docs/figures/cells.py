"""Cells, patterns and how far patterns are apart."""

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from torch import nn

from fieldlens.analysis import (
    Cells,
    Plane,
    SurrogateCells,
    cells,
    count_cells,
    hamming_means,
    on_plane,
    pattern_curve,
    relu_network,
    surrogate_cells,
)
from fieldlens.render.colour import to_rgb
from fieldlens.render.grid import Extent, draw, picture_extent, pixel_points

from .fits import Fit, Fits
from .layout import LAYERS, WIDTH, Scale, colour_of, frame, maps, row_of_charts, target_tile

FACE = (92, 16, 156, 80)
"""A window of the picture in pixels: left, top, right, bottom."""
EYE = (99, 42, 111, 54)
"""A smaller one, for more cells than a window of that size can show."""
RADIUS = 0.35
"""Of the ball that the network of three coordinates is fitted to."""


def exact_cells(fits: Fits) -> Figure:
    """Cells with raw coordinates, by the layers of their creases and with the slope in each."""
    fit, _ = fits.picture
    side = max(fit.size)
    window = scaled(FACE, side)
    found = cells(fit.network, window)
    gradients, _ = found.affine(np.arange(len(found.areas)))
    corners = np.split(found.vertices[found.corners] * side, found.offsets[1:-1])
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    whole, cut, affine = figure.subplots(1, 3)
    whole.imshow(to_rgb(fit.drawn), extent=(0, fit.size[1], fit.size[0], 0))
    left, top, right, bottom = FACE
    whole.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor="white"))
    frame(whole, f"{fit.name}: {count_cells(fit.network, picture_extent(*fit.size)).count:,} cells in all")
    creases_over(cut, fit, FACE, found)
    frame(cut, f"{found.counts.count:,} in the window; creases by layer")
    steepness = np.linalg.norm(gradients, axis=(1, 2)) / side
    polygons = PolyCollection(corners, array=steepness, norm=LogNorm(1e-3, 0.1, clip=True), edgecolors="none")
    affine.add_collection(polygons)
    affine.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    frame(affine, "|A|: one slope in each cell")
    figure.colorbar(polygons, ax=affine, label="value per px", shrink=0.85)
    layer_legend(cut, len(fit.network.width_per_layer))
    return figure


def interpolated_cells(fits: Fits) -> Figure:
    """A small window under both encodings."""
    raw, encoded = fits.picture
    side = max(raw.size)
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    target, *axes = figure.subplots(1, 3)
    left, top, right, bottom = EYE
    target.imshow(to_rgb(raw.target[top:bottom, left:right]), extent=(left, right, bottom, top))
    frame(target, "target")
    exact = cells(raw.network, scaled(EYE, side))
    meshed = surrogate_cells(encoded.network, scaled(EYE, side))
    for axis, fit, found in zip(axes, (raw, encoded), (exact, meshed), strict=True):
        creases_over(axis, fit, EYE, found)
    frame(axes[0], f"{raw.name}: {exact.counts.count:,} cells, exact")
    frame(
        axes[1],
        f"{encoded.name}: {meshed.counts.count:,} cells, pitch {meshed.pitch * side:.2g} px",
    )
    layer_legend(axes[0], len(raw.network.width_per_layer))
    return figure


def scaled(window: tuple[int, int, int, int], side: int) -> Extent:
    """A window given in pixels, in image coordinates."""
    left, top, right, bottom = (edge / side for edge in window)
    return left, top, right, bottom


def creases_over(axis: Axes, fit: Fit, window: tuple[int, int, int, int], found: Cells | SurrogateCells) -> None:
    """A window of the reconstruction, enlarged, and over it the edges between cells in the colours of their layers."""
    left, top, right, bottom = window
    side = max(fit.size)
    drawn = fit.view.draw(fit.saved.field, 512, 512, scaled(window, side))
    axis.imshow(to_rgb(drawn) // 2, extent=(left, right, bottom, top))
    within = found.edge_layers >= 0
    lines = found.vertices[found.edges[within]] * side
    colours = np.array(LAYERS)[found.edge_layers[within]]
    axis.add_collection(LineCollection(list(lines), colors=colours, linewidths=0.5))


def layer_legend(axis: Axes, layers: int) -> None:
    """Names of the colours of creases."""
    handles = [Line2D([], [], color=LAYERS[layer], label=f"layer {layer + 1}") for layer in range(layers)]
    axis.legend(
        handles=handles,
        fontsize=5,
        loc="lower right",
        handlelength=1,
        framealpha=1,
        facecolor="0.2",
        labelcolor="white",
    )


def plane(_: Fits) -> Figure:
    """A network that knows a ball from what is around it, and its cells on three planes."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _step in range(600):
        points = torch.rand(2048, 3)
        inside = ((points - 0.5).norm(dim=1, keepdim=True) < RADIUS).float()
        model.zero_grad()
        nn.functional.mse_loss(model(points), inside).backward()
        optimizer.step()
    network = relu_network(model, lambda x: x, dim=3)
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    axes = figure.subplots(1, 3).tolist()
    cuts = {
        "z = 0.5": Plane((0.0, 0.0, 0.5), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        "z = 0.8": Plane((0.0, 0.0, 0.8), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        "y = z": Plane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 1.0)),
    }
    shown = None
    for axis, (name, cut) in zip(axes, cuts.items(), strict=True):
        on_cut = on_plane(network, cut)
        found = cells(on_cut)
        values = draw(lambda x, cut=cut: model(cut.points(x)), 256, 256)[..., 0]
        shown = axis.imshow(values, extent=(0, 1, 1, 0), cmap="cividis", vmin=0, vmax=1)
        points = pixel_points(256, 256)
        ball = (cut.points(points.flatten(0, 1)) - 0.5).norm(dim=1).reshape(256, 256)
        axis.contour(points[..., 0], points[..., 1], ball, [RADIUS], colors="#e08214", linewidths=1.5)
        lines = found.vertices[found.edges]
        axis.add_collection(LineCollection(list(lines), colors="white", linewidths=0.5))
        axis.set(title=f"plane {name}: {found.counts.count} cells", xlabel="s", ylabel="t")
        axis.grid(visible=False)
    assert shown is not None
    figure.colorbar(shown, ax=axes, label="value (1 in the ball)", shrink=0.85, pad=0.01)
    return figure


def patterns(fits: Fits) -> Figure:
    """Counts of distinct patterns on ever closer samples."""
    figure, (counts, share) = row_of_charts(2)
    curves = {fit: pattern_curve(fit.network, *fit.size, densities=8, refine=4) for fit in fits.picture}
    for fit, curve in curves.items():
        label = f"{fit.name}: last halving +{curve.growth:.0%}"
        counts.plot(curve.spacing_px, curve.counts, marker="o", color=colour_of(fit), label=label)
        share.plot(curve.spacing_px, curve.counts / curve.samples, marker="o", color=colour_of(fit))
    raw, _ = fits.picture
    exact, sampled = count_cells(raw.network, picture_extent(*raw.size)).count, curves[raw]
    counts.axhline(exact, color=colour_of(raw), linestyle="--", label=f"{raw.name}: exact cells, {exact:,}")
    counts.plot(sampled.spacing_px, sampled.samples, color="0.5", linestyle=":", label="as many as samples")
    counts.set(yscale="log", title="distinct patterns", ylabel="patterns")
    share.axhline(0.6, color="0.5", linestyle=":")
    share.set(title="per sample (saturated above 0.6)", ylabel="patterns / samples", ylim=(0, 1.05))
    for axis in (counts, share):
        axis.set_xscale("log", base=2)
        axis.set_xticks(sampled.spacing_px, [f"{px:g}" for px in sampled.spacing_px])
        axis.set_xlabel("spacing of samples in px")
        axis.invert_xaxis()
    counts.legend(fontsize=6)
    return figure


def hamming(fits: Fits) -> Figure:
    """Mean Hamming distance within the window about each pixel."""
    pair = fits.picture
    window = max(2, pair[0].size[0] * 25 // 256)
    found = [hamming_means(fit.network, *fit.size, window_px=window, sliding=True) for fit in pair]
    tiles = [
        (f"{fit.name}: local {means.local.sum():.0f}, global {means.global_.sum():.0f}", means.local_map.sum(0))
        for fit, means in zip(pair, found, strict=True)
        if means.local_map is not None
    ]
    neurons = sum(pair[0].network.width_per_layer)
    scale = Scale(f"neurons, of {neurons}", Normalize(0, max(values.max() for _, values in tiles)))
    return maps([target_tile(pair[0]), *tiles], scale, pair[0].size)
