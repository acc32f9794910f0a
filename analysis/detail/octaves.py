"""Detail of one octave in its windows: what a network is asked how fast it could move it.

Either what a picture holds in the octave, or waves of the octave's centre, which are the same for every picture.
"""

from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
from jaxtyping import Bool, Float

from .bands import band_labels, luma, octave_bands, rounding_energies
from .windows import Windows, windows_of

WAVE_DIRECTIONS = 4
"""Of waves of an octave: along x, along both diagonals, and along y."""

WAVE_PHASES = 2
"""Cosine and sine."""


@dataclass(frozen=True, eq=False)
class Detail:
    """What is to be moved, and the windows in which."""

    values: Float[np.ndarray, "h w"]
    """Of luma, around zero."""
    windows: Windows
    label: str
    """The octave's, as of `band_labels`."""
    floor: float = 0.0
    """Energy per pixel that is no detail, such as that of 8-bit rounding in the octave."""
    every: int = 1
    """Of this many windows along each axis the middle one is asked, where all would take too long."""

    @property
    def asked(self) -> Bool[np.ndarray, "rows columns"]:
        """Which windows are asked."""
        rows, columns = (np.arange(count) % self.every == min(self.every, count) // 2 for count in self.windows.shape)
        return rows[:, None] & columns

    @property
    def energy(self) -> Float[np.ndarray, "rows columns"]:
        """Sum of squares in each window."""
        squares = np.square(self.values, dtype=np.float64)
        in_rows = np.add.reduceat(squares, self.windows.row_edges[:-1], 0)
        return np.add.reduceat(in_rows, self.windows.column_edges[:-1], 1)

    @property
    def there(self) -> Bool[np.ndarray, "rows columns"]:
        """Which windows are asked and hold more energy per pixel than the floor."""
        return self.asked & (self.energy > self.floor * self.windows.areas)

    def spread(self, values: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "_ _"]:
        """Of each pixel what its window has. Where not all are asked, of each window that is: it stands for those
        around it."""
        asked = values[np.ix_(self.asked.any(1), self.asked.any(0))]
        return asked if self.every > 1 else self.windows.spread(asked)

    def levelled(self) -> "Detail":
        """The same detail less its mean and its slope along both axes, in each window.

        Edges of windows cut waves, so that a window's part of an octave has some of both, which are no fine detail.
        """
        values = self.values.astype(np.float64)
        for top, bottom in pairwise(self.windows.row_edges.tolist()):
            for left, right in pairwise(self.windows.column_edges.tolist()):
                here = values[top:bottom, left:right]
                for plane in _planes(*here.shape):
                    here -= plane * (plane * here).sum()
        return replace(self, values=values)


def octave_details(
    picture: Float[np.ndarray, "h w c"] | Float[np.ndarray, "h w"], *, peak: float = 1.0
) -> list[Detail]:
    """What a picture holds in each octave, finest first, in the windows that octaves are compared in.

    Args:
        picture: colours, whose luma is taken; or luma itself, which may be a difference of two.
        peak: of values as stored; their rounding to 8 bits is what is too little to be detail.
    """
    grey = luma(picture, peak) if picture.ndim == 3 else picture
    height, width = grey.shape
    bands = zip(octave_bands(grey), band_labels(height, width), rounding_energies(height, width, peak), strict=True)
    return [
        Detail(values, windows_of(height, width, band), label, float(floor))
        for band, (values, label, floor) in enumerate(bands)
    ]


def octave_waves(height: int, width: int, band: int) -> list[Detail]:
    """Plane waves of amplitude 1 and of a band's centre, 2^(b + 3/2) pixels long: 4 directions, each in 2 phases.

    >>> [round(float(value), 3) for value in octave_waves(1, 4, band=0)[0].values[0]]
    [0.444, -0.982, 0.745, 0.079]
    """
    windows, label = windows_of(height, width, band), band_labels(height, width)[band]
    y, x = (np.arange(size) + 0.5 for size in (height, width))
    waves = []
    for direction, phase in product(range(WAVE_DIRECTIONS), range(WAVE_PHASES)):
        angle = np.pi * direction / WAVE_DIRECTIONS
        along = np.cos(angle) * x + np.sin(angle) * y[:, None]
        wave = np.cos(2 * np.pi * along / 2 ** (band + 1.5) - np.pi / 2 * phase)
        waves.append(Detail(wave, windows, label))
    return waves


def _planes(rows: int, columns: int) -> list[Float[np.ndarray, "rows columns"]]:
    """A constant, and slopes along both axes, as pictures orthogonal to each other and of length 1."""
    down, across = (np.arange(size) - (size - 1) / 2 for size in (rows, columns))
    planes = [np.ones((rows, columns)), np.tile(down[:, None], columns), np.tile(across, (rows, 1))]
    return [plane / length for plane in planes if (length := np.linalg.norm(plane)) > 0]
