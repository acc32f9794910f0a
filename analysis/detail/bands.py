"""Octave bands of a picture: how much detail it holds at each scale, and how much of it a reconstruction keeps.

Band b holds the wavelengths from 2^(b+1) to 2^(b+2) pixels, so band 0 (2-4 px) is the finest detail; the last band
takes everything longer, but never the mean. Wavelengths are those of the DCT, a cosine transform of the picture
mirrored at its borders, so that no false edge appears where a left border would meet a right one.

The bands are those of a steerable pyramid (Simoncelli & Freeman 1995; Portilla & Simoncelli 2000) without its
orientations: a gain that is a cosine in log frequency, one at a band's centre, 1/sqrt(2) at its edges. Squared gains
add up to one, so energies of bands add up to the variance of the picture: every bit of it is counted once. Sharp bands
would do that too, but ring: an edge would leak its energy over the windows around it, and windows are what we compare.

Energy is always a mean square per pixel, of luma as stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.fft import dctn, idctn

from .rows import row_blocks

REC709 = (0.2126, 0.7152, 0.0722)
"""Luma weights of R, G and B (ITU-R BT.709), applied to values as stored."""


def luma(picture: Float[np.ndarray, "h w c"], peak: float = 1.0) -> Float[np.ndarray, "h w"]:
    """Luma of a grey, grey+alpha, RGB or RGBA picture, clipped to [0, peak] as a screen does; fp32.

    Alpha itself is left out; colours premultiplied by it are as seen over black.
    """
    height, width, channels = picture.shape
    colours = 3 if channels >= 3 else 1
    weights = np.asarray(REC709 if colours == 3 else (1.0,), np.float32)
    result = np.empty((height, width), np.float32)
    for rows in row_blocks(height, width * channels):
        result[rows] = np.clip(picture[rows, :, :colours], 0, peak) @ weights
    return result


def band_labels(height: int, width: int) -> tuple[str, ...]:
    """Names of the bands of pictures of that size, finest first.

    >>> band_labels(20, 32)
    ('2-4 px', '4-8 px', '8-16 px', '16+ px')
    """
    *inner, last = range(_band_count(height, width))
    return (*(f"{2 ** (b + 1)}-{2 ** (b + 2)} px" for b in inner), f"{2 ** (last + 1)}+ px")


def longest_wavelength(band: int) -> int:
    """Longest wavelength of a band in pixels (nominal for the last band, which is open)."""
    return 2 ** (band + 2)


def spectrum(luma: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Orthonormal DCT of a picture without its mean. Linear: the spectrum of a difference is that of spectra."""
    coefficients = np.asarray(dctn(luma, norm="ortho"))
    coefficients[0, 0] = 0
    return coefficients


def band_picture(spectrum: Float[np.ndarray, "h w"], band: int) -> Float[np.ndarray, "h w"]:
    """What a picture with this spectrum holds in one band, as a picture around zero."""
    height, width = spectrum.shape
    filtered = np.empty_like(spectrum)
    for rows in row_blocks(height, width):
        distance = np.abs(_octave_position(height, width, rows) - band)
        filtered[rows] = spectrum[rows] * np.cos(np.pi / 2 * np.minimum(distance, 1))
    return np.asarray(idctn(filtered, norm="ortho", overwrite_x=True))


def octave_bands(luma: Float[np.ndarray, "h w"]) -> Iterator[Float[np.ndarray, "h w"]]:
    """All bands of a picture, finest first, one at a time; their energies add up to its variance."""
    coefficients = spectrum(luma)
    for band in range(_band_count(*luma.shape)):
        yield band_picture(coefficients, band)


def band_energies(luma: Float[np.ndarray, "h w"]) -> Float[np.ndarray, " bands"]:
    """Energy of each band, straight from the spectrum (Parseval); the sum is the variance."""
    coefficients = spectrum(luma)
    return compare_bands(coefficients, coefficients).target


def rounding_energies(height: int, width: int, peak: float = 1.0) -> Float[np.ndarray, " bands"]:
    """Energy that rounding to 8 bits puts into each band: what lies below is no detail of a picture.

    The error of rounding to steps of peak/255 has the variance step^2/12, spread evenly over all frequencies.
    """
    frequencies = np.zeros(_band_count(height, width))
    for shares in _shares(height, width):
        frequencies += shares.add_up(np.ones(shares.band.shape))
    return frequencies / (height * width) * rounding_variance(peak)


def rounding_variance(peak: float = 1.0) -> float:
    """Variance of the error of rounding to steps of peak/255."""
    return (peak / 255) ** 2 / 12


