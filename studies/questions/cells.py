"""The cells of a finished run: drawn over the picture or a slice through the scene, and summed up in numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, UInt8

from fieldlens.analysis import ReluNetwork, on_plane, relu_network
from fieldlens.analysis.partition.exact_cells import Cells, cells, is_affine
from fieldlens.analysis.partition.interpolated_cells import (
    MAX_CELLS,
    SurrogateCells,
    TooManyCellsError,
    surrogate_cells,
)
from fieldlens.configs.errors import InputError, counted
from fieldlens.configs.files import write_json, write_text
from fieldlens.configs.records import to_json
from fieldlens.configs.space import Slice
from fieldlens.fields import position_of
from fieldlens.render.colour import layer_colour, to_rgb
from fieldlens.render.files import write_png
from fieldlens.render.grid import Extent
from fieldlens.render.lines import LayerStrip, below, hex_of, image_svg, lines_over
from fieldlens.render.text import BACKGROUND
from fieldlens.studies.runs.answers import Areas, CellsFound, Drawn, Interpolation
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import Saved, analysis_path, open_run, refresh_report

from ..subjects.choice import is_spatial, spatial
from .rendering import WHOLE, Region, region_extent
from .table import QUESTIONS

DRAWN_SIDE = 1024
"""Pixels along the longer side of the picture under the cells."""

THUMBNAIL_SIDE = 160
"""Pixels along the longer side of the whole picture, on which the region is framed."""

NARROWEST = 400
"""Pixels across that the strip below a drawing takes, for its words."""

MAX_DRAWN_LINES = 100_000
"""Lines in a drawing of vectors, 3 MB; where there are more, it holds the picture with the lines in it instead."""


Progress: TypeAlias = Callable[[float], None]
Draw: TypeAlias = Callable[[int, int, Extent | None, Progress | None], UInt8[np.ndarray, "_ _ 3"]]
"""Draws what cells lie on, of a height and width, whole or in an extent of it."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What cells lie on: a picture, or a slice through the cube of a 3D scene."""

    network: ReluNetwork
    """Of its coordinates."""
    height: int
    width: int
    """In the unit of lengths: a picture's pixels, or sides of the cube."""
    unit: str
    units: str
    """In full."""
    draw: Draw


