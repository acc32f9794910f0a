"""Why is detail missing? What a reconstruction lacks, where its creases are, and whether the two go together.

The statistic that decides is fixed beforehand: the partial rank correlation of co-area density with residual energy
given target energy, over windows of the finest octave that holds at least a hundredth of the target's variance.
Everything else is secondary, labelled so, and without an interval: it is there to look at, not to choose from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

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
from .explanation import BAND_SHARE, PARTIAL, PLAIN, Association, BandSummary, Explanation, LowestQuarter
from .statistics import (
    MIN_BLOCKS,
    RESAMPLES,
    Interval,
    block_bootstrap,
    partial_rank_correlation,
    rank_correlation,
    share_in_lowest_quarter,
)
from .verdict import Findings, verdict
from .windows import Windows, window_energies, window_slopes, windows_of

PRIMARY_DENSITY = "coarea"
"""The density that decides; the map under this name is crease length per area, in pixels per square pixel."""

BEND = "bend"
"""The density that is nearly the reconstruction itself: its second derivative, or, under an encoding, the part of it
that creases make. With the reconstruction's slope and its detail in the band, it is a tautology as an explanation."""

CROSSINGS_PER_LENGTH = 2 / np.pi
"""Crossings per pixel, mean over directions, for each pixel of crease length per square pixel (Crofton's formula)."""


