"""What the target's detail is like in each window: what has to be equal before a lack of creases can be blamed.

Equal energy in one octave is not equal difficulty. Hair and an outline may have the same energy there: one is
everywhere in its window, the other in a few pixels; one has a direction, the other may have none; and one has more
energy in the octaves beside. All of that is of the target alone, whatever was fitted to it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.fft import idct, idst

from fieldlens.configs.errors import InputError

from ..detail.bands import band_labels, band_picture, rounding_energies, spectrum
from ..detail.windows import Windows

OCTAVES = 4
"""Octaves whose energy is held fixed: the one that is explained, and the next coarser ones, as many as there are."""

GAUSSIAN_PEAKINESS = 3.0
"""Peakiness of Gaussian noise, which is what rounding leaves of an octave."""


@dataclass(frozen=True, eq=False)
class Controls:
    """The controls of the windows of one octave. All are finite."""

    octaves: tuple[str, ...]
    """Labels: the octave that is explained, then coarser ones."""
    energies: Float[np.ndarray, "octaves rows columns"]
    """The target's mean square in each, at least that of 8-bit rounding there, so that flat windows tie."""
    peakiness: Float[np.ndarray, "rows columns"]
    """Fourth moment over squared second of the octave's picture, 1 or more: 1.5 for a wave, 3 for noise, the more the
    fewer pixels hold the detail. 3 where its energy is not above that of rounding."""
    orientation_coherence: Float[np.ndarray, "rows columns"]
    """1 for detail of one direction, 0 for detail of all directions alike, and where there is none above rounding."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each of the `columns` is."""
        return (*(f"energy in {label}" for label in self.octaves), "peakiness", "orientation coherence")

    @property
    def columns(self) -> Float[np.ndarray, "controls n"]:
        """A row for each control, as regressions take them: of all windows row by row, logarithms but for coherence."""
        maps = [*np.log(self.energies), np.log(self.peakiness), self.orientation_coherence]
        return np.stack([values.ravel() for values in maps])


def controls_of(target: Float[np.ndarray, "h w"], label: str, windows: Windows, peak: float = 1.0) -> Controls:
    """The controls of one octave of a target, given by the spectrum of its luma (`bands.spectrum`).

    Orientation coherence is (l1 - l2) / (l1 + l2), of the eigenvalues of the window's structure tensor: the mean of
    the outer product of the octave's gradient with itself (Bigün & Granlund 1987). Derivatives are those of the
    cosine series: differences of neighbouring pixels take a wave of 2 px for next to none.

    Raises:
        InputError: where the picture has no such octave, or the windows are not its own.
    """
    height, width = target.shape
    labels = band_labels(height, width)
    if label not in labels:
        raise InputError(f"a picture of {width}x{height} has no octave {label}; it has {', '.join(labels)}")
    first = labels.index(label)
    octaves = labels[first : first + OCTAVES]
    rounding = rounding_energies(height, width, peak)[first:]
    detail = band_picture(target, first).astype(np.float64)
    squares = np.square(detail)
    second, fourth = windows.mean_of_map(squares), windows.mean_of_map(np.square(squares))
    coarser = [
        windows.mean_of_map(np.square(band_picture(target, first + octave), dtype=np.float64))
        for octave in range(1, len(octaves))
    ]
    above = second > rounding[0]
    return Controls(
        octaves,
        np.stack([np.maximum(energy, least) for energy, least in zip([second, *coarser], rounding, strict=False)]),
        np.divide(fourth, np.square(second), out=np.full(windows.shape, GAUSSIAN_PEAKINESS), where=above),
        np.where(above, _coherence(detail, windows), 0),
    )


def _coherence(detail: Float[np.ndarray, "h w"], windows: Windows) -> Float[np.ndarray, "rows columns"]:
    coefficients = spectrum(detail)
    down, across = (_derivative(coefficients, axis) for axis in (0, 1))
    yy, xx, xy = (windows.mean_of_map(product) for product in (down * down, across * across, down * across))
    trace = xx + yy
    difference = np.hypot(xx - yy, 2 * xy)
    return np.minimum(np.divide(difference, trace, out=np.zeros(windows.shape), where=trace > 0), 1)


def _derivative(coefficients: Float[np.ndarray, "h w"], axis: int) -> Float[np.ndarray, "h w"]:
    """Derivative along an axis, per pixel, of the picture with these DCT coefficients: cosines become sines."""
    size = coefficients.shape[axis]
    frequency = np.pi * np.arange(size) / size
    slopes = -coefficients * (frequency[:, None] if axis == 0 else frequency)
    # sines begin at the first frequency: the constant, which has no slope, goes to the end, to the highest
    sines = idst(np.roll(slopes, -1, axis), norm="ortho", axis=axis)
    return np.asarray(idct(sines, norm="ortho", axis=1 - axis))
