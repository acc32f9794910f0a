"""The windows a picture is compared in, and the larger blocks that are resampled to say how sure a statistic is.

Windows cover the picture without gaps or overlap. Where their side does not divide that of the picture they are a
little larger, by less than one part in the number of them; a picture smaller than a window is one window.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from fieldlens.configs.errors import InputError

from .bands import Energies, longest_wavelength

MIN_WINDOW_PX = 16
"""Least side of a window in pixels."""

WAVELENGTHS_PER_WINDOW = 4
"""A window holds four of the longest waves of its band: enough for their mean square to be a local energy."""

MIN_BLOCK_PX = 64
"""Least side of a block in pixels."""

MIN_BLOCK_WINDOWS = 2
"""Blocks hold at least 2 x 2 windows, so that windows alike because they are neighbours are resampled together."""

FLOOR_SHARE = 0.01
"""Windows with less than this share of the picture's mean energy in the band are divided by that much instead."""


@dataclass(frozen=True)
class Place:
    """A square of a picture, in its pixels from the left top corner."""

    left: float
    top: float
    side: float

    @property
    def label(self) -> str:
        """Its middle.

        >>> Place(32, 64, 16).label
        'x 40, y 72'
        """
        return f"x {self.left + self.side / 2:.0f}, y {self.top + self.side / 2:.0f}"


