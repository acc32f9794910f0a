"""The frame of a step with its maps, and the sheet of all views of a 3D scene, each with how close the field comes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from jaxtyping import Float, UInt8

from fieldlens.analysis import psnr_db
from fieldlens.configs.errors import counted
from fieldlens.configs.records import to_json
from fieldlens.render.colour import density_legend, error_legend, error_rgb, to_rgb
from fieldlens.render.lines import below
from fieldlens.render.panel import Legend, Tile, panel
from fieldlens.render.text import BACKGROUND
from fieldlens.scenes.pictures.area import area_average, fitted_size
from fieldlens.scenes.scene import View

from .found import Files, Image, Values

DENSITY = "density"
SPEED = "speed"
PROGRESS = "progress"
LEVERAGE = "leverage"
MAPS = (DENSITY, SPEED, PROGRESS)
"""Names of the maps of frames, in the order in which they stand. That of leverage is made at the end alone."""

THUMBNAIL_SIDE = 100
"""Pixels along the longer side of a view on the sheet, at most."""

MOST_VIEWS = 20
"""On a sheet; of more, these are spread evenly from the worst to the best."""

SHEET_COLUMNS = 3

GAP = 4
"""Pixels between the pictures of a view."""

LEGEND = 26, 300
"""Height and width of the scale of errors."""
LEGEND_MARGIN = 13
"""Pixels below the scale, and on either side of it."""


@dataclass(frozen=True)
class MapLook:
    """What is written under a map."""

    caption: str
    legend: Legend
    note: str = ""
    """What has to be said beside the step that it is of."""


@dataclass(frozen=True, eq=False)
class DrawnMap:
    """A map as frames show it, and the step that it is of."""

    step: int
    picture: Image


CREASE_DENSITY: Mapping[str, MapLook] = {DENSITY: MapLook("crease density", density_legend)}
"""Crossings per pixel, of what has no other map."""


def map_tiles(looks: Mapping[str, MapLook], drawn: Mapping[str, DrawnMap]) -> list[Tile]:
    """A tile of each map that was drawn, in the order of their looks."""
    return [
        Tile(drawn[name].picture, f"{look.caption}, step {drawn[name].step}{look.note}", legend=look.legend)
        for name, look in looks.items()
        if name in drawn
    ]


@dataclass(frozen=True)
class ViewScore:
    """How close a field comes to one view."""

    name: str
    psnr_db: float | None
    """None where there is no number for it."""


@dataclass(frozen=True)
class ViewScores:
    """How close a field comes to each view of a scene: views.json."""

    kind: str
    """What the views are, such as "held-out views"."""
    compared: str
    """The pictures of each on the sheet, such as "photograph, reconstruction, error"."""
    drawn: int
    """How many of the views are on the sheet."""
    views: Sequence[ViewScore]

    @property
    def sentence(self) -> str:
        """What each row of the sheet has, and how the views' PSNR spread."""
        scored = sorted(((v.psnr_db, v.name) for v in self.views if v.psnr_db is not None), key=itemgetter(0))
        scores = ""
        if scored:
            (low, lowest), (high, highest) = scored[0], scored[-1]
            mean = np.mean([psnr for psnr, _ in scored])
            spread = f"from {low:.2f} dB ({lowest}) to {high:.2f} dB ({highest})"
            scores = f" Mean PSNR of {counted(len(scored), 'view')}: {mean:.2f} dB, {spread}."
        return f"{self.compared.capitalize()} of each.{scores}"


def sheet_files(
    views: Sequence[View], drawn: Sequence[Float[np.ndarray, "_ _ _"]], *, kind: str, compared: str
) -> Files:
    """`views.png`, the sheet with the worst view first, and `views.json`, the PSNR of every view.

    Args:
        drawn: each view whole.
        kind, compared: as `ViewScores` says.
    """
    found = [psnr_db(view.target(), one) for view, one in zip(views, drawn, strict=True)]
    count = min(len(views), MOST_VIEWS)
    worst_first = sorted(
        range(len(views)), key=lambda number: found[number] if math.isfinite(found[number]) else -math.inf
    )
    chosen = [worst_first[(len(views) - 1) * number // max(1, count - 1)] for number in range(count)]
    tiles = [Tile(triple(views[i].target(), drawn[i]), f"{views[i].name}   {_decibels(found[i])}") for i in chosen]
    of = f"{count} of {len(views)}" if count < len(views) else f"{count}"
    sheet = panel(tiles, f"{of} {kind}, worst first: {compared}", columns=min(count, SHEET_COLUMNS))
    named = [
        ViewScore(view.name, psnr if math.isfinite(psnr) else None) for view, psnr in zip(views, found, strict=True)
    ]
    scores = ViewScores(kind, compared, count, named)
    return Files(pictures={"views": below(sheet, _legend())}, numbers={"views": to_json(scores)})


def triple(
    target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"]
) -> UInt8[np.ndarray, "small_h small_w 3"]:
    """A view's target, its reconstruction and its error side by side, reduced by area averaging."""
    height, width, _ = target.shape
    size = fitted_size(height, width, THUMBNAIL_SIDE)
    gap = np.full((size[0], GAP, 3), BACKGROUND, np.uint8)
    pictures = [to_rgb(area_average(target, *size)), to_rgb(area_average(drawn, *size))]
    return np.hstack([pictures[0], gap, pictures[1], gap, error_rgb(target, drawn, size=size)])


def _legend() -> UInt8[np.ndarray, "h w 3"]:
    height, width = LEGEND
    strip = np.full((height + LEGEND_MARGIN, width + 2 * LEGEND_MARGIN, 3), BACKGROUND, np.uint8)
    strip[:height, LEGEND_MARGIN:-LEGEND_MARGIN] = error_legend(height, width)
    return strip


def _decibels(psnr: float) -> str:
    return f"{psnr:.2f} dB" if math.isfinite(psnr) else "n/a"


def frame_of(
    target_tile: Tile,
    drawn_tile: Tile,
    error: tuple[Values, Values],
    title: str,
    further: Sequence[Tile],
) -> Image:
    """Target, reconstruction, error, and what else there is.

    Args:
        error: the target and the reconstruction, of one size, whose difference is drawn.
    """
    return panel([target_tile, drawn_tile, Tile(error_rgb(*error), "error"), *further], title)
