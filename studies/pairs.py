"""How the pixels of a finished run get their steps: gradient confusion and the kernel, drawn and summed up."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8

from analysis import (
    ConfusionMap,
    CorrelationLength,
    Kernel,
    WindowConfusion,
    confusion_map,
    global_pairs,
    kernel,
    kernel_correlation_length,
    local_pairs,
    pixel_confusion,
    rate_agreement,
    window_confusion,
)
from analysis.detail.verdicts import percent
from configs.errors import InputError
from configs.files import write_json
from render.colour import confusion_legend, confusion_rgb, length_legend, length_rgb
from render.files import write_png
from render.panel import Tile, panel
from scenes.scene import Batch

from .checkpoints import checkpoint_steps
from .folder import RunFolder
from .redraw import Saved, analysis_path, open_run, picture_view, refresh_report
from .reporter import Reporter, Silent

PAIRS = 10_000
RADIUS = 25 / 512
"""Local pairs are at most this share of the longer side apart, as far as in Lazzari & Liu; global ones further."""
MAP_SIDE = 128
"""Pixels along the longer side whose confusion with their neighbours is measured."""
WINDOWS = 16
"""Windows along the longer side."""
WINDOW_SAMPLES = 16
"""Pixels along the side of a window whose pairs are counted."""
KERNEL_PIXELS = 1024
LENGTH_SIDE = 32
"""Pixels along the longer side around which the correlation length is measured."""
SHOWN_EIGENVALUES = 64


def measure_confusion(
    folder: RunFolder, *, step: int | None = None, reporter: Reporter | None = None
) -> dict[str, Any]:
    """Measure the gradient confusion of a run: of nearby and far-apart pairs, as a map, and within windows.

    Writes `confusion.png` and `confusion.json` to the run's `analysis/`, or to `analysis/step<N>/` for a step that is
    not the newest.

    Returns:
        `path` of the drawing, `report` (None before the run's first end), a `summary` in words, and what confusion.json
        says.

    Raises:
        InputError: for a picture of less than four pixels along the longer side, a fit that has diverged, or as
            `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    target = picture_view(saved, "--confusion").target()
    height, width = target.shape[:2]
    longer = max(height, width)
    radius = max(1, round(RADIUS * longer))
    if longer < 4:
        raise InputError(f"confusion of near and far pixels needs 4 pixels along a side; this picture has {longer}")
    generator = torch.Generator().manual_seed(saved.config.seed)
    summaries = {}
    for done, (name, draw) in enumerate((("local", local_pairs), ("global", global_pairs))):
        reporter.working("measuring pairs of pixels", done / 2)
        pairs = draw(height, width, PAIRS, radius, generator)
        summaries[name] = pixel_confusion(saved.field, target, pairs).summary()
    reporter.working("mapping confusion", 0.0)
    found = confusion_map(saved.field, target, stride=math.ceil(longer / MAP_SIDE))
    side = max(2, round(longer / WINDOWS))
    within = window_confusion(
        saved.field,
        target,
        window_px=side,
        stride=math.ceil(side / WINDOW_SAMPLES),
        progress=lambda done: reporter.working("measuring windows", done),
    )
    path = analysis_path(folder, saved.step)
    write_png(path / "confusion.png", confusion_picture(found, within))
    near = summaries["local"].cosine
    summary = {
        "step": saved.step,
        "radius_px": radius,
        **{name: summed.to_json() for name, summed in summaries.items()},
        "map": {"mean": _mean(_cosines(found)), "distance_px": found.distance_px, "stride": found.stride},
        "windows": {
            "window_px": within.windows.side,
            "stride": within.stride,
            "cosine": _rows(within.cosine),
            "strength": _rows(within.strength),
            "eta": _rows(within.eta),
            "zero_gradient_pairs": within.zero_gradient_pairs.tolist(),
        },
        "units": "cosines of two pixels' loss gradients; eta in squared units of the gradient; windows row by row",
    }
    write_json(path / "confusion.json", summary)
    words = (
        f"pixels up to {radius} px apart: mean cosine {near.mean:.2f}, {percent(near.negative_share)} hinder each "
        f"other, step {saved.step}"
    )
    report = refresh_report(folder, saved.step)
    return {"path": str(path / "confusion.png"), "report": report, "summary": words, **summary}


def measure_kernel(folder: RunFolder, *, step: int | None = None, reporter: Reporter | None = None) -> dict[str, Any]:
    """Measure the neural tangent kernel of a run on pixels of its picture, in luma, and how far a step reaches.

    Where an earlier checkpoint is kept, also whether what its kernel says is quick to learn went first since then.
    Writes `kernel.png`, the correlation length, and `kernel.json`, as `measure_confusion` does.

    Returns:
        `path` of the drawing, `report` (None before the run's first end), a `summary` in words, and what kernel.json
        says.

    Raises:
        InputError: for a fit that has diverged, or as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter)
    view = picture_view(saved, "--kernel")
    reporter.working("measuring the kernel", 0.0)
    generator = torch.Generator().manual_seed(saved.config.seed)
    batch = folder.scene().batch(generator, min(KERNEL_PIXELS, view.height * view.width))
    now = kernel(saved.field, batch.coordinates.to(saved.device), "luma")
    residual = _residual(saved, batch)
    lengths = kernel_correlation_length(
        saved.field,
        view.height,
        view.width,
        stride=math.ceil(max(view.height, view.width) / LENGTH_SIDE),
        progress=lambda done: reporter.working("measuring how far a step reaches", done),
    )
    path = analysis_path(folder, saved.step)
    write_png(path / "kernel.png", length_picture(lengths))
    alignment = now.alignment(residual)
    summary = {
        "step": saved.step,
        "pixels": len(batch.coordinates),
        "entropy_rank": now.entropy_rank,
        "participation_ratio": now.participation_ratio,
        "eigenvalue_sum": float(now.eigenvalues.sum()),
        "leading_eigenvalues": now.eigenvalues[:SHOWN_EIGENVALUES].tolist(),
        "alignment": {str(m): float(alignment[m - 1]) for m in (1, 4, 16, 64, 256, 1024) if m <= len(alignment)},
        "correlation_length": {
            "level": lengths.level,
            "median_x": _median(lengths.x),
            "median_y": _median(lengths.y),
            "stride": lengths.stride,
        },
        "rate_agreement": _agreement(folder, saved, batch, residual, reporter),
        "units": "luma; lengths in pixels; alignment: share of the residual along so many leading eigenvectors",
    }
    write_json(path / "kernel.json", summary)
    words = f"effective rank {now.entropy_rank:.1f} of {len(now.eigenvalues)} pixels, step {saved.step}"
    report = refresh_report(folder, saved.step)
    return {"path": str(path / "kernel.png"), "report": report, "summary": words, **summary}


def _agreement(
    folder: RunFolder, saved: Saved, batch: Batch, residual: Float[np.ndarray, "n c"], reporter: Reporter
) -> dict[str, Any] | None:
    """Of the earliest checkpoint's kernel with what went since; None where there is no earlier one."""
    earliest = checkpoint_steps(folder.checkpoints)[0]
    if earliest >= saved.step:
        return None
    reporter.working("measuring the kernel of an earlier checkpoint", 0.0)
    before = open_run(folder, earliest, reporter)
    then: Kernel = kernel(before.field, batch.coordinates.to(before.device), "luma")
    agreement = rate_agreement(then, _residual(before, batch), residual)
    return {
        "from_step": before.step,
        "rank_correlation": agreement.rank_correlation,
        "directions": len(agreement.eigenvalues),
    }


@torch.no_grad()
def _residual(saved: Saved, batch: Batch) -> Float[np.ndarray, "n c"]:
    return saved.field(batch.coordinates.to(saved.device)).cpu().numpy() - batch.values.numpy()


def confusion_picture(found: ConfusionMap, within: WindowConfusion) -> UInt8[np.ndarray, "h w 3"]:
    """Cosines of neighbours and within windows beside each other, with the scale below."""
    windows = within.windows.spread(within.cosine)[:: found.stride, :: found.stride]
    tiles = [
        Tile(confusion_rgb(_cosines(found)), f"with neighbours, {found.distance_px} px"),
        Tile(confusion_rgb(windows), f"within windows, {within.windows.side} px"),
    ]
    return _with_legend(tiles, "Do steps for pixels help each other?", confusion_legend)


def length_picture(lengths: CorrelationLength) -> UInt8[np.ndarray, "h w 3"]:
    """Correlation lengths along rows and along columns beside each other, with the scale below."""
    tiles = [Tile(length_rgb(lengths.x), "along rows"), Tile(length_rgb(lengths.y), "along columns")]
    return _with_legend(tiles, "How far a step for a pixel reaches", length_legend)


def _with_legend(tiles: Sequence[Tile], title: str, legend: Any) -> UInt8[np.ndarray, "h w 3"]:
    drawn = panel(tiles, title, min_side=384)
    return np.vstack([drawn, legend(max(24, drawn.shape[1] // 30), drawn.shape[1])])


def _cosines(found: ConfusionMap) -> Float[np.ndarray, "rows columns"]:
    """The map, NaN where no neighbour has a cosine."""
    return np.where(found.neighbours > 0, found.cosine, np.float32(np.nan))


def _rows(values: Float[np.ndarray, "rows columns"]) -> list[list[float | None]]:
    return [[_finite(value) for value in row] for row in values.tolist()]


def _mean(values: Float[np.ndarray, "rows columns"]) -> float | None:
    return None if np.isnan(values).all() else _finite(float(np.nanmean(values)))


def _median(lengths: Float[np.ndarray, "rows columns"]) -> float | None:
    """None where most are infinite, or there is none."""
    return None if np.isnan(lengths).all() else _finite(float(np.nanquantile(lengths, 0.5, method="lower")))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