@dataclass(frozen=True)
class Windows:
    """A division of a picture into rectangles."""

    row_edges: Int[np.ndarray, " row_edges"]
    """First pixel row of each row of windows, and the picture's height."""
    column_edges: Int[np.ndarray, " column_edges"]
    """First pixel column of each column of windows, and the picture's width."""
    side: int
    """Nominal side in pixels."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        return len(self.row_edges) - 1, len(self.column_edges) - 1

    @property
    def areas(self) -> Int[np.ndarray, "rows columns"]:
        """Pixels of each window."""
        return np.outer(np.diff(self.row_edges), np.diff(self.column_edges))

    def spread(self, values: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "h w"]:
        """A picture with each window filled with its value, fp32."""
        tall = np.repeat(values.astype(np.float32), np.diff(self.row_edges), 0)
        return np.repeat(tall, np.diff(self.column_edges), 1)

    def mean_of_map(self, values: Float[np.ndarray, "map_h map_w"]) -> Float[np.ndarray, "rows columns"]:
        """Mean in each window of a map of the picture, at full size or of every stride-th pixel.

        A map with a stride t has ceil(h / t) x ceil(w / t) values, each standing for a block of t x t pixels; it counts
        in the window that holds the middle of its block. Raises `InputError` for a map of any other size and for one
        too coarse to have a value in each window.
        """
        height, width = int(self.row_edges[-1]), int(self.column_edges[-1])
        stride = _stride(values.shape, height, width)
        rows = _first_samples(self.row_edges, stride, height)
        columns = _first_samples(self.column_edges, stride, width)
        if not (np.diff(rows).all() and np.diff(columns).all()):
            raise InputError(
                f"a density map of every {stride}th pixel is too coarse for windows of {self.side} px; use a stride of "
                f"at most {self.side}"
            )
        sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows[:-1], 0), columns[:-1], 1)
        return sums / np.outer(np.diff(rows), np.diff(columns))

    def blocks(self) -> Int[np.ndarray, "rows columns"]:
        """The number of the block that each window belongs to.

        Blocks are at least 64 px and two windows a side, or all there is where the picture is smaller.
        """
        per_block = self.block_side // self.side
        row_blocks, column_blocks = (_groups(count, per_block) for count in self.shape)
        return row_blocks[:, None] * (column_blocks[-1] + 1) + column_blocks

    @property
    def block_side(self) -> int:
        """Nominal side of a block in pixels."""
        return self.side * max(MIN_BLOCK_WINDOWS, -(-MIN_BLOCK_PX // self.side))


def windows_of(height: int, width: int, band: int) -> Windows:
    """The windows in which a band is compared: four of its longest wavelengths, and at least 16 px, a side.

    >>> windows_of(33, 10, band=0).row_edges
    array([ 0, 16, 33])
    """
    return windows_of_side(height, width, max(MIN_WINDOW_PX, WAVELENGTHS_PER_WINDOW * longest_wavelength(band)))


def windows_of_side(height: int, width: int, side: int, stride: int = 1, most_per_axis: int | None = None) -> Windows:
    """As many windows of that side as fit whole, or as many as are allowed along an axis, spread evenly.

    Of every stride-th pixel: edges and side count samples, the side rounded down.

    >>> windows_of_side(5, 3, side=2).row_edges
    array([0, 2, 5])
    >>> windows_of_side(50, 30, side=20, stride=10).row_edges
    array([0, 2, 5])
    >>> windows_of_side(33, 512, side=16, most_per_axis=4).column_edges
    array([  0, 128, 256, 384, 512])

    Raises:
        InputError: for a side below 1 px.
    """
    if side < 1:
        raise InputError(f"a window is at least 1 px wide, and {side} was given")
    samples = max(1, side // stride)
    rows, columns = (_edges(-(-size // stride), samples, most_per_axis) for size in (height, width))
    return Windows(rows, columns, samples)


def window_energies(
    target: Float[np.ndarray, "h w"], reconstruction: Float[np.ndarray, "h w"], windows: Windows, rounding: float
) -> Energies:
    """Energies per window of one band of a target and a reconstruction, given as pictures of that band.

    The floor is a hundredth of the target's mean energy in the band, or `rounding`, the energy of 8-bit rounding in it,
    whichever is more.
    """
    energies = np.empty((4, *windows.shape))
    for row, (first, end) in enumerate(pairwise(windows.row_edges)):
        y, f = target[first:end].astype(np.float64), reconstruction[first:end].astype(np.float64)
        for energy, product in zip(energies, (y * y, f * f, np.square(y - f), y * f), strict=True):
            energy[row] = np.add.reduceat(product.sum(0), windows.column_edges[:-1])
    floor = max(FLOOR_SHARE * float(energies[0].sum() / windows.areas.sum()), rounding)
    return Energies(*energies / windows.areas, floor=floor)


def window_slopes(picture: Float[np.ndarray, "h w"], windows: Windows) -> Float[np.ndarray, "rows columns"]:
    """Mean length of a picture's gradient in each window, value per pixel, by differences to the next pixel."""
    slopes = np.empty(windows.shape)
    for row, (first, end) in enumerate(pairwise(windows.row_edges)):
        strip = picture[first : end + 1].astype(np.float64)
        down = np.diff(strip, axis=0, append=strip[-1:])[: end - first]
        across = np.diff(strip, axis=1, append=strip[:, -1:])[: end - first]
        slopes[row] = np.add.reduceat(np.hypot(down, across).sum(0), windows.column_edges[:-1])
    return slopes / np.outer(np.diff(windows.row_edges), np.diff(windows.column_edges))


def _edges(size: int, side: int, most: int | None) -> Int[np.ndarray, " edges"]:
    """Borders of as many windows as fit whole and are allowed, spread evenly."""
    count = max(1, size // side)
    return np.linspace(0, size, (count if most is None else min(count, most)) + 1).round().astype(np.int64)


def _groups(count: int, per_group: int) -> Int[np.ndarray, " count"]:
    """The group of each of `count` neighbours: as many groups as there are `per_group`, filled evenly."""
    return np.arange(count) * max(1, count // per_group) // count


def _stride(shape: tuple[int, ...], height: int, width: int) -> int:
    """The smallest stride with which sampling a picture gives a map of this shape."""
    for stride in range(1, max(height, width) + 1):
        if shape == (-(-height // stride), -(-width // stride)):
            return stride
    raise InputError(
        f"a density map of {shape[1]}x{shape[0]} does not belong to a picture of {width}x{height}: it is none of every "
        "stride-th pixel"
    )


def _first_samples(edges: Int[np.ndarray, " edges"], stride: int, size: int) -> Int[np.ndarray, " edges"]:
    """Index of the first map value whose block has its middle pixel in each window, and the number of values."""
    middles = np.minimum(np.arange(0, size, stride) + stride // 2, size - 1)
    return np.searchsorted(middles, edges)