def explain(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    densities: Mapping[str, Float[np.ndarray, "_ _"] | None],
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
    _check(densities)
    height, width, _ = target.shape
    pair = _pair(target, reconstruction, densities, peak)
    diverged = not bool(np.isfinite(reconstruction).all())
    overall = compare_bands(pair.target, pair.reconstruction, peak)
    variance = float(overall.target.sum())
    flat = variance <= rounding_variance(peak)
    finest = 0 if flat else _finest(overall)
    view = pair.view(finest)
    primary = view.partial(PRIMARY_DENSITY, seed=seed, resamples=resamples)
    bands = _summaries(overall, None if flat else variance, band_labels(height, width))
    crossings = _typical_crossings(view)
    found = Findings(
        band=view.label,
        diverged=diverged,
        flat=flat,
        missing=bands[finest].missing,
        kept=bands[finest].kept,
        crossings_per_pixel=crossings,
        correlation=primary.estimate,
        interval=primary.interval,
        windows=primary.windows,
        blocks=primary.blocks,
        block_side=view.windows.block_side,
    )
    return Explanation(
        verdict=verdict(found),
        band=view.label,
        primary=primary,
        secondary=(*_other_statistics(view), *_other_bands(pair, finest)),
        attribution=None if diverged or flat else _attribution(view, reconstruction, peak, seed, resamples),
        lowest_quarter=_lowest_quarter(view),
        crossings_per_pixel=crossings,
        bands=bands,
        windows=view.windows,
        energies=view.energies,
        densities=view.densities,
        seed=seed,
        resamples=resamples,
    )


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
    _check({PRIMARY_DENSITY: early_density})
    pair = _pair(target, final_reconstruction, {PRIMARY_DENSITY: early_density}, peak)
    overall = compare_bands(pair.target, pair.reconstruction, peak)
    if overall.target.sum() <= rounding_variance(peak):
        return pair.view(0).undefined(PRIMARY_DENSITY)
    return pair.view(_finest(overall)).partial(PRIMARY_DENSITY, seed=seed, resamples=resamples)


@dataclass(frozen=True)
class _View:
    """One band of a target and its reconstruction in windows, with the densities there."""

    label: str
    windows: Windows
    energies: Energies
    rounding: float
    """Energy of 8-bit rounding in the band: windows below it tie, or ranks would order the noise."""
    densities: dict[str, Float[np.ndarray, "rows columns"]]

    @property
    def blocks(self) -> int:
        return int(self.windows.blocks().max()) + 1

    def partial(self, density: str, *, seed: int | None = None, resamples: int = RESAMPLES) -> Association:
        """The partial rank correlation of a density, with its interval if a seed is given."""
        estimate, interval = None, None
        if density in self.densities and np.isfinite(self.energies.residual).all():
            creases = self.densities[density].ravel()
            error = np.maximum(self.energies.residual, self.rounding).ravel()
            detail = np.maximum(self.energies.target, self.rounding).ravel()
            estimate = partial_rank_correlation(creases, error, detail)
            if estimate is not None and seed is not None:
                blocks = self.windows.blocks().ravel()
                interval = block_bootstrap(creases, error, detail, blocks, seed=seed, resamples=resamples)
        return self._association(density, PARTIAL, estimate, interval)

    def undefined(self, density: str) -> Association:
        """For a picture that has no detail to miss."""
        return self._association(density, PARTIAL, None, None)

    def plain(self, density: str) -> Association:
        """The rank correlation of a density with the missing fraction."""
        missing = self.energies.missing_fraction.ravel()
        estimate = rank_correlation(self.densities[density].ravel(), missing) if np.isfinite(missing).all() else None
        return self._association(density, PLAIN, estimate, None)

    def _association(
        self, density: str, statistic: str, estimate: float | None, interval: Interval | None
    ) -> Association:
        windows = self.energies.target.size
        return Association(density, self.label, statistic, estimate, interval, windows, self.blocks)


@dataclass(frozen=True)
class _Pair:
    """Spectra of a target and its reconstruction, and the densities of the network: any band can be made of it."""

    target: Float[np.ndarray, "h w"]
    reconstruction: Float[np.ndarray, "h w"]
    rounding: Float[np.ndarray, " bands"]
    densities: dict[str, Float[np.ndarray, "_ _"]]

    def view(self, band: int) -> _View:
        height, width = self.target.shape
        windows, rounding = windows_of(height, width, band), float(self.rounding[band])
        pictures = band_picture(self.target, band), band_picture(self.reconstruction, band)
        return _View(
            band_labels(height, width)[band],
            windows,
            window_energies(*pictures, windows, rounding),
            rounding,
            {name: windows.mean_of_map(values) for name, values in self.densities.items()},
        )


def _pair(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    densities: Mapping[str, Float[np.ndarray, "_ _"] | None],
    peak: float,
) -> _Pair:
    """Spectra of both pictures; that of a reconstruction which is not finite is NaN."""
    height, width, _ = target.shape
    diverged = not bool(np.isfinite(reconstruction).all())
    shown = np.full((height, width), np.nan, np.float32) if diverged else luma(reconstruction, peak)
    return _Pair(
        spectrum(luma(target, peak)),
        spectrum(shown),
        rounding_energies(height, width, peak),
        {name: values for name, values in densities.items() if values is not None},
    )


def _finest(overall: Energies) -> int:
    """The finest octave that holds `BAND_SHARE` of the target's variance."""
    return int(np.argmax(overall.target >= BAND_SHARE * overall.target.sum()))


def _attribution(
    view: _View, reconstruction: Float[np.ndarray, "h w c"], peak: float, seed: int, resamples: int
) -> Attribution | None:
    """What each density adds to target energy, beside what the reconstruction says of its own error."""
    if not view.densities:
        return None
    own = {
        "slope of the reconstruction": window_slopes(luma(reconstruction, peak), view.windows),
        "detail of the reconstruction": view.energies.reconstruction,
    }
    return attribute(
        view.energies.residual,
        view.energies.target,
        view.densities | own,
        view.windows.blocks(),
        tautologies={BEND, *own},
        floor=view.rounding,
        seed=seed,
        resamples=resamples,
    )


def _other_statistics(view: _View) -> list[Association]:
    """In the primary band: the other densities, and every density without taking out the target's energy."""
    others = [view.partial(density) for density in view.densities if density != PRIMARY_DENSITY]
    return others + [view.plain(density) for density in view.densities]


def _other_bands(pair: _Pair, finest: int) -> list[Association]:
    """All densities in the bands whose windows are small enough for as many blocks as an interval needs."""
    height, width = pair.target.shape
    if not pair.densities:
        return []
    bands = [
        band
        for band in range(len(pair.rounding))
        if band != finest and windows_of(height, width, band).blocks().max() + 1 >= MIN_BLOCKS
    ]
    views = (pair.view(band) for band in bands)
    return [view.partial(density) for view in views for density in view.densities]


def _lowest_quarter(view: _View) -> LowestQuarter | None:
    if PRIMARY_DENSITY not in view.densities:
        return None
    density = view.densities[PRIMARY_DENSITY].ravel()
    missing = share_in_lowest_quarter(view.energies.residual.ravel(), density)
    target = share_in_lowest_quarter(view.energies.target.ravel(), density)
    ratio = missing / target if missing is not None and target else None
    return LowestQuarter(PRIMARY_DENSITY, missing, target, ratio)


def _typical_crossings(view: _View) -> float | None:
    if PRIMARY_DENSITY not in view.densities:
        return None
    return float(np.median(view.densities[PRIMARY_DENSITY])) * CROSSINGS_PER_LENGTH


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


def _check(densities: Mapping[str, Float[np.ndarray, "_ _"] | None]) -> None:
    if PRIMARY_DENSITY not in densities:
        raise ValueError(f"densities must name {PRIMARY_DENSITY!r}, with None for a network without creases")
    for name, values in densities.items():
        if values is not None and not np.isfinite(values).all():
            raise InputError(f"the map of {name} density holds values that are not finite; take an earlier checkpoint")
