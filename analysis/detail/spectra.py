"""Spectra by radial frequency: what of a picture is learnt at each frequency, how far it is resolved, and when.

Frequencies are in cycles per pixel. As in `bands`, spectra are those of the DCT of luma, a cosine transform of the
picture mirrored at its borders: no border meets its opposite, so no window is needed and every pixel counts alike.
Rings are 1/N wide, N the longer side; the energy of a ring is the sum of its squared coefficients over the number of
pixels, so that the energies of all rings add up to the variance of the picture (Parseval). Along an axis the highest
frequency is 1/2; diagonals go up to 1/sqrt(2), and the rings between hold the corners of the spectrum only.

`line_spectrum` is for signals on [0, 1], whose frequencies are whole cycles per unit.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int

from fieldlens.configs.errors import InputError

from .bands import Energies, compare_bands, luma, rounding_variance, spectrum
from .rows import row_blocks

LOOSE_CUTOFF, STRICT_CUTOFF = 1 / 7, 0.5
"""Ring correlations down to which detail counts as resolved: Rosenthal & Henderson's (2003), and the older one half."""
HALF = 0.5
"""Energy kept from which on a band counts as reached, and relative error below which it counts as learnt."""


@dataclass(frozen=True)
class RadialSpectra:
    """Energies of target, reconstruction and residual in rings of radial frequency, lowest first."""

    frequency: Float[np.ndarray, " rings"]
    """Middle of each ring in cycles per pixel; of a signal, in cycles per unit."""
    coefficients: Int[np.ndarray, " rings"]
    """Coefficients in each ring; the mean of the picture is in none."""
    energies: Energies
    """Sums over each ring, per pixel; the floor is what rounding to 8 bits puts there."""

    @property
    def relative_error(self) -> Float[np.ndarray, " rings"]:
        """|F - Y| / |Y|, root of the residual's over the target's energy; NaN where the target has none to speak of."""
        return np.sqrt(self._over_target(self.energies.residual))

    @property
    def ring_correlation(self) -> Float[np.ndarray, " rings"]:
        """Fourier ring correlation ⟨F, Y⟩ / (|F| |Y|) (Saxton & Baumeister 1982), here of the DCT.

        1 for the same detail whatever its contrast, 0 for unrelated detail or none; NaN where the target has none.
        """
        energies = self.energies
        lengths = np.sqrt(energies.target * energies.reconstruction)
        correlation = np.divide(energies.cross, lengths, out=np.zeros_like(lengths), where=~(lengths <= 0))  # NaN stays
        return np.where(self._judged, correlation, np.nan)

    def resolved_frequency(self, threshold: float = LOOSE_CUTOFF) -> float | None:
        """Cycles per pixel up to which the ring correlation stays at the threshold or above, by linear interpolation.

        Where it never falls below, the highest frequency at which the target has energy to speak of; 0 where it begins
        below; None where the target has no energy at all, as in a picture of one tone, or the reconstruction is not
        finite.
        """
        known = np.flatnonzero(self._judged)
        if not len(known):
            return None
        frequency, correlation = self.frequency[known], self.ring_correlation[known]
        if not np.isfinite(correlation).all():
            return None
        below = np.flatnonzero(correlation < threshold)
        if not len(below):
            return float(frequency[-1])
        first = below[0]
        if first == 0:
            return 0.0
        (f0, f1), (c0, c1) = frequency[first - 1 : first + 1], correlation[first - 1 : first + 1]
        return float(f0 + (f1 - f0) * (c0 - threshold) / (c0 - c1))

    def power(self, energy: Float[np.ndarray, " rings"]) -> Float[np.ndarray, " rings"]:
        """One of the energies per coefficient, which is flat for white noise."""
        return np.divide(energy, self.coefficients, out=np.zeros(len(energy)), where=self.coefficients > 0)

    @property
    def _judged(self) -> Bool[np.ndarray, " rings"]:
        return self.energies.target > self.energies.floor

    def _over_target(self, energy: Float[np.ndarray, " rings"]) -> Float[np.ndarray, " rings"]:
        return np.divide(energy, self.energies.target, out=np.full(len(energy), np.nan), where=self._judged)


