"""Why is detail missing? What a reconstruction lacks, where its creases are, and whether the two go together.

The statistic that decides is fixed beforehand: the partial rank correlation of co-area density with residual energy
given target energy, over windows of the finest octave that holds at least a hundredth of the target's variance.
Everything else is secondary, labelled so, and without an interval: it is there to look at, not to choose from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from jaxtyping import Bool, Float, Int

from configs.errors import InputError

from .attribution import Attribution, attribute
from .bands import (
    Energies,
    band_labels,
    band_picture,
    compare_bands,
    luma,
    rounding_energies,
    rounding_variance,
    spectrum,
)
from .explanation import (
    BAND_SHARE,
    LEAST_OPACITY,
    PARTIAL,
    PLAIN,
    Association,
    BandSummary,
    Explanation,
    LowestQuarter,
)
from .statistics import (
    MIN_BLOCKS,
    RESAMPLES,
    Interval,
    block_bootstrap,
    partial_rank_correlation,
    rank_correlation,
    share_in_lowest_quarter,
)
from .verdict import Findings, Subject, verdict
from .windows import Windows, window_energies, window_slopes, windows_of

PRIMARY_DENSITY = "coarea"
"""The density that decides; the map under this name is crease length per area, in pixels per square pixel."""

BEND = "bend"
"""The density that is nearly the reconstruction itself: its second derivative, or, under an encoding, the part of it
that creases make. With the reconstruction's slope and its detail in the band, it is a tautology as an explanation."""

CROSSINGS_PER_LENGTH = 2 / np.pi
"""Crossings per pixel, mean over directions, for each pixel of crease length per square pixel (Crofton's formula)."""


Maps = Mapping[str, Float[np.ndarray, "_ _"] | None]
"""Densities by name, at the picture's size or of every stride-th pixel; None where a network has no creases."""


