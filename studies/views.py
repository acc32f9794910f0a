"""All views of a 3D scene on one sheet, each with how close the field comes to it."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from analysis import psnr_db
from configs.files import write_json
from render.colour import error_legend, error_rgb, to_rgb
from render.files import write_png
from render.lines import below
from render.panel import Tile, panel
from render.text import BACKGROUND
from scenes.pictures.area import area_average, fitted_size
from scenes.scene import View

THUMBNAIL_SIDE = 100
"""Pixels along the longer side of a view on the sheet, at most."""

MOST_VIEWS = 20
"""On a sheet; of more, these are spread evenly."""

COLUMNS = 3

GAP = 4
"""Pixels between the pictures of a view."""

LEGEND = 26, 300
"""Height and width of the scale of errors, and the margin around it."""
MARGIN = 13


def write_views(
    path: Path, views: Sequence[View], drawn: Sequence[Float[np.ndarray, "_ _ _"]], *, kind: str, compared: str
) -> None:
    """Write `views.png`, the sheet, and `views.json`, the PSNR of every view, into a folder.

    Args:
        drawn: each view whole.
        kind: what the views are, such as "held-out views".
        compared: the pictures of each, such as "photograph, reconstruction, error".
    """
    found = [psnr_db(view.target(), one) for view, one in zip(views, drawn, strict=True)]
    count = min(len(views), MOST_VIEWS)
    chosen = [len(views) * number // count for number in range(count)]
    tiles = [Tile(triple(views[i].target(), drawn[i]), f"{views[i].name}   {_decibels(found[i])}") for i in chosen]
    of = f"{count} of {len(views)}" if count < len(views) else f"{count}"
    sheet = panel(tiles, f"{of} {kind}: {compared}", columns=min(count, COLUMNS))
    write_png(path / "views.png", below(sheet, _legend()))
    scores = [
        {"name": view.name, "psnr_db": psnr if math.isfinite(psnr) else None}
        for view, psnr in zip(views, found, strict=True)
    ]
    write_json(path / "views.json", {"kind": kind, "compared": compared, "drawn": count, "views": scores})


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
    strip = np.full((height + MARGIN, width + 2 * MARGIN, 3), BACKGROUND, np.uint8)
    strip[:height, MARGIN:-MARGIN] = error_legend(height, width)
    return strip


def _decibels(psnr: float) -> str:
    return f"{psnr:.2f} dB" if math.isfinite(psnr) else "n/a"