def radial_spectra(
    target: Float[np.ndarray, "h w c"], reconstruction: Float[np.ndarray, "h w c"], peak: float = 1.0
) -> RadialSpectra:
    """Radial spectra of a picture and its reconstruction, of luma clipped to [0, peak] as on a screen.

    >>> steps = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4, 1)
    >>> bool(np.isclose(radial_spectra(steps, steps).energies.target.sum(), steps.var()))
    True
    """
    height, width, _ = target.shape
    y, f = spectrum(luma(target, peak)), spectrum(luma(reconstruction, peak))
    count = _ring_count(height, width)
    coefficients = np.zeros(count)
    energies = np.zeros((4, count))
    for rows, ring in _rings(height, width):
        here, there = y[rows].astype(np.float64).ravel(), f[rows].astype(np.float64).ravel()
        coefficients += np.bincount(ring, minlength=count)
        for total, product in zip(
            energies, (here * here, there * there, np.square(here - there), here * there), strict=True
        ):
            total += np.bincount(ring, product, count)
    coefficients[0] -= 1  # the mean, which `spectrum` has set to zero
    pixels = height * width
    floor = np.maximum(coefficients, 1) / pixels * rounding_variance(peak)
    middles = (np.arange(count) + 0.5) / max(height, width)
    return RadialSpectra(middles, coefficients.astype(np.int64), Energies(*energies / pixels, floor=floor))


def merged_rings(spectra: RadialSpectra, per_octave: int) -> RadialSpectra:
    """The same energies in fewer rings: those that share a part of an octave are joined, low ones stay as they are.

    Frequencies are then means over the coefficients; sums of energies are kept.

    >>> steps = np.linspace(0, 1, 12 * 16, dtype=np.float32).reshape(12, 16, 1)
    >>> len(radial_spectra(steps, steps).frequency), len(merged_rings(radial_spectra(steps, steps), 2).frequency)
    (11, 7)
    """
    part = np.floor(per_octave * np.log2(spectra.frequency / spectra.frequency[0])).astype(np.int64)
    _, group = np.unique(part, return_inverse=True)

    def joined(values: Float[np.ndarray, " rings"]) -> Float[np.ndarray, " joined"]:
        return np.bincount(group, values)

    weights = np.maximum(spectra.coefficients, 1e-9)  # a ring without coefficients has a place all the same
    energies = spectra.energies
    floor = np.broadcast_to(energies.floor, spectra.frequency.shape)
    return RadialSpectra(
        joined(weights * spectra.frequency) / joined(weights),
        joined(spectra.coefficients.astype(np.float64)).astype(np.int64),
        Energies(
            joined(energies.target),
            joined(energies.reconstruction),
            joined(energies.residual),
            joined(energies.cross),
            floor=joined(floor),
        ),
    )


def power_law_slope(
    frequency: Float[np.ndarray, " rings"],
    power: Float[np.ndarray, " rings"],
    low: float,
    high: float,
) -> float | None:
    """Slope of log power over log frequency between two frequencies: -2 where power falls as 1 / f^2.

    Least squares with the weight 1/f, so that each octave counts alike; None with fewer than three rings of any power.

    >>> f = np.arange(1.0, 20.0)
    >>> round(power_law_slope(f, 5 / f**3, 2, 15), 6)
    -3.0
    """
    chosen = (frequency >= low) & (frequency <= high) & (power > 0)
    if chosen.sum() < 3:
        return None
    x, y = np.log(frequency[chosen]), np.log(power[chosen])
    return float(np.polyfit(x, y, 1, w=frequency[chosen] ** -0.5)[0])  # polyfit squares its weights


@dataclass(frozen=True)
class SpectralBias:
    """(E_high - E_low) / (E_high + E_low) of a residual (Kiessling & Thor, AAAI 2022), with the cut it is for."""

    value: float
    """-1 all error is at low frequencies, 1 all at high ones, 0 as much on either side of the cut."""
    cut: float
    """Cycles per pixel."""