def draw_cells(
    folder: RunFolder,
    *,
    region: Region = WHOLE,
    slice: Slice | None = None,
    step: int | None = None,
    max_cells: int | None = None,
    reporter: Reporter | None = None,
) -> Drawn[CellsFound]:
    """Find the cells of a run in a region of its picture, or of a slice through its scene; draw and sum them up.

    With raw coordinates they are exact; under an encoding they are those of the network with the encoding interpolated
    on a mesh, refined until their number settles. Writes `cells.svg`, `cells.png` and `cells.json` to the run's
    `analysis/`, or to `analysis/step<N>/` for a step that is not the newest.

    Args:
        region: shares of the picture, or of the slice as it is drawn.
        slice: of a 3D scene.
        max_cells: of a region under an encoding, `MAX_CELLS` by default; one that would hold more is refused.

    Raises:
        InputError: where there are no creases (SIREN), for a region that leaves the picture or would hold too many
            cells, a 3D scene without a slice or with a hash grid, another scene with one, or as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter, into=folder.analysis)
    ground = _ground(saved, slice)
    extent = region_extent(region, ground.height, ground.width)
    arrangement = _cut(ground.network, region, extent, max_cells, partial(reporter.working, "cutting cells"))
    scale = DRAWN_SIDE / max(extent[2] - extent[0], extent[3] - extent[1])
    height, width = (max(1, round((extent[i + 2] - extent[i]) * scale)) for i in (1, 0))
    picture = ground.draw(height, width, extent, partial(reporter.working, "drawing"))
    strip = LayerStrip(max(width, NARROWEST), arrangement.layers.hidden, *_where(ground, region))
    path = analysis_path(folder, saved.step)
    _write_drawings(
        path,
        counted(arrangement.counts.count, "cell"),
        picture,
        strip,
        _lines_of_layers(arrangement, extent, height, width),
    )
    found = cells_found(arrangement, ground, saved.step, region, slice)
    write_json(path / "cells.json", to_json(found))
    return Drawn(path / "cells.svg", refresh_report(folder, saved.step, reporter), found)


def _cut(
    network: ReluNetwork, region: Region, extent: Extent, max_cells: int | None, progress: Progress
) -> Cells | SurrogateCells:
    """The cells of a network in an extent: exact ones where its coordinates are raw."""
    if is_affine(network):
        if max_cells is not None:
            raise InputError(
                "--max-cells is for cells under an encoding, and this run has raw coordinates; leave it out"
            )
        return cells(network, extent, progress=progress)
    max_cells = MAX_CELLS if max_cells is None else max_cells
    try:
        return surrogate_cells(network, extent, max_cells=max_cells, progress=progress)
    except TooManyCellsError as error:
        raise InputError(_too_many(region, error, max_cells)) from None


def _lines_of_layers(
    arrangement: Cells | SurrogateCells, extent: Extent, height: int, width: int
) -> list[Float[np.ndarray, "_ 2 2"]]:
    """The creases of each layer, in pixels of a drawing of the extent."""
    left, top, right, bottom = extent
    lines = (arrangement.vertices - [left, top])[arrangement.edges] * [width / (right - left), height / (bottom - top)]
    return [lines[arrangement.edge_layers == layer] for layer in range(arrangement.layers.hidden)]


def _write_drawings(
    path: Path,
    title: str,
    picture: UInt8[np.ndarray, "h w 3"],
    strip: LayerStrip,
    of_layer: Sequence[Float[np.ndarray, "_ 2 2"]],
) -> None:
    """Write `cells.svg`, with lines as vectors unless they are too many, and `cells.png`."""
    over = picture
    for layer, segments in reversed(list(enumerate(of_layer))):  # the first layer's, which are the fewest, on top
        over = lines_over(over, segments, opacity=0.9, colour=layer_colour(layer))
    too_many = sum(map(len, of_layer)) > MAX_DRAWN_LINES
    write_text(path / "cells.svg", lines_svg(title, over if too_many else picture, [] if too_many else of_layer, strip))
    write_png(path / "cells.png", below(over, strip.image()))


def _ground(saved: Saved, cut: Slice | None) -> Ground:
    """What the cells of a run lie on.

    Raises:
        InputError: for a 3D scene without a slice or with a hash grid, another scene with one, or a signal.
    """
    QUESTIONS["cells"].check(saved.subject)
    if cut is None:
        if is_spatial(saved.subject):
            raise InputError("cells of a 3D scene are those on a slice of its cube; name one, such as --slice z=0.5")
        view = saved.view
        return Ground(
            relu_network(saved.field),
            view.height,
            view.width,
            "px",
            "pixels of the picture; areas in square pixels",
            lambda height, width, extent, progress: _shown(
                view.draw(saved.field, height, width, extent, device=saved.device, progress=progress)
            ),
        )
    section = spatial(saved.subject, "--slice is").section(saved.field, cut)
    return Ground(
        on_plane(relu_network(position_of(saved.field)), section.plane),
        1,
        1,
        "sides",
        "sides of the scene's cube; areas in square sides",
        lambda height, width, extent, progress: section.picture(
            section.values(height, width, extent, device=saved.device, progress=progress)
        ),
    )


def _where(ground: Ground, region: Region) -> tuple[UInt8[np.ndarray, "h w 3"] | None, Region]:
    """A small drawing of the whole, to show on it where the region is; none where it is all of it."""
    if region == WHOLE:
        return None, region
    scale = THUMBNAIL_SIDE / max(ground.height, ground.width)
    height, width = (max(1, round(side * scale)) for side in (ground.height, ground.width))
    return ground.draw(height, width, None, None), region


def _shown(drawn: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    """Colours without the alpha: lines are to be seen, not a checkerboard."""
    return to_rgb(drawn[..., :-1] if drawn.shape[-1] % 2 == 0 else drawn)


def cells_found(
    arrangement: Cells | SurrogateCells, ground: Ground, step: int, region: Region, cut: Slice | None
) -> CellsFound:
    """Numbers of cells, lengths of creases and areas, in the ground's unit, and how far they are exact."""
    scale = max(ground.height, ground.width)
    areas, lengths = arrangement.areas * scale**2, arrangement.counts.length_per_layer
    low, median, high = (float(area) for area in np.quantile(areas, [0.05, 0.5, 0.95]))
    mesh = None
    if isinstance(arrangement, SurrogateCells):
        mesh = Interpolation(
            arrangement.pitch * scale,
            ground.unit,
            arrangement.tolerance,
            arrangement.change,
            list(arrangement.count_per_pitch),
        )
    return CellsFound(
        step=step,
        slice=None if cut is None else str(cut),
        region=list(region),
        cells=arrangement.counts.count,
        cells_per_layer=list(arrangement.counts.count_per_layer),
        crease_length_per_layer=[length * scale for length in lengths],
        crease_length_per_area=sum(lengths) * scale / float(areas.sum()),
        area=Areas(float(areas.mean()), low, median, high, float(areas.max())),
        units=f"{ground.units}; cells_per_layer counts those of the first layers",
        exact=mesh is None,
        interpolation=mesh,
    )


def lines_svg(
    title: str,
    picture: UInt8[np.ndarray, "h w 3"],
    of_layer: Sequence[Float[np.ndarray, "_ 2 2"]],
    strip: LayerStrip,
) -> str:
    """A picture, over it thin lines between pairs of points in each layer's colour, and below it what they mean."""
    paths = "".join(
        f'<path fill="none" stroke="{hex_of(layer_colour(layer))}" stroke-opacity="0.9" '
        f'stroke-width="0.7" d="{_path(lines)}"/>\n'
        for layer, lines in reversed(list(enumerate(of_layer)))
    )
    height, width = len(picture) + strip.height, max(picture.shape[1], strip.width)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<title>{title}</title>\n"
        f'<rect width="{width}" height="{height}" fill="{hex_of(BACKGROUND)}"/>\n'
        f"{image_svg(picture)}\n{paths}{strip.svg(len(picture))}\n</svg>\n"
    )


def _path(lines: Float[np.ndarray, "_ 2 2"]) -> str:
    return "".join(f"M{x0:.2f} {y0:.2f}L{x1:.2f} {y1:.2f}" for (x0, y0), (x1, y1) in lines.tolist())


def _too_many(region: Region, error: TooManyCellsError, max_cells: int) -> str:
    """What to type instead: a region around the same middle."""
    left, top, wide, high = region
    shares = left + wide * (1 - error.shrink) / 2, top + high * (1 - error.shrink) / 2, wide * error.shrink
    words = " ".join(f"{share:.4g}" for share in (*shares, high * error.shrink))
    return (
        f"this region would hold about {error.foreseen:,.0f} cells and the limit is {max_cells:,}: "
        f"take a smaller one, such as --region {words}, or raise --max-cells"
    )
