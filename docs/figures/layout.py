"""How the pictures are laid out: maps of a picture on one scale, charts beside each other, and PNG files of both."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from jaxtyping import Real, UInt8
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from PIL import Image

from fieldlens.render.colour import LAYER_COLOURS, to_rgb
from fieldlens.studies.runs.charts import COLOURS

from .fits import Fit

Drawn: TypeAlias = Figure | UInt8[np.ndarray, "h w 3"]
"""A figure, or a picture that the program draws by itself."""

WIDTH = 8.2
"""Of every picture, in inches."""
RESOLUTION = 120
"""Pixels per inch: a little more than what a page shows, for screens with small pixels."""
COLOUR = {True: COLOURS[0], False: COLOURS[-1]}
"""Of raw coordinates, and of the encoding, in charts: as in the study's figures."""
LAYERS = tuple((red / 255, green / 255, blue / 255) for red, green, blue in LAYER_COLOURS)
"""Colours of creases by layer, as the program draws them on signals."""


@dataclass(frozen=True)
class Scale:
    """How numbers become colours, and what stands beside the bar."""

    label: str
    norm: Normalize
    cmap: str = "viridis"


Tiles = Sequence[tuple[str, Real[np.ndarray, "_ _"] | UInt8[np.ndarray, "_ _ 3"]]]
"""Titles, and maps of numbers or pictures in RGB."""


def maps(tiles: Tiles, scale: Scale, size: tuple[int, int]) -> Figure:
    """Maps of a picture of that size beside each other, on one scale."""
    figure = Figure(figsize=(WIDTH, (WIDTH - 1) / len(tiles) * size[0] / size[1] + 0.55), layout="constrained")
    axes = figure.subplots(1, len(tiles), squeeze=False)[0].tolist()
    show(axes, tiles, scale, size)
    return figure


def show(axes: Sequence[Axes], tiles: Tiles, scale: Scale, size: tuple[int, int]) -> None:
    """Maps in axes of their own, with a bar of colours at the right of the last one."""
    height, width = size
    shown = None
    for axis, (title, values) in zip(axes, tiles, strict=True):
        extent = (0, width, height, 0)
        if values.ndim == 3:
            axis.imshow(values, extent=extent)
        else:
            shown = axis.imshow(values, extent=extent, cmap=scale.cmap, norm=scale.norm, interpolation="nearest")
        frame(axis, title)
    if shown is not None:
        figure = axes[0].get_figure()
        assert figure is not None
        figure.colorbar(shown, ax=axes, label=scale.label, shrink=0.85, pad=0.01, aspect=25)


def frame(axis: Axes, title: str) -> None:
    """A part of the picture, with its pixels along both sides."""
    axis.set_title(title)
    axis.locator_params(nbins=3)
    axis.tick_params(labelsize=6)
    axis.set_xlabel("px", fontsize=6, labelpad=0)
    axis.grid(visible=False)


def row_of_charts(count: int, height: float = 2.7) -> tuple[Figure, list[Axes]]:
    """Charts beside each other."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False)[0].tolist()


def target_tile(fit: Fit) -> tuple[str, UInt8[np.ndarray, "_ _ 3"]]:
    """What was fitted, beside the maps of it."""
    return "target", to_rgb(fit.target)


def colour_of(fit: Fit) -> str:
    """Of its lines and bars."""
    return COLOUR[fit.name == "raw"]


def png_of(draw: Callable[[], Drawn]) -> bytes:
    """A drawing as PNG with at most 256 colours, a quarter of the size; the same fits give the same bytes."""
    with mpl.rc_context({"font.size": 7, "axes.titlesize": 7.5, "axes.grid": True, "grid.alpha": 0.3}):
        drawn = draw()
        if isinstance(drawn, Figure):
            buffer = io.BytesIO()
            drawn.savefig(buffer, format="png", dpi=RESOLUTION)
            image = Image.open(buffer).convert("RGB")
        else:
            image = Image.fromarray(drawn)
    # colours far from all others count as well as frequent ones: the rare ends of a scale must stay what they are
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    data = io.BytesIO()
    few.save(data, "PNG", optimize=True)
    return data.getvalue()
