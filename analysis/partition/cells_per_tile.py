"""Exact counts of cells and lengths of creases tile by tile: a density of cells to lay beside the others.

Tiles are independent of each other: each is a window of its own. So memory is that of the few that are worked on at a
time, and a network with millions of cells goes through. For use from Python: no command asks for it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from fieldlens.configs.errors import InputError

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress
from .exact_cells import CellCounts, Layers, count_cells, layers_of
from .subdivision import Window, window_corners


@dataclass(frozen=True)
class CellMap:
    """Cells and creases of each tile of a window, row by row from the lowest y."""

    window: Window
    """What the tiles cover."""
    count: Int[np.ndarray, "rows columns"]
    """Cells of the whole network that reach into each tile; one that reaches into several counts in each."""
    length: Float[np.ndarray, "layers rows columns"]
    """Length of the creases that each hidden layer adds in each tile, in units of the coordinates."""

    @property
    def tile_area(self) -> float:
        """The area of each tile, in square units of the coordinates."""
        left, top, right, bottom = self.window
        return (right - left) * (bottom - top) / self.count.size

    @property
    def density(self) -> Float[np.ndarray, "layers rows columns"]:
        """Crease length per area, in one over units: divided by N it is per pixel of a picture with N to the unit.

        So divided it is what `crease_density` gives as `length`, exactly and as a mean over each tile, except that it
        counts creases that lie on one another once.
        """
        return self.length / self.tile_area


def cells_per_tile(
    network: ReluNetwork | Layers,
    window: Window = (0.0, 0.0, 1.0, 1.0),
    tiles: tuple[int, int] = (16, 16),
    *,
    progress: Progress | None = None,
) -> CellMap:
    """How many cells reach into each tile of a window, and how long the creases in it are, exactly.

    As many tiles are worked on at a time as torch has threads. Where memory is short, take more tiles.

    Args:
        tiles: rows and columns.

    Raises:
        InputError: for fewer than one tile, or as `cells` does.
    """
    rows, columns = tiles
    if rows < 1 or columns < 1:
        raise InputError(f"tiles are given as rows and columns, at least one of each; got {tiles}")
    window_corners(window)
    layers = network if isinstance(network, Layers) else layers_of(network)
    count = np.empty((rows, columns), np.int64)
    length = np.empty((layers.hidden, rows, columns))
    for done, (row, column, found) in enumerate(_counted(layers, window, rows, columns), 1):
        count[row, column] = found.count
        length[:, row, column] = found.length_per_layer
        if progress is not None:
            progress(done / (rows * columns))
    return CellMap(window, count, length)


def _counted(layers: Layers, window: Window, rows: int, columns: int) -> Iterator[tuple[int, int, CellCounts]]:
    """The counts of all tiles in the order in which they are done."""
    left, top, right, bottom = window
    x, y = np.linspace(left, right, columns + 1), np.linspace(top, bottom, rows + 1)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        tile_of = {}
        for row in range(rows):
            for column in range(columns):
                tile = float(x[column]), float(y[row]), float(x[column + 1]), float(y[row + 1])
                tile_of[pool.submit(count_cells, layers, tile)] = row, column
        try:
            for counted in as_completed(tile_of):
                yield *tile_of[counted], counted.result()
        finally:
            pool.shutdown(cancel_futures=True)  # after a mistake the tiles not yet begun are left out