@dataclass(frozen=True, eq=False)
class SeenView:
    """One view of a scene: what should be seen, what is, and how much of each pixel is scene and not background."""

    target: Float[np.ndarray, "h w c"]
    reconstruction: Float[np.ndarray, "h w c"]
    densities: Maps
    """As `explain` takes them, counted as much as the scene is seen: 0 where the opacity is. "coarea" is crease length
    per area in the picture: crossings per pixel, summed over layers, times pi/2."""
    opacity: Float[np.ndarray, "_ _"]
    """Of the reconstruction, 0 to 1; at full size or of every stride-th pixel."""


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

    `densities` holds a map for "coarea" (see `PRIMARY_DENSITY`), or None where the network has no creases, and any
    others by name. Maps have the picture's size or are of every stride-th pixel (`Windows.mean_of_map`). Both pictures
    are clipped to [0, peak] and compared in luma.

    Raises `InputError` for maps of another picture's size, too coarse, or with values that are not finite. A
    reconstruction that is not finite is no error: the verdict says that the fit has diverged.
    """
    return _explain([_pair(target, reconstruction, densities, peak)], "picture", seed, peak, resamples)


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
    seen = [_pair(view.target, view.reconstruction, view.densities, peak, view.opacity) for view in views]
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
    views = [_pair(target, final_reconstruction, {PRIMARY_DENSITY: early_density}, peak)]
    labels, overall = _energies_of_all(views, peak)
    if overall.target.sum() <= rounding_variance(peak):
        return _sample(views, labels[0]).undefined(PRIMARY_DENSITY)
    return _sample(views, labels[_finest(overall)]).partial(PRIMARY_DENSITY, seed=seed, resamples=resamples)


@dataclass(frozen=True)
class _Places:
    """The windows of a band of one view."""

    windows: Windows
    opacity: Float[np.ndarray, "rows columns"]
    counts: Bool[np.ndarray, "rows columns"]
    """Whether each is part of the statistics."""
    blocks: Int[np.ndarray, "rows columns"]
    """Within this view."""


@dataclass(frozen=True)
class _Windowed:
    """One band of a target and its reconstruction in windows, with the densities there."""

    windows: Windows
    counts: Bool[np.ndarray, "rows columns"]
    energies: Energies
    rounding: float
    densities: dict[str, Float[np.ndarray, "rows columns"]]


@dataclass(frozen=True)
class _View:
    """Spectra of a target and its reconstruction, and the densities of the network: any band can be made of it."""

    target: Float[np.ndarray, "h w"]
    reconstruction: Float[np.ndarray, "h w"]
    shown: Float[np.ndarray, "h w"]
    """Luma of the reconstruction."""
    rounding: Float[np.ndarray, " bands"]
    densities: dict[str, Float[np.ndarray, "_ _"]]
    opacity: Float[np.ndarray, "_ _"] | None
    """None for a picture, all of which counts."""

    @property
    def labels(self) -> tuple[str, ...]:
        height, width = self.target.shape
        return band_labels(height, width)

    @property
    def diverged(self) -> bool:
        return not bool(np.isfinite(self.shown).all())

    def places(self, label: str) -> _Places:
        """Where a band is compared."""
        height, width = self.target.shape
        windows = windows_of(height, width, self.labels.index(label))
        if self.opacity is None:
            return _Places(windows, np.ones(windows.shape), np.ones(windows.shape, np.bool_), windows.blocks())
        opacity = windows.mean_of_map(self.opacity)
        return _Places(windows, opacity, opacity >= LEAST_OPACITY, np.zeros(windows.shape, np.int64))

    def in_windows(self, label: str, places: _Places) -> _Windowed:
        band = self.labels.index(label)
        windows, rounding = places.windows, float(self.rounding[band])
        pictures = band_picture(self.target, band), band_picture(self.reconstruction, band)
        # of what is seen of the scene; windows with less than the least opacity do not count, and are only drawn
        share = np.maximum(places.opacity, LEAST_OPACITY)
        return _Windowed(
            windows,
            places.counts,
            window_energies(*pictures, windows, rounding),
            rounding,
            {name: windows.mean_of_map(values) / share for name, values in self.densities.items()},
        )


@dataclass(frozen=True)
class _Sample:
    """The windows that count of one band of all views, one behind the other: what statistics are made of."""

    label: str
    views: list[_Windowed]
    energies: Energies
    rounding: Float[np.ndarray, " n"]
    """Energy of 8-bit rounding in the band: windows below it tie, or ranks would order the noise."""
    densities: dict[str, Float[np.ndarray, " n"]]
    blocks: Int[np.ndarray, " n"]
    """0, 1, ... of each; there are windows of every one."""

    def partial(self, density: str, *, seed: int | None = None, resamples: int = RESAMPLES) -> Association:
        """The partial rank correlation of a density, with its interval if a seed is given."""
        estimate, interval = None, None
        if density in self.densities and len(self.blocks) and np.isfinite(self.energies.residual).all():
            creases = self.densities[density]
            error = np.maximum(self.energies.residual, self.rounding)
            detail = np.maximum(self.energies.target, self.rounding)
            estimate = partial_rank_correlation(creases, error, detail)
            if estimate is not None and seed is not None:
                interval = block_bootstrap(creases, error, detail, self.blocks, seed=seed, resamples=resamples)
        return self._association(density, PARTIAL, estimate, interval)

    def undefined(self, density: str) -> Association:
        """For a picture that has no detail to miss."""
        return self._association(density, PARTIAL, None, None)

    def plain(self, density: str) -> Association:
        """The rank correlation of a density with the missing fraction."""
        missing = self.energies.missing_fraction
        defined = len(missing) and np.isfinite(missing).all()
        return self._association(
            density, PLAIN, rank_correlation(self.densities[density], missing) if defined else None, None
        )

    def _association(
        self, density: str, statistic: str, estimate: float | None, interval: Interval | None
    ) -> Association:
        windows = len(self.blocks)
        return Association(density, self.label, statistic, estimate, interval, windows, _count(self.blocks))


def _explain(views: Sequence[_View], subject: Subject, seed: int, peak: float, resamples: int) -> Explanation:
    diverged = any(view.diverged for view in views)
    labels, overall = _energies_of_all(views, peak)
    variance = float(overall.target.sum())
    flat = variance <= rounding_variance(peak)
    finest = 0 if flat else _finest(overall)
    sample = _sample(views, labels[finest])
    primary = sample.partial(PRIMARY_DENSITY, seed=seed, resamples=resamples)
    bands = _summaries(overall, None if flat else variance, labels)
    crossings = _typical_crossings(sample)
    first = sample.views[0]
    found = Findings(
        band=sample.label,
        diverged=diverged,
        flat=flat,
        missing=bands[finest].missing,
        kept=bands[finest].kept,
        crossings_per_pixel=crossings,
        correlation=primary.estimate,
        interval=primary.interval,
        windows=primary.windows,
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


def _pair(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    densities: Maps,
    peak: float,
    opacity: Float[np.ndarray, "_ _"] | None = None,
) -> _View:
    """Spectra of both pictures; that of a reconstruction which is not finite is NaN."""
    _check(densities)
    height, width, _ = target.shape
    diverged = not bool(np.isfinite(reconstruction).all())
    shown = np.full((height, width), np.nan, np.float32) if diverged else luma(reconstruction, peak)
    return _View(
        spectrum(luma(target, peak)),
        spectrum(shown),
        shown,
        rounding_energies(height, width, peak),
        {name: values for name, values in densities.items() if values is not None},
        opacity,
    )


def _energies_of_all(views: Sequence[_View], peak: float) -> tuple[tuple[str, ...], Energies]:
    """Energies of the octaves that any view has, finest first: means over the pixels of all views."""
    named = zip_longest(*(view.labels for view in views))
    labels = tuple(dict.fromkeys(label for band in named for label in band if label is not None))
    pixels = sum(view.target.size for view in views)
    total = np.zeros((5, len(labels)))
    for view in views:
        own = compare_bands(view.target, view.reconstruction, peak)
        here = [labels.index(label) for label in view.labels]
        energies = np.stack([own.target, own.reconstruction, own.residual, own.cross, np.asarray(own.floor)])
        total[:, here] += energies * (view.target.size / pixels)
    return labels, Energies(*total[:4], floor=total[4])


def _sample(views: Sequence[_View], label: str) -> _Sample:
    """The windows of a band that all views have."""
    for view in views:
        if label not in view.labels:
            height, width = view.target.shape
            raise InputError(
                f"a view of {width}x{height} has no octave {label}, in which the others are compared; leave it out, or "
                "give views of one size"
            )
    places = [view.places(label) for view in views]
    parts = [view.in_windows(label, where) for view, where in zip(views, places, strict=True)]

    def pooled(values: Sequence[Float[np.ndarray, "_ _"]]) -> Float[np.ndarray, " n"]:
        return np.concatenate([part[where.counts] for part, where in zip(values, places, strict=True)])

    def alike(values: Sequence[float | Float[np.ndarray, "*shape"]]) -> Float[np.ndarray, " n"]:
        """One number for all windows of a view."""
        return pooled([np.full(part.windows.shape, value) for part, value in zip(parts, values, strict=True)])

    energies = Energies(
        pooled([part.energies.target for part in parts]),
        pooled([part.energies.reconstruction for part in parts]),
        pooled([part.energies.residual for part in parts]),
        pooled([part.energies.cross for part in parts]),
        floor=alike([part.energies.floor for part in parts]),
    )
    return _Sample(
        label,
        parts,
        energies,
        alike([part.rounding for part in parts]),
        {name: pooled([part.densities[name] for part in parts]) for name in views[0].densities},
        _blocks(places),
    )


def _blocks(places: Sequence[_Places]) -> Int[np.ndarray, " n"]:
    """The block of each window that counts, numbered 0, 1, ... through all views; blocks without any have no number."""
    numbers, first = [], 0
    for where in places:
        numbers.append(where.blocks[where.counts] + first)
        first += int(where.blocks.max()) + 1
    return np.unique(np.concatenate(numbers), return_inverse=True)[1]


def _count(blocks: Int[np.ndarray, " n"]) -> int:
    return int(blocks.max()) + 1 if len(blocks) else 0


def _finest(overall: Energies) -> int:
    """The finest octave that holds `BAND_SHARE` of the target's variance."""
    return int(np.argmax(overall.target >= BAND_SHARE * overall.target.sum()))


