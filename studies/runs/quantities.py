"""Every quantity of the study, of one field at one moment: the columns of `over_training.csv`.

Lengths are in pixels of the picture. Local windows and neighbours are as large a part of the picture as the authors':
50 of 512 pixels for patterns, and up to 25 of 512 for pairs of gradients (arXiv 2301.05816).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike

from fieldlens.analysis import (
    BEND,
    COAREA,
    Density,
    ReluNetwork,
    band_labels,
    bending,
    crease_density,
    crossings,
    distinct_patterns,
    explain,
    global_pairs,
    hamming_means,
    kernel,
    local_complexity,
    local_pairs,
    nearest_crease,
    neuron_angles,
    pixel_confusion,
    psnr_db,
    radial_spectra,
    region_narrowness,
    slopes,
    spectral_norms,
    stable_ranks,
)
from fieldlens.analysis.detail.bands import compare_bands, luma, spectrum
from fieldlens.analysis.detail.statistics import QUANTILES, rank_correlation
from fieldlens.analysis.gradients.confusion import Confusion, at_pixels
from fieldlens.analysis.patterns.distinct_patterns import SATURATED_SHARE
from fieldlens.fields import Field
from fieldlens.scenes.scene import View
from fieldlens.studies.subjects.creases import creased

from .history import History

Measures = dict[str, float]
"""Numbers by column; what is not defined for a field or at a moment is left out."""

LOCAL = 50 / 512
"""Side of a local window, as a share of the picture's longer side."""
PAIRS = 5_000
"""Pairs of pixels, local ones and global ones; the authors draw 50,000."""
KERNEL_POINTS = 256
"""Pixels of the kernel; the time for its eigenvalues grows with the cube."""
SAMPLED_SIDE = 256
"""Maps are sampled about this often along the longer side."""
COARSE_SIDE = 32
"""And those of which only the mean is asked, and which take many passes, about this often."""

SOMETIMES = {
    *("crease_missing", "crease_foretold", "bend_detail"),
    *("confusion_local", "confusion_global", "missing", "smooth_share", "heldout_psnr_db"),
}
"""Quantities that a small picture, one without held-out pixels, or a field that does not bend, may not have, or that
take the end of a fit to say (`studies.foretelling`)."""


@dataclass(frozen=True)
class Quantity:
    """What columns of one name mean."""

    title: str
    unit: str
    logarithmic: bool = False
    """Whether a chart of it wants a logarithmic axis."""


QUANTITIES: Mapping[str, Quantity] = {
    "psnr_db": Quantity("PSNR", "dB"),
    "heldout_psnr_db": Quantity("PSNR of held-out pixels", "dB"),
    "error": Quantity("error by octave of wavelengths", "share of the target's energy", True),
    "kept": Quantity("energy by octave of wavelengths", "share of the target's", True),
    "missing": Quantity("missing in the explained octave", "share of the target's energy", True),
    "resolved": Quantity("ring correlation of 1/7 or more up to", "cycles per px"),
    "patterns": Quantity("distinct patterns", "", True),
    "unique_share": Quantity("distinct patterns per sampled pixel", "share"),
    "hamming_local": Quantity("Hamming distance in local windows", "neurons"),
    "hamming_global": Quantity("Hamming distance over all pairs", "neurons"),
    "hamming_opposite": Quantity("Hamming distance between opposite quadrants", "neurons"),
    "dead": Quantity("dead neurons", "neurons"),
    "always_on": Quantity("neurons that are always on", "neurons"),
    "crossings": Quantity("crossings", "per pixel step", True),
    "crease_length": Quantity("crease density", "px per square px", True),
    "bend": Quantity("bend density", "value per square px", True),
    "smooth_share": Quantity("smooth share of the second derivative", "share"),
    "complexity": Quantity("neurons that change sign within 1 px", "neurons", True),
    "crease_distance": Quantity("mean distance to the nearest crease", "px", True),
    "slope": Quantity("mean slope of the field", "value per px", True),
    "crease_missing": Quantity("crease density and missing detail, partial rank correlation", ""),
    "crease_foretold": Quantity("crease density and detail missing at the end, partial rank correlation", ""),
    "bend_detail": Quantity("bend density and detail, rank correlation", ""),
    "narrowness": Quantity("mean of the least |z| / |w|, in no space of its own", "", True),
    "norm": Quantity("spectral norm by layer", "", True),
    "norm_product": Quantity("product of spectral norms", "", True),
    "stable_rank": Quantity("stable rank between hidden layers", "", True),
    "row_cosine": Quantity("mean cosine between the neurons of a layer", ""),
    "confusion_local": Quantity("cosine of the gradients of local pairs", ""),
    "confusion_global": Quantity("cosine of the gradients of global pairs", ""),
    "kernel_rank": Quantity("entropy rank of the kernel", f"of {KERNEL_POINTS} pixels", True),
    "kernel_alignment": Quantity("residual along a tenth of the kernel's eigenvectors", "share of its energy"),
}
"""By name. A column is named so, with what it is of after a double underscore: `hamming_local__layer1`,
`error__2_4_px`, `confusion_local__std`."""