def spectral_bias(spectra: RadialSpectra, cut: float | None = None) -> SpectralBias | None:
    """On which side of a cut the residual's energy lies; None for a residual or a target without energy.

    Args:
        cut: in cycles per pixel; rings are shared out by their middles. By default the ring's border that comes nearest
            to halving the target's energy: an error in proportion to the target has a bias near 0 then.
    """
    target, residual = spectra.energies.target, spectra.energies.residual
    if not (target.sum() > 0 and residual.sum() > 0):  # nor does NaN pass
        return None
    if cut is None:
        width = 2 * spectra.frequency[0]
        cut = float(width * (1 + np.argmin(np.abs(np.cumsum(target) / target.sum() - 0.5))))
    high = residual[spectra.frequency > cut].sum() / residual.sum()
    return SpectralBias(float(2 * high - 1), cut)


# Over training --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reached:
    """When something came to hold in a series of steps; None for never."""

    first: int | None
    """The first step at which it holds."""
    lasting: int | None
    """The first step from which on it holds at all steps."""


@dataclass(frozen=True)
class BandsOverTraining:
    """What octave bands hold at each of several reconstructions; NaN where the target has no energy."""

    kept: Float[np.ndarray, "steps bands"]
    """Reconstruction over target energy, right detail or wrong."""
    relative_error: Float[np.ndarray, "steps bands"]
    """|F - Y| / |Y|."""


def bands_over_training(
    target: Float[np.ndarray, "h w c"], reconstructions: Iterable[Float[np.ndarray, "h w c"]], peak: float = 1.0
) -> BandsOverTraining:
    """Energy kept and relative error of each octave band, finest first; reconstructions are taken one at a time."""
    y = spectrum(luma(target, peak))
    each = [compare_bands(y, spectrum(luma(drawn, peak)), peak) for drawn in reconstructions]
    if not each:
        raise InputError("there is no reconstruction to follow bands through")
    kept = np.stack([energies.kept for energies in each])
    error = np.sqrt(np.stack([energies.missing_fraction for energies in each]))
    return BandsOverTraining(kept, np.where(np.isnan(kept), np.nan, error))


def half_energy_step(
    steps: Sequence[int], kept_per_band: Float[np.ndarray, "steps bands"] | Sequence[Sequence[float | None]]
) -> tuple[Reached, ...]:
    """For each band, when it comes to hold half of the target's energy, right detail or wrong.

    Args:
        steps: rising.
        kept_per_band: for each step the bands' energy kept, as `energy_kept` or metrics.csv has it; None and NaN, where
            there is no energy to keep, never count.

    >>> half_energy_step([0, 10, 20], [[0.1], [0.6], [0.9]])
    (Reached(first=10, lasting=10),)
    """
    return _reached(steps, np.array(kept_per_band, np.float64) >= HALF)


def half_error_step(steps: Sequence[int], relative_error: Float[np.ndarray, "steps bands"]) -> tuple[Reached, ...]:
    """For each band or frequency, when its relative error |F - Y| / |Y| falls under one half."""
    return _reached(steps, relative_error < HALF)


def _reached(steps: Sequence[int], holds: Bool[np.ndarray, "steps bands"]) -> tuple[Reached, ...]:
    if holds.ndim != 2 or len(holds) != len(steps):
        raise InputError(f"{len(steps)} steps need as many rows of bands, got an array of shape {holds.shape}")

    def when(column: Bool[np.ndarray, " steps"]) -> Reached:
        since = len(column) - int(np.argmin(column[::-1])) if not column.all() else 0
        first = steps[int(np.argmax(column))] if column.any() else None
        return Reached(first, steps[since] if since < len(column) else None)

    return tuple(when(column) for column in holds.T)


# Signals --------------------------------------------------------------------------------------------------------------


