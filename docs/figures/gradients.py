"""How a fit gets its steps: confusion and the kernel."""

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from fieldlens.analysis import (
    confusion_map,
    global_pairs,
    kernel,
    kernel_correlation_length,
    local_pairs,
    pixel_confusion,
    rate_agreement,
)
from fieldlens.analysis.gradients.confusion import at_pixels
from fieldlens.render.colour import CONFUSION_RANGE, LENGTH_RANGE

from .fits import Fit, Fits
from .layout import Scale, colour_of, maps, row_of_charts, target_tile


def confusion_maps(fits: Fits) -> Figure:
    """Mean cosine of each pixel with its neighbours."""
    found = [(fit, confusion_map(fit.saved.field, fit.target)) for fit in fits.picture]
    tiles = [
        (f"{fit.name}: mean {made.cosine.mean():.2f}", np.where(made.neighbours > 0, made.cosine, np.nan))
        for fit, made in found
    ]
    scale = Scale("cosine with the neighbours 1 px away", Normalize(*CONFUSION_RANGE), "cividis")
    return maps([target_tile(found[0][0]), *tiles], scale, found[0][0].size)


def confusion_distribution(fits: Fits) -> Figure:
    """Cosines of nearby and of far-apart pairs."""
    figure, axes = row_of_charts(2)
    reach = max(1, max(fits.picture[0].size) * 25 // 512)
    for axis, (title, drawn, px) in zip(
        axes,
        (
            (f"local: up to {reach} px apart", local_pairs, reach),
            (f"global: more than {2 * reach} px apart", global_pairs, 2 * reach),
        ),
        strict=True,
    ):
        for fit in fits.picture:
            pairs = drawn(*fit.size, 20_000, px, torch.Generator().manual_seed(0))
            found = pixel_confusion(fit.saved.field, fit.target, pairs)
            summary = found.summary().cosine
            label = f"{fit.name}: half width {summary.half_width:.2f}, {summary.negative_share:.0%} below 0"
            axis.hist(
                found.cosine[~found.zero_gradient],
                np.linspace(-1, 1, 81).tolist(),
                density=True,
                histtype="step",
                color=colour_of(fit),
                label=label,
            )
        axis.set(title=title, xlabel="cosine of two pixels' loss gradients", ylabel="density of pairs", yscale="log")
        axis.legend(fontsize=6)
    return figure


def kernels(fits: Fits) -> Figure:
    """Eigenvalues, and how much of the residual lies along the leading eigenvectors."""
    figure, (spectrum, aligned) = row_of_charts(2)
    rows = 0
    for fit in fits.picture:
        points, residual = residual_at(fit, pixels_of(fit))
        found = kernel(fit.saved.field, points, "luma")
        values, rows = found.eigenvalues / found.eigenvalues.sum(), len(points)
        label = f"{fit.name}: entropy rank {found.entropy_rank:.1f}, participation {found.participation_ratio:.1f}"
        spectrum.plot(np.arange(rows) + 1, values, color=colour_of(fit), label=label)
        aligned.plot(np.arange(rows) + 1, found.alignment(residual), color=colour_of(fit), label=fit.name)
    aligned.plot([1, rows], [1 / rows, 1], color="0.5", linestyle=":", label="no particular direction: m / rows")
    spectrum.set(xscale="log", yscale="log", ylim=(1e-9, 1), title=f"eigenvalues over {rows} pixels, luma")
    spectrum.set(xlabel="number", ylabel="share of their sum")
    aligned.set(xscale="log", yscale="log", title="alignment of what is left", xlabel="leading eigenvectors m")
    aligned.set_ylabel("share of the residual's energy")
    for axis in (spectrum, aligned):
        axis.legend(fontsize=6)
    return figure


def pixels_of(fit: Fit, count: int = 1024) -> torch.Tensor:
    """Pixels by number, spread over the picture."""
    height, width = fit.size
    return torch.randperm(height * width, generator=torch.Generator().manual_seed(0))[:count]


def residual_at(fit: Fit, pixels: torch.Tensor) -> tuple[torch.Tensor, Float[np.ndarray, "n c"]]:
    """Image coordinates of pixels and what is left there."""
    points, residual = at_pixels(fit.saved.field, fit.drawn - fit.target, pixels)
    return points, residual.numpy()


def correlation_length(fits: Fits) -> Figure:
    """How far a step for a pixel reaches along its row."""
    pair = fits.picture
    found = [kernel_correlation_length(fit.saved.field, *fit.size, stride=4) for fit in pair]
    tiles = [
        (f"{fit.name}: median {np.median(lengths.x):.2g} px", np.minimum(lengths.x, lengths.longest_px))
        for fit, lengths in zip(pair, found, strict=True)
    ]
    scale = Scale("px along rows to half", LogNorm(*LENGTH_RANGE, clip=True), "plasma")
    return maps([target_tile(pair[0]), *tiles], scale, pair[0].size)


def decay(fits: Fits) -> Figure:
    """Whether parts along larger eigenvalues decayed more, from three checkpoints on."""
    figure, axes = row_of_charts(2)
    for axis, fit in zip(axes, fits.picture, strict=True):
        pixels = pixels_of(fit)
        left = {step: residual_at(fit.at(step), pixels)[1] for step in fit.steps}
        points, _ = residual_at(fit, pixels)
        for start, style in zip(fit.steps[1::4], ("-", "--", ":"), strict=False):
            found = kernel(fit.at(start).saved.field, points, "luma")
            later = [step for step in fit.steps if step > start]
            agreed = [rate_agreement(found, left[start], left[s], directions=256).rank_correlation for s in later]
            axis.plot(
                later,
                np.array(agreed, np.float64),  # NaN where undefined
                style,
                marker="o",
                color=colour_of(fit),
                markersize=3,
                label=f"kernel of step {start}",
            )
        axis.axhline(0, color="black", linewidth=0.7)
        axis.set(title=f"{fit.name}: eigenvalue and decay", xscale="log", ylim=(-1.05, 1.05))
        axis.set(xlabel="decay up to step", ylabel="rank correlation")
        axis.legend(fontsize=6)
    return figure
