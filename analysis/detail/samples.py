"""The windows of one octave of one or more views: energies and densities there, one behind the other for statistics."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from jaxtyping import Bool, Float, Int

from fieldlens.configs.errors import InputError

from .bands import Energies, band_labels, band_picture, compare_bands, luma, rounding_energies, spectrum
from .densities import COAREA, Maps
from .explanation import LEAST_OPACITY, PARTIAL, PLAIN, Association
from .statistics import RESAMPLES, Interval, block_bootstrap, partial_rank_correlation, rank_correlation
from .windows import Windows, window_energies, windows_of


@dataclass(frozen=True)
class Places:
    """The windows of a band of one view."""

    windows: Windows
    opacity: Float[np.ndarray, "rows columns"]
    counts: Bool[np.ndarray, "rows columns"]
    """Whether each is part of the statistics."""
    blocks: Int[np.ndarray, "rows columns"]
    """The block of each window, numbered within this view."""


@dataclass(frozen=True)
class Windowed:
    """One band of a target and its reconstruction in windows, with the densities there."""

    windows: Windows
    counts: Bool[np.ndarray, "rows columns"]
    energies: Energies
    rounding: float
    densities: dict[str, Float[np.ndarray, "rows columns"]]


@dataclass(frozen=True)
class ComparedView:
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

    def places(self, label: str) -> Places:
        """The windows in which a band is compared."""
        height, width = self.target.shape
        windows = windows_of(height, width, self.labels.index(label))
        if self.opacity is None:
            return Places(windows, np.ones(windows.shape), np.ones(windows.shape, np.bool_), windows.blocks())
        opacity = windows.mean_of_map(self.opacity)
        return Places(windows, opacity, opacity >= LEAST_OPACITY, np.zeros(windows.shape, np.int64))

    def in_windows(self, label: str, places: Places) -> Windowed:
        band = self.labels.index(label)
        windows, rounding = places.windows, float(self.rounding[band])
        pictures = band_picture(self.target, band), band_picture(self.reconstruction, band)
        # of what is seen of the scene; windows with less than the least opacity do not count, and are only drawn
        share = np.maximum(places.opacity, LEAST_OPACITY)
        return Windowed(
            windows,
            places.counts,
            window_energies(*pictures, windows, rounding),
            rounding,
            {name: windows.mean_of_map(values) / share for name, values in self.densities.items()},
        )


@dataclass(frozen=True)
class Sample:
    """The windows that count of one band of all views, one behind the other: what statistics are made of."""

    label: str
    views: list[Windowed]
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
        """The statistic of a picture that has no detail to miss: no number."""
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


def compared_view(
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    densities: Maps,
    peak: float,
    opacity: Float[np.ndarray, "_ _"] | None = None,
) -> ComparedView:
    """Spectra of both pictures; that of a reconstruction which is not finite is NaN.

    Raises `InputError` for maps that hold values which are not finite.
    """
    _check(densities)
    height, width, _ = target.shape
    diverged = not bool(np.isfinite(reconstruction).all())
    shown = np.full((height, width), np.nan, np.float32) if diverged else luma(reconstruction, peak)
    return ComparedView(
        spectrum(luma(target, peak)),
        spectrum(shown),
        shown,
        rounding_energies(height, width, peak),
        {name: values for name, values in densities.items() if values is not None},
        opacity,
    )


def energies_of_all(views: Sequence[ComparedView], peak: float) -> tuple[tuple[str, ...], Energies]:
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


def sample_of(views: Sequence[ComparedView], label: str) -> Sample:
    """The windows of a band. Raises `InputError` where a view does not have it, or a map is too coarse."""
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
    return Sample(
        label,
        parts,
        energies,
        alike([part.rounding for part in parts]),
        {name: pooled([part.densities[name] for part in parts]) for name in views[0].densities},
        _block_numbers(places),
    )


def _block_numbers(places: Sequence[Places]) -> Int[np.ndarray, " n"]:
    """The block of each window that counts, numbered 0, 1, ... through all views; blocks without any have no number."""
    numbers, first = [], 0
    for where in places:
        numbers.append(where.blocks[where.counts] + first)
        first += int(where.blocks.max()) + 1
    return np.unique(np.concatenate(numbers), return_inverse=True)[1]


def blocks_of(views: Sequence[ComparedView], label: str) -> int:
    """How many blocks the windows that count make in a band."""
    return _count(_block_numbers([view.places(label) for view in views]))


def _count(blocks: Int[np.ndarray, " n"]) -> int:
    return int(blocks.max()) + 1 if len(blocks) else 0


def _check(densities: Maps) -> None:
    if COAREA not in densities:
        raise ValueError(f"densities must name {COAREA!r}, with None for a network without creases")
    for name, values in densities.items():
        if values is not None and not np.isfinite(values).all():
            raise InputError(f"the map of {name} density holds values that are not finite; take an earlier checkpoint")
