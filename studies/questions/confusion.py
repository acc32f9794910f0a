"""Gradient confusion of a finished run: whether steps for its pixels help or hinder each other, drawn and summed up."""

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8

from fieldlens.analysis import (
    ConfusionMap,
    WindowConfusion,
    confusion_map,
    global_pairs,
    local_pairs,
    pixel_confusion,
    window_confusion,
)
from fieldlens.analysis.gradients.confusion import ConfusionSummary
from fieldlens.configs.errors import InputError
from fieldlens.configs.files import write_json
from fieldlens.configs.records import to_json
from fieldlens.render.colour import confusion_legend, confusion_rgb
from fieldlens.render.files import write_png
from fieldlens.render.panel import Tile
from fieldlens.studies.runs.answers import ConfusionFound, Drawn, NeighbourConfusion, WindowsFound
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import Saved, analysis_path, open_run, refresh_report

from .drawing import with_legend
from .table import QUESTIONS

COUNTED_PAIRS = 10_000
RADIUS = 25 / 512
"""Near pairs are at most this share of the longer side apart, as far as in Lazzari & Liu; far ones further."""
NEIGHBOURS_SIDE = 128
"""Pixels along the longer side whose confusion with their neighbours is measured."""
WINDOWS = 16
"""Windows along the longer side."""
WINDOW_SAMPLES = 16
"""Pixels along the side of a window whose pairs are counted."""


def measure_confusion(
    folder: RunFolder, *, step: int | None = None, reporter: Reporter | None = None
) -> Drawn[ConfusionFound]:
    """Measure the gradient confusion of a run: of nearby and far-apart pairs, as a map, and within windows.

    Writes `confusion.png` and `confusion.json` to the run's `analysis/`, or to `analysis/step<N>/` for a step that is
    not the newest.

    Raises:
        InputError: for a picture of less than four pixels along the longer side, a fit that has diverged, or as
            `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter, into=folder.analysis)
    QUESTIONS["confusion"].check(saved.subject)
    longer = max(saved.view.height, saved.view.width)
    if longer < 4:
        raise InputError(f"confusion of near and far pixels needs 4 pixels along a side; this picture has {longer}")
    target, side = saved.view.target(), max(2, round(longer / WINDOWS))
    radius = max(1, round(RADIUS * longer))
    near, far = _pairs(saved, target, radius, reporter)
    reporter.working("mapping confusion", 0.0)
    mapped = confusion_map(saved.field, target, stride=math.ceil(longer / NEIGHBOURS_SIDE))
    within = window_confusion(
        saved.field,
        target,
        window_px=side,
        stride=math.ceil(side / WINDOW_SAMPLES),
        progress=lambda done: reporter.working("measuring windows", done),
    )
    path = analysis_path(folder, saved.step)
    write_png(path / "confusion.png", confusion_picture(mapped, within))
    neighbours = NeighbourConfusion(_mean(_cosines(mapped)), mapped.distance_px, mapped.stride)
    found = ConfusionFound(saved.step, radius, near, far, neighbours, _windows(within))
    write_json(path / "confusion.json", to_json(found))
    return Drawn(path / "confusion.png", refresh_report(folder, saved.step, reporter), found)


def _pairs(
    saved: Saved, target: Float[np.ndarray, "h w c"], radius: int, reporter: Reporter
) -> tuple[ConfusionSummary, ConfusionSummary]:
    """Confusion of pairs of pixels up to `radius` apart, and of those farther apart."""
    height, width, _ = target.shape
    generator = torch.Generator().manual_seed(saved.config.seed)
    found = []
    for done, draw in enumerate((local_pairs, global_pairs)):
        reporter.working("measuring pairs of pixels", done / 2)
        pairs = draw(height, width, COUNTED_PAIRS, radius, generator)
        found.append(pixel_confusion(saved.field, target, pairs).summary())
    near, far = found
    return near, far


def _windows(within: WindowConfusion) -> WindowsFound:
    return WindowsFound(
        window_px=within.windows.side,
        stride=within.stride,
        cosine=_rows(within.cosine),
        strength=_rows(within.strength),
        eta=_rows(within.eta),
        zero_gradient_pairs=within.zero_gradient_pairs.tolist(),
    )


def confusion_picture(found: ConfusionMap, within: WindowConfusion) -> UInt8[np.ndarray, "h w 3"]:
    """Cosines of neighbours and within windows beside each other, with the scale below."""
    windows = within.windows.spread(within.cosine)[:: found.stride, :: found.stride]
    tiles = [
        Tile(confusion_rgb(_cosines(found)), f"with neighbours, {found.distance_px} px"),
        Tile(confusion_rgb(windows), f"within windows, {within.windows.side} px"),
    ]
    return with_legend(tiles, "Do steps for pixels help each other?", confusion_legend)


def _cosines(found: ConfusionMap) -> Float[np.ndarray, "rows columns"]:
    """The map, NaN where no neighbour has a cosine."""
    return np.where(found.neighbours > 0, found.cosine, np.float32(np.nan))


def _rows(values: Float[np.ndarray, "rows columns"]) -> list[list[float | None]]:
    return [[value if math.isfinite(value) else None for value in row] for row in values.tolist()]


def _mean(values: Float[np.ndarray, "rows columns"]) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))
