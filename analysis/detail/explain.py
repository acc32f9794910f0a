"""Why is detail missing? What a reconstruction lacks, where its creases are, and whether the two go together.

The statistic that decides is fixed beforehand: the partial rank correlation of co-area density with residual energy
given target energy, over windows of the finest octave that holds at least a hundredth of the target's variance.
Everything else is secondary, labelled so, and without an interval: it is there to look at, not to choose from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from fieldlens.configs.errors import InputError

from .attribution import Attribution, attribute
from .bands import Energies, band_energies, luma, rounding_variance
from .densities import BEND, COAREA, CROSSINGS_PER_LENGTH, Maps
from .explanation import BAND_SHARE, Association, BandSummary, Explanation, LowestQuarter
from .octaves import Detail, octave_details
from .samples import ComparedView, Sample, blocks_of, compared_view, energies_of_all, sample_of
from .statistics import MIN_BLOCKS, RESAMPLES, share_in_lowest_quarter
from .verdicts import Findings, SubjectWord, verdict
from .windows import window_slopes


@dataclass(frozen=True, eq=False)
class SeenView:
    """One view of a scene: what should be seen, what is, and how much of each pixel is scene and not background."""

    target: Float[np.ndarray, "h w c"]
    reconstruction: Float[np.ndarray, "h w c"]
    densities: Maps
    """Maps as `explain` takes them, counted as much as the scene is seen: 0 where the opacity is. "coarea" is
    `length_per_area` of crossings per pixel."""
    opacity: Float[np.ndarray, "_ _"]
    """How much of the reconstruction's pixels is scene, 0 to 1; at full size or of every stride-th pixel."""


def explain(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    densities: Maps,
    *,
    seed: int = 0,
    peak: float = 1.0,
    resamples: int = RESAMPLES,
) -> Explanation:
    """Explain what a reconstruction lacks by densities of creases, summed over layers.

    `densities` holds a map for "coarea" (`COAREA`), or None where the network has no creases, and any others by name.
    Maps have the picture's size or are of every stride-th pixel (`Windows.mean_of_map`). Both pictures are clipped to
    [0, peak] and compared in luma.

    Raises `InputError` for maps of another picture's size, too coarse, or with values that are not finite. A
    reconstruction that is not finite is no error: the verdict says that the fit has diverged.
    """
    return _explain([compared_view(target, reconstruction, densities, peak)], "picture", seed, peak, resamples)


def explain_views(
    views: Sequence[SeenView], *, seed: int = 0, peak: float = 1.0, resamples: int = RESAMPLES
) -> Explanation:
    """Explain what reconstructions of several views of a scene lack, as `explain` does for a picture.

    The octave is chosen by the energies of all views together, and the statistics are over the windows of all views in
    which the scene has a mean opacity of at least `LEAST_OPACITY`. There, a density is the mean over what is seen of
    the scene. The blocks that are resampled are views.

    Raises `InputError` where there is no view, where views hold densities of other names, where one is so small that it
    does not have the octave of the others, and for maps as `explain` does.
    """
    if not views:
        raise InputError("there are no views to explain; give at least one")
    names = {frozenset(name for name, values in view.densities.items() if values is not None) for view in views}
    if len(names) > 1:
        raise InputError(f"views hold different densities: {', '.join(sorted(str(sorted(of)) for of in names))}")
    seen = [compared_view(view.target, view.reconstruction, view.densities, peak, view.opacity) for view in views]
    return _explain(seen, "scene", seed, peak, resamples)


def early_prediction(
    early_density: Float[np.ndarray, "_ _"],
    target: Float[np.ndarray, "h w c"],
    final_reconstruction: Float[np.ndarray, "h w c"],
    *,
    seed: int = 0,
    peak: float = 1.0,
    resamples: int = RESAMPLES,
) -> Association:
    """Does the co-area density at an early checkpoint say where detail is missing at the end?

    The statistic of the verdict, with the density of one checkpoint and the reconstruction of a later one. Training
    shapes a final density and the final error together; an early density was there before the error at the end. That is
    stronger than going together, but still no cause: what made the early density may go on to make the error.

    Raises `InputError` as `explain` does. The estimate is None for a reconstruction that is not finite, and for a
    picture of one tone.
    """
    views = [compared_view(target, final_reconstruction, {COAREA: early_density}, peak)]
    labels, overall = energies_of_all(views, peak)
    if overall.target.sum() <= rounding_variance(peak):
        return sample_of(views, labels[0]).undefined(COAREA)
    return sample_of(views, labels[explained_octave(overall.target)]).partial(COAREA, seed=seed, resamples=resamples)