PATTERN_COUNTS = ("patterns", "unique_share")
"""Quantities that many samples with a pattern of their own hold down."""


def measure(field: Field, view: View, *, seed: int, quadrant_gap: float = 0.0) -> Measures:
    """Measure a field over a view.

    Args:
        seed: draws pairs and points, and should be the same at every step of a run.
        quadrant_gap: between opposite quadrants, as a share of the longer side.
    """
    device = field.device
    target = view.target()
    drawn = view.draw(field, device=device)
    measures = {"psnr_db": psnr_db(target, drawn, view.trained), **_errors(target, drawn)}
    if view.heldout is not None:
        measures["heldout_psnr_db"] = psnr_db(target, drawn, view.heldout)
    if not np.isfinite(drawn).all():
        return {name: value for name, value in measures.items() if math.isfinite(value)}
    network = creased(field)
    if network is not None:
        measures |= _creases(network, target, drawn, quadrant_gap)
    measures |= _gradients(field, target, drawn, torch.Generator().manual_seed(seed))
    return {name: float(value) for name, value in measures.items() if math.isfinite(value)}


def has_every_quantity(history: History, *, heldout: bool = False) -> bool:
    """Whether a history has every quantity that is measured now of a ReLU network over a picture, and no other.

    Args:
        heldout: whether the picture has held-out pixels, whose PSNR belongs to them then.
    """
    # a norm is of the output layer too: up to two, and no matrix lies between hidden layers
    never = {"stable_rank"} if len(history.parts("norm")) <= 2 else set()
    always = set(QUANTITIES) - SOMETIMES - never | ({"heldout_psnr_db"} if heldout else set())
    return always <= set(history.quantities) <= set(QUANTITIES)


def saturation_caveat(history: History, quantity: str) -> str | None:
    """What has to be said of counts of patterns where so many samples have one of their own that they hold it down."""
    if quantity not in PATTERN_COUNTS:
        return None
    crowded = int((history["unique_share"] > SATURATED_SHARE).sum())
    if not crowded:
        return None
    return (
        f"At {crowded} of {len(history.steps)} steps (open circles) more than {100 * SATURATED_SHARE:.0f} % of the "
        "samples have a pattern of their own: there the count is held down by the samples and must not be compared."
    )