def _attribution(views: Sequence[_View], sample: _Sample, seed: int, resamples: int) -> Attribution | None:
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


def _other_statistics(sample: _Sample) -> list[Association]:
    """In the primary band: the other densities, and every density without taking out the target's energy."""
    others = [sample.partial(density) for density in sample.densities if density != PRIMARY_DENSITY]
    return others + [sample.plain(density) for density in sample.densities]


def _other_bands(views: Sequence[_View], labels: Sequence[str], finest: int) -> list[Association]:
    """All densities in the bands that all views have, and that make as many blocks as an interval needs."""
    if not views[0].densities:
        return []
    shared = [label for label in labels if all(label in view.labels for view in views) and label != labels[finest]]
    enough = [label for label in shared if _count(_blocks([view.places(label) for view in views])) >= MIN_BLOCKS]
    samples = (_sample(views, label) for label in enough)
    return [sample.partial(density) for sample in samples for density in sample.densities]


def _lowest_quarter(sample: _Sample) -> LowestQuarter | None:
    if PRIMARY_DENSITY not in sample.densities or not len(sample.blocks):
        return None
    density = sample.densities[PRIMARY_DENSITY]
    missing = share_in_lowest_quarter(sample.energies.residual, density)
    target = share_in_lowest_quarter(sample.energies.target, density)
    ratio = missing / target if missing is not None and target else None
    return LowestQuarter(PRIMARY_DENSITY, missing, target, ratio)


def _typical_crossings(sample: _Sample) -> float | None:
    if PRIMARY_DENSITY not in sample.densities:
        return None
    density = sample.densities[PRIMARY_DENSITY]
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


def _check(densities: Maps) -> None:
    if PRIMARY_DENSITY not in densities:
        raise ValueError(f"densities must name {PRIMARY_DENSITY!r}, with None for a network without creases")
    for name, values in densities.items():
        if values is not None and not np.isfinite(values).all():
            raise InputError(f"the map of {name} density holds values that are not finite; take an earlier checkpoint")