def _explain(
    views: Sequence[ComparedView], subject: SubjectWord, seed: int, peak: float, resamples: int
) -> Explanation:
    diverged = any(view.diverged for view in views)
    labels, overall = energies_of_all(views, peak)
    variance = float(overall.target.sum())
    flat = variance <= rounding_variance(peak)
    finest = 0 if flat else explained_octave(overall.target)
    sample = sample_of(views, labels[finest])
    primary = sample.partial(COAREA, seed=seed, resamples=resamples)
    bands = _summaries(overall, None if flat else variance, labels)
    crossings = _typical_crossings(sample)
    first = sample.views[0]
    found = Findings(
        band=sample.label,
        diverged=diverged,
        flat=flat,
        missing=bands[finest].missing,
        crossings_per_pixel=crossings,
        correlation=primary.estimate,
        interval=primary.interval,
        blocks=primary.blocks,
        block_side=first.windows.block_side,
        subject=subject,
    )
    return Explanation(
        verdict=verdict(found),
        band=sample.label,
        primary=primary,
        secondary=(*_other_statistics(sample), *_other_bands(views, labels, finest)),
        attribution=None if diverged or flat else _attribution(views, sample, seed, resamples),
        lowest_quarter=_lowest_quarter(sample),
        crossings_per_pixel=crossings,
        bands=bands,
        windows=first.windows,
        energies=first.energies,
        densities=first.densities,
        seed=seed,
        resamples=resamples,
        subject=subject,
    )


def explained_octave(target: Float[np.ndarray, " bands"]) -> int:
    """Number of the finest octave that holds `BAND_SHARE` of a target's variance, given its energy in each.

    >>> explained_octave(np.array([0.001, 0.2, 0.8]))
    1
    """
    return int(np.argmax(target >= BAND_SHARE * target.sum()))


def explained_band(target: Float[np.ndarray, "h w c"]) -> int:
    """The number of the octave of a picture that is explained, 0 for 2-4 px; see `explained_octave`."""
    return explained_octave(band_energies(luma(target)))


def explained_details(target: Float[np.ndarray, "h w c"], most_pixels: int | None = None) -> list[Detail]:
    """What a target holds in each octave from the one that is explained on; nothing of one of one tone.

    Args:
        most_pixels: of all windows of an octave that are asked how fast they are moved, about; by default all.
    """
    energies = band_energies(luma(target))
    if energies.sum() <= rounding_variance():
        return []
    every = 1 if most_pixels is None else math.ceil(math.sqrt(target[..., 0].size / most_pixels))
    return [replace(detail, every=every) for detail in octave_details(target)[explained_octave(energies) :]]


def _attribution(views: Sequence[ComparedView], sample: Sample, seed: int, resamples: int) -> Attribution | None:
    """What each density adds to target energy, beside what the reconstruction says of its own error."""
    if not sample.densities or not len(sample.blocks):
        return None
    parts = zip(views, sample.views, strict=True)
    slopes = [window_slopes(view.shown, part.windows)[part.counts] for view, part in parts]
    own = {
        "slope of the reconstruction": np.concatenate(slopes),
        "detail of the reconstruction": sample.energies.reconstruction,
    }
    return attribute(
        sample.energies.residual,
        sample.energies.target,
        sample.densities | own,
        sample.blocks,
        tautologies={BEND, *own},
        floor=float(sample.rounding.max()),
        seed=seed,
        resamples=resamples,
    )


def _other_statistics(sample: Sample) -> list[Association]:
    """The other densities in the primary band, and every density without taking out the target's energy."""
    others = [sample.partial(density) for density in sample.densities if density != COAREA]
    return others + [sample.plain(density) for density in sample.densities]


def _other_bands(views: Sequence[ComparedView], labels: Sequence[str], finest: int) -> list[Association]:
    """All densities in the bands that all views have, and that make as many blocks as an interval needs."""
    if not views[0].densities:
        return []
    shared = [label for label in labels if all(label in view.labels for view in views) and label != labels[finest]]
    enough = [label for label in shared if blocks_of(views, label) >= MIN_BLOCKS]
    samples = (sample_of(views, label) for label in enough)
    return [sample.partial(density) for sample in samples for density in sample.densities]


def _lowest_quarter(sample: Sample) -> LowestQuarter | None:
    if COAREA not in sample.densities or not len(sample.blocks):
        return None
    density = sample.densities[COAREA]
    missing = share_in_lowest_quarter(sample.energies.residual, density)
    target = share_in_lowest_quarter(sample.energies.target, density)
    ratio = missing / target if missing is not None and target else None
    return LowestQuarter(COAREA, missing, target, ratio)


def _typical_crossings(sample: Sample) -> float | None:
    if COAREA not in sample.densities:
        return None
    density = sample.densities[COAREA]
    return float(np.median(density)) * CROSSINGS_PER_LENGTH if len(density) else 0.0


def _summaries(overall: Energies, variance: float | None, labels: tuple[str, ...]) -> tuple[BandSummary, ...]:
    has_energy = overall.target > overall.floor
    missing = np.where(has_energy, overall.missing_fraction, np.nan)
    numbers = zip(labels, overall.target, overall.kept, missing, overall.coherence, strict=True)
    return tuple(
        BandSummary(label, None if variance is None else float(energy) / variance, *map(_or_none, rest))
        for label, energy, *rest in numbers
    )


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