def _errors(target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"]) -> Measures:
    """Residual and reconstruction over target energy by octave, where the target has any, and what is resolved."""
    energies = compare_bands(spectrum(luma(target)), spectrum(luma(drawn)))
    labels = [label.replace("-", "_").replace(" ", "_") for label in band_labels(*target.shape[:2])]
    there = energies.target > energies.floor
    resolved = radial_spectra(target, drawn).resolved_frequency()
    return {
        f"{name}__{label}": float(share)
        for name, shares in (("error", energies.missing_fraction), ("kept", energies.kept))
        for label, share, has_energy in zip(labels, shares, there, strict=True)
        if has_energy
    } | ({} if resolved is None else {"resolved": resolved})


def _creases(
    network: ReluNetwork, target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"], quadrant_gap: float
) -> Measures:
    height, width, _ = target.shape
    side = max(height, width)
    stride = math.ceil(side / SAMPLED_SIDE)
    patterns = distinct_patterns(network, height, width, stride=stride)
    window, gap = max(2 * stride, round(LOCAL * side)), round(quadrant_gap * side)
    hamming = hamming_means(network, height, width, window_px=window, stride=stride, gap_px=gap)
    flips = crossings(network, height, width, stride=stride)
    density = crease_density(network, height, width, stride=stride, bend=True)
    assert density.bend is not None  # it was asked for
    norms = spectral_norms(network)
    coarse = math.ceil(side / COARSE_SIDE)
    complexity = local_complexity(network, height, width, stride=coarse)
    return {
        "patterns": patterns.count,
        "unique_share": patterns.unique_share,
        "crossings": float(flips.mean_per_pixel.mean()),
        "crease_distance": nearest_crease(network, height, width, stride=stride).mean_px,
        **_explanation(target, drawn, density),
        "narrowness": region_narrowness(network, height, width, stride=stride).overall,
        "norm_product": float(np.prod(norms)),
        "slope": float(slopes(network, height, width, stride=stride).frobenius.mean()),
        **_by_layer("hamming_local", hamming.local),
        **_by_layer("hamming_global", hamming.global_),
        **_by_layer("hamming_opposite", hamming.opposite),
        **_by_layer("dead", flips.dead),
        **_by_layer("always_on", flips.always_on),
        **_by_layer("crease_length", density.length.mean((1, 2))),
        **_by_layer("bend", density.bend.mean((1, 2))),
        "smooth_share": bending(network, height, width, stride=coarse).smooth_share,
        **_by_layer("complexity", complexity.neurons.mean((1, 2))),
        **_by_layer("norm", norms),
        **_ranks(network),
        **_by_layer("row_cosine", [angles.mean for angles in neuron_angles(network)]),
    }


def _ranks(network: ReluNetwork) -> Measures:
    """Stable rank of each matrix between hidden layers, named by the layer that it leads to, and their mean.

    The first matrix and the last are left out: their ranks are at most the few inputs and outputs that there are.
    """
    ranks = stable_ranks(network)[1:-1]
    return {"stable_rank": float(ranks.mean()), **_by_layer("stable_rank", ranks, first=2)} if len(ranks) else {}


def _explanation(target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"], density: Density) -> Measures:
    """Over the windows of the explanation: bends where there is detail, detail missing where creases are few?"""
    assert density.bend is not None
    found = explain(target, drawn, {COAREA: density.length.sum(0), BEND: density.bend.sum(0)})
    detail = rank_correlation(found.densities[BEND].ravel(), found.energies.target.ravel())
    missing = next((band.missing for band in found.bands if band.label == found.band), None)
    numbers = {"crease_missing": found.primary.estimate, "bend_detail": detail, "missing": missing}
    return {name: value for name, value in numbers.items() if value is not None}


def _gradients(
    field: Field, target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"], generator: torch.Generator
) -> Measures:
    height, width, _ = target.shape
    if max(height, width) < 4:  # no pixels are far from each other
        return _kernel(field, target, drawn, generator)
    reach = max(1, round(LOCAL * max(height, width) / 2))
    measures: Measures = {}
    for name, pairs in (
        ("confusion_local", local_pairs(height, width, PAIRS, reach, generator)),
        ("confusion_global", global_pairs(height, width, PAIRS, 2 * reach, generator)),
    ):
        measures |= cosine_columns(name, pixel_confusion(field, target, pairs))
    return measures | _kernel(field, target, drawn, generator)


def cosine_columns(name: str, found: Confusion) -> Measures:
    """Mean, spread and quantiles of cosines, as columns of a quantity."""
    cosine = found.summary().cosine
    measures = {f"{name}__mean": cosine.mean, f"{name}__std": cosine.standard_deviation}
    return measures | {f"{name}__q{round(100 * at):02}": q for at, q in zip(QUANTILES, cosine.quantiles, strict=True)}


def _kernel(
    field: Field, target: Float[np.ndarray, "h w c"], drawn: Float[np.ndarray, "h w c"], generator: torch.Generator
) -> Measures:
    """Rank of the kernel of luma, and how much of the residual lies along the leading tenth of its eigenvectors."""
    error = drawn - target
    pixels = torch.randperm(error[..., 0].size, generator=generator)[:KERNEL_POINTS]
    points, residual = at_pixels(field, error, pixels)
    found = kernel(field, points, "luma")
    leading = max(1, len(pixels) // 10)
    return {
        "kernel_rank": found.entropy_rank,
        "kernel_alignment": float(found.alignment(residual.cpu().numpy())[leading - 1]),
    }


def _by_layer(name: str, values: ArrayLike, first: int = 1) -> Measures:
    return {f"{name}__layer{number}": float(value) for number, value in enumerate(np.asarray(values), start=first)}
