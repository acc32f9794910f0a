"""The neural tangent kernel of a finished run: its ranks, its alignment, and how far a step for a pixel reaches."""

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8

from fieldlens.analysis import CorrelationLength, kernel, kernel_correlation_length, rate_agreement
from fieldlens.configs.files import write_json
from fieldlens.configs.records import to_json
from fieldlens.render.colour import length_legend, length_rgb
from fieldlens.render.files import write_png
from fieldlens.render.panel import Tile
from fieldlens.scenes.scene import Batch
from fieldlens.studies.runs.answers import Drawn, KernelAgreement, KernelFound, Lengths
from fieldlens.studies.runs.checkpoints import checkpoint_steps
from fieldlens.studies.runs.folder import RunFolder
from fieldlens.studies.runs.reporter import Reporter, Silent
from fieldlens.studies.runs.saved import Saved, analysis_path, open_run, refresh_report

from .drawing import with_legend
from .table import QUESTIONS

KERNEL_PIXELS = 1024
LENGTH_SIDE = 32
"""Pixels along the longer side around which the correlation length is measured."""
SHOWN_EIGENVALUES = 64
ALIGNED = (1, 4, 16, 64, 256, 1024)
"""Leading eigenvectors whose share of the residual is told."""


def measure_kernel(
    folder: RunFolder, *, step: int | None = None, reporter: Reporter | None = None
) -> Drawn[KernelFound]:
    """Measure the neural tangent kernel of a run on pixels of its picture, in luma, and how far a step reaches.

    Where an earlier checkpoint is kept, also whether what its kernel says is quick to learn went first since then.
    Writes `kernel.png`, the correlation length, and `kernel.json`, as `measure_confusion` does.

    Raises:
        InputError: for a fit that has diverged, or as `open_run` does.
    """
    reporter = reporter or Silent()
    saved = open_run(folder, step, reporter, into=folder.analysis)
    QUESTIONS["kernel"].check(saved.subject)
    view = saved.view
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
    found = KernelFound(
        step=saved.step,
        pixels=len(batch.coordinates),
        entropy_rank=now.entropy_rank,
        participation_ratio=now.participation_ratio,
        eigenvalue_sum=float(now.eigenvalues.sum()),
        leading_eigenvalues=now.eigenvalues[:SHOWN_EIGENVALUES].tolist(),
        alignment={str(m): float(alignment[m - 1]) for m in ALIGNED if m <= len(alignment)},
        correlation_length=Lengths(lengths.level, _median(lengths.x), _median(lengths.y), lengths.stride),
        rate_agreement=_agreement(folder, saved, batch, residual, reporter),
    )
    write_json(path / "kernel.json", to_json(found))
    return Drawn(path / "kernel.png", refresh_report(folder, saved.step, reporter), found)


def _agreement(
    folder: RunFolder, saved: Saved, batch: Batch, residual: Float[np.ndarray, "n c"], reporter: Reporter
) -> KernelAgreement | None:
    """Of the earliest checkpoint's kernel with what went since; None where there is no earlier one."""
    earliest = checkpoint_steps(folder.checkpoints)[0]
    if earliest >= saved.step:
        return None
    reporter.working("measuring the kernel of an earlier checkpoint", 0.0)
    before = open_run(folder, earliest, reporter)
    then = kernel(before.field, batch.coordinates.to(before.device), "luma")
    agreement = rate_agreement(then, _residual(before, batch), residual)
    return KernelAgreement(before.step, agreement.rank_correlation, len(agreement.eigenvalues))


@torch.no_grad()
def _residual(saved: Saved, batch: Batch) -> Float[np.ndarray, "n c"]:
    return saved.field(batch.coordinates.to(saved.device)).cpu().numpy() - batch.values.numpy()


def length_picture(lengths: CorrelationLength) -> UInt8[np.ndarray, "h w 3"]:
    """Correlation lengths along rows and along columns beside each other, with the scale below."""
    tiles = [Tile(length_rgb(lengths.x), "along rows"), Tile(length_rgb(lengths.y), "along columns")]
    return with_legend(tiles, "How far a step for a pixel reaches", length_legend)


def _median(lengths: Float[np.ndarray, "rows columns"]) -> float | None:
    """None where most are infinite, or there is none."""
    median = math.nan if np.isnan(lengths).all() else float(np.nanquantile(lengths, 0.5, method="lower"))
    return median if math.isfinite(median) else None