def line_spectrum(samples: Float[np.ndarray, " n"]) -> Complex[np.ndarray, " frequencies"]:
    """Amplitudes a_k at k = 0 .. n // 2 cycles of n samples at (i + 0.5) / n, by the discrete Fourier transform.

    f(t) = a_0 + sum over k of |a_k| sin(2 pi k t + arg a_k), at the samples exactly.

    >>> t = (np.arange(8) + 0.5) / 8
    >>> np.abs(line_spectrum(3 * np.sin(2 * np.pi * 2 * t + 1))).round(6).tolist()
    [0.0, 0.0, 3.0, 0.0, 0.0]
    """
    n = len(samples)
    k = np.arange(n // 2 + 1)
    amplitudes = np.fft.rfft(samples.astype(np.float64)) * (2j / n) * np.exp(-1j * math.pi * k / n)
    amplitudes[0] = samples.mean(dtype=np.float64)
    if n % 2 == 0:
        amplitudes[-1] /= 2  # the only one without a partner of the opposite sign
    return amplitudes


def line_spectra(signal: Float[np.ndarray, " n"], reconstruction: Float[np.ndarray, " n"]) -> RadialSpectra:
    """Spectra of a signal and its reconstruction, one ring for each whole frequency from 1 to n // 2 cycles.

    Energies are those of the sines and cosines of `line_spectrum`, two coefficients each; they add up to the variance.
    What is below a billionth of the signal's variance counts as no detail of it.

    >>> t = (np.arange(8) + 0.5) / 8
    >>> wave = np.sin(2 * np.pi * 3 * t)
    >>> line_spectra(wave, wave / 2).energies.residual.round(6).tolist()
    [0.0, 0.0, 0.125, 0.0]
    """
    n = len(signal)
    y, f = line_spectrum(signal)[1:], line_spectrum(reconstruction)[1:]
    coefficients = np.full(len(y), 2)
    share = np.full(len(y), 0.5)  # mean square of a wave of amplitude 1
    if n % 2 == 0:
        coefficients[-1], share[-1] = 1, 1.0  # at the samples it is +1 and -1 in turns
    target, drawn, residual = (share * np.square(np.abs(a)) for a in (y, f, f - y))
    energies = Energies(target, drawn, residual, share * np.real(y * np.conj(f)), np.full(len(y), 1e-9 * target.sum()))
    return RadialSpectra(np.arange(1.0, len(y) + 1), coefficients, energies)


@dataclass(frozen=True)
class Recovered:
    """What a reconstruction has of each of some frequencies of a signal; NaN where the signal has nothing there."""

    share: Float[np.ndarray, " frequencies"]
    """|F_k| / |Y_k|, its amplitude over the signal's, in the right phase or not (Rahaman et al. 2019, figure 1)."""
    relative_error: Float[np.ndarray, " frequencies"]
    """|F_k - Y_k| / |Y_k|."""


def amplitudes_recovered(
    signal: Float[np.ndarray, " n"], reconstruction: Float[np.ndarray, " n"], frequencies: Sequence[int]
) -> Recovered:
    """Amplitudes of a reconstruction at whole frequencies of a signal, both sampled at (i + 0.5) / n.

    Raises InputError for a frequency that the samples cannot hold, at n / 2 or above.
    """
    n = len(signal)
    wrong = [k for k in frequencies if not 0 < k < n / 2]
    if wrong:
        raise InputError(f"{n} samples hold 1 to {(n - 1) // 2} cycles, not {wrong[0]}")
    y, f = line_spectrum(signal)[list(frequencies)], line_spectrum(reconstruction)[list(frequencies)]
    # what rounding leaves of a frequency that is not there must not be divided by
    there = np.abs(y) > 1e-6 * np.abs(signal).max(initial=0)
    return Recovered(
        np.divide(np.abs(f), np.abs(y), out=np.full(len(y), np.nan), where=there),
        np.divide(np.abs(f - y), np.abs(y), out=np.full(len(y), np.nan), where=there),
    )


# Rings ----------------------------------------------------------------------------------------------------------------


def _ring_count(height: int, width: int) -> int:
    return int(_ring_of(height, width, slice(height - 1, height))[-1]) + 1


def _rings(height: int, width: int) -> Iterator[tuple[slice, Int[np.ndarray, " coefficients"]]]:
    """Blocks of rows of the DCT and the ring of each of their coefficients."""
    for rows in row_blocks(height, width):
        yield rows, _ring_of(height, width, rows)


def _ring_of(height: int, width: int, rows: slice) -> Int[np.ndarray, " coefficients"]:
    """Row k has the frequency k / (2 h) in cycles per pixel, column l has l / (2 w); a ring is 1 / max(h, w) wide."""
    longer = max(height, width)
    y = np.arange(rows.start, rows.stop)[:, None] * (longer / (2 * height))
    x = np.arange(width) * (longer / (2 * width))
    return np.floor(np.hypot(x, y)).astype(np.int64).ravel()