@dataclass(frozen=True)
class Energies:
    """Energies of a target, its reconstruction and their difference: one number per band, or per window of a band.

    E(residual) = E(target) + E(reconstruction) - 2 cross, so detail can be absent (little energy in the reconstruction)
    or wrong (as much as in the target, but not the same).
    """

    target: Float[np.ndarray, "*shape"]
    reconstruction: Float[np.ndarray, "*shape"]
    residual: Float[np.ndarray, "*shape"]
    cross: Float[np.ndarray, "*shape"]
    """Mean product of target and reconstruction."""
    floor: Float[np.ndarray, "*shape"] | float
    """Least target energy to divide by, above 0: ratios of next to nothing say nothing."""

    @property
    def missing_fraction(self) -> Float[np.ndarray, "*shape"]:
        """Residual over target energy: 0 exact, 1 as bad as leaving the band out, above 1 worse than that."""
        return _ratio(self.residual, np.maximum(self.target, self.floor))

    @property
    def kept(self) -> Float[np.ndarray, "*shape"]:
        """Reconstruction over target energy, right detail or wrong; NaN where the target has no energy to speak of."""
        return _ratio(self.reconstruction, np.where(self.target > self.floor, self.target, 0))

    @property
    def signed_deficit(self) -> Float[np.ndarray, "*shape"]:
        """1 - kept where the target has energy, positive for too little; towards 0 where it has next to none."""
        return _ratio(self.target - self.reconstruction, np.maximum(self.target, self.floor))

    @property
    def coherence(self) -> Float[np.ndarray, "*shape"]:
        """Correlation of target and reconstruction: 1 the same detail, 0 unrelated; NaN where either has none."""
        both = (self.target > self.floor) & (self.reconstruction > 0)
        return _ratio(self.cross, np.where(both, np.sqrt(self.target * self.reconstruction), 0))


def _ratio(
    numerator: Float[np.ndarray, "*shape"], denominator: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """The quotient, NaN where the denominator is zero."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)


def compare_bands(
    target: Float[np.ndarray, "h w"], reconstruction: Float[np.ndarray, "h w"], peak: float = 1.0
) -> Energies:
    """Energies per band, finest first, of a target and a reconstruction given by their spectra.

    The floor is the energy of 8-bit rounding in each band.
    """
    height, width = target.shape
    energies = np.zeros((4, _band_count(height, width)))
    for shares in _shares(height, width):
        y, f = target[shares.rows].astype(np.float64), reconstruction[shares.rows].astype(np.float64)
        for total, product in zip(energies, (y * y, f * f, np.square(y - f), y * f), strict=True):
            total += shares.add_up(product)
    return Energies(*energies / (height * width), floor=rounding_energies(height, width, peak))


def energy_kept(
    target: Float[np.ndarray, "h w c"], reconstruction: Float[np.ndarray, "h w c"], peak: float = 1.0
) -> dict[str, float | None]:
    """Energy of the reconstruction over that of the target, by band label; None where the target has none.

    1 is as much detail as in the target, be it right or wrong; above 1 there is more than there should be.
    """
    energies = compare_bands(spectrum(luma(target, peak)), spectrum(luma(reconstruction, peak)), peak)
    labels = band_labels(*target.shape[:2])
    return {label: float(k) if np.isfinite(k) else None for label, k in zip(labels, energies.kept, strict=True)}


def _band_count(height: int, width: int) -> int:
    """Octaves up to half the longer side, and at least one band."""
    return max(1, max(height, width).bit_length() - 2)


def _octave_position(height: int, width: int, rows: slice) -> Float[np.ndarray, "rows w"]:
    """Where the DCT's frequencies of some rows lie among the bands: 0 at the centre of band 0, 1 at that of band 1, ...

    Row k has the frequency k / (2 h) in cycles per pixel, column l has l / (2 w). Beyond the centres of the first and
    the last band there is nothing else to share with, hence the clipping: wavelengths under 2 px, which diagonals
    have, belong to band 0.
    """
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] / (2 * height)
    x = np.arange(width, dtype=np.float32) / (2 * width)
    frequency = np.maximum(np.hypot(x, y), np.float32(1e-9))
    return np.clip(np.log2(0.5 / frequency) - 0.5, 0, _band_count(height, width) - 1)


@dataclass(frozen=True)
class _Shares:
    """How some rows of frequencies are shared out: each between a band and the next, by squared gains."""

    rows: slice
    band: Int[np.ndarray, "rows w"]
    next_share: Float[np.ndarray, "rows w"]
    count: int

    def add_up(self, energy: Float[np.ndarray, "rows w"]) -> Float[np.ndarray, " bands"]:
        both = np.bincount(self.band.ravel(), energy.ravel(), self.count)
        later = np.bincount(self.band.ravel(), (self.next_share * energy).ravel(), self.count)
        # the last band has no next one: its next_share is zero
        return both - later + np.concatenate([[0.0], later[:-1]])


def _shares(height: int, width: int) -> Iterator[_Shares]:
    for rows in row_blocks(height, width):
        position = _octave_position(height, width, rows)
        band = position.astype(np.int64)
        yield _Shares(rows, band, np.square(np.sin(np.pi / 2 * (position - band))), _band_count(height, width))
