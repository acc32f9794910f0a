"""The exact cells of a finished run: drawn over the picture, and summed up in numbers."""

import base64
from typing import Any

import numpy as np

from analysis import Cells, cells, relu_network
from render.colour import to_rgb

from .checkpoints import checkpoint_steps
from .folder import RunFolder, png_bytes, write_json, write_text
from .redraw import WHOLE, Region, open_run, region_extent
from .reporter import Reporter, Silent

DRAWN_SIDE = 1024
"""Pixels along the longer side of the picture under the cells."""


def draw_cells(
    folder: RunFolder, *, region: Region = WHOLE, step: int | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Find the cells of a run of raw coordinates in a region of its picture, exactly; draw them and sum them up.

    Writes `cells.svg` and `cells.json` to the run's `analysis/`, or to `analysis/step<N>/` for a step that is not the
    newest.

    Returns:
        `path` of the drawing and what cells.json says.

    Raises:
        InputError: where creases are curved (any encoding but raw) or there are none (SIREN), for a region that leaves
            the picture, or as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    view = saved.view
    extent = region_extent(region, view)
    found = cells(relu_network(saved.field), extent, progress=lambda done: reporter.working("cutting cells", done))
    left, top, right, bottom = extent
    scale = DRAWN_SIDE / max(right - left, bottom - top)
    height, width = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
    drawn = view.draw(
        saved.field, height, width, extent, device=saved.device, progress=lambda done: reporter.working("drawing", done)
    )
    newest = saved.step == checkpoint_steps(folder.checkpoints)[-1]
    path = folder.analysis if newest else folder.analysis / f"step{saved.step:07d}"
    colour = drawn[..., :-1] if drawn.shape[-1] % 2 == 0 else drawn
    write_text(path / "cells.svg", cells_svg(found, png_bytes(to_rgb(colour)), height, width))
    summary = {"step": saved.step, "region": list(region)} | cells_summary(found, max(view.height, view.width))
    write_json(path / "cells.json", summary)
    return {"path": str(path / "cells.svg"), **summary}


def cells_summary(found: Cells, pixels_per_unit: float) -> dict[str, Any]:
    """Numbers of cells, lengths of creases and areas, in pixels of the picture."""
    areas = found.areas * pixels_per_unit**2
    low, median, high = np.quantile(areas, [0.05, 0.5, 0.95])
    return {
        "cells": found.counts.count,
        "cells_per_layer": list(found.counts.count_per_layer),
        "crease_length_per_layer": [length * pixels_per_unit for length in found.counts.length_per_layer],
        "crease_length_per_area": sum(found.counts.length_per_layer) * pixels_per_unit / float(areas.sum()),
        "area": {
            "mean": float(areas.mean()),
            "quantile_05": float(low),
            "median": float(median),
            "quantile_95": float(high),
            "largest": float(areas.max()),
        },
        "units": "pixels of the picture; areas in square pixels; cells_per_layer counts those of the first layers",
    }


def cells_svg(found: Cells, png: bytes, height: int, width: int) -> str:
    """A drawing of that size: the picture, and over it each edge of the cells as a thin line."""
    left, top, right, bottom = found.window
    across, down = width / (right - left), height / (bottom - top)
    points = (found.vertices - [left, top]) * [across, down]
    lines = "".join(f"M{x0:.2f} {y0:.2f}L{x1:.2f} {y1:.2f}" for (x0, y0), (x1, y1) in points[found.edges].tolist())
    picture = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<title>{found.counts.count} cells</title>\n"
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{picture}"/>\n'
        f'<path fill="none" stroke="#fff" stroke-opacity="0.7" stroke-width="0.5" d="{lines}"/>\n'
        "</svg>\n"
    )
