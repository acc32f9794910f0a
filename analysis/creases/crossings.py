"""Crossings: creases met per pixel of length along four directions, by comparing on/off patterns of neighbours.

Samples stand on the corners of pixels, so each pixel owns its four sides and its two diagonals, a picture one pixel
high has vertical steps too, and a row of pixels is measured from edge to edge. Crofton's formula turns crossings into
crease length per area. A neuron that changes twice within one step is missed: `refined_crossings` takes steps so
short that this hardly happens, and says what remains. Patterns are of one layer and one tile of the picture at a time.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..detail.densities import LENGTH_PER_CROSSING
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import LatticeAxis, Progress, chunk_points, image_points, lattice_axis, sampled_pixels
from ..patterns.neuron_activity import SignsSeen
from ..patterns.packed_patterns import as_words, hamming

DIRECTIONS = ("x", "y", "diagonal", "antidiagonal")
"""Right, down, right and down, left and down."""


@dataclass(frozen=True)
class Crossings:
    """Crossings of every stride-th pixel of a picture, by direction and hidden layer, and the state of its neurons."""

    per_pixel: Float[np.ndarray, "4 layers rows columns"]
    """Crossings per pixel of length in each of `DIRECTIONS` (a diagonal step is sqrt(2) pixels long)."""
    dead: Int[np.ndarray, " layers"]
    """Neurons of each layer that are on at no sample."""
    always_on: Int[np.ndarray, " layers"]
    """Neurons of each layer that are on at every sample."""
    neurons: Int[np.ndarray, " layers"]
    """Neurons of each layer."""
    stride: int
    """Pixels between sampled pixels."""
    refine: int
    """Steps that each pixel was cut into."""
    undercount: float | None = None
    """Share of crossings that only steps half as long find, on lines through the picture; None: not measured."""

    @property
    def live(self) -> Int[np.ndarray, " layers"]:
        """Neurons of each layer that change sign in the picture: only these make creases in it."""
        return self.neurons - self.dead - self.always_on

    @property
    def mean_per_pixel(self) -> Float[np.ndarray, "rows columns"]:
        """Crossings per pixel of all layers, mean over the four directions."""
        return self.per_pixel.mean(0).sum(0)

    @property
    def standard_error(self) -> float:
        """Of the mean over the measured pixels as one over all; 0 where all are measured.

        As if the pixels had been drawn at random. They are spread evenly, which is more precise, if anything.
        """
        found = self.mean_per_pixel.astype(np.float64)
        if self.stride == 1 or found.size < 2:
            return 0.0
        return float(found.std(ddof=1) * math.sqrt((1 - 1 / self.stride**2) / found.size))

    @property
    def crofton(self) -> Float[np.ndarray, "layers rows columns"]:
        """Crease length per area, in pixels per square pixel: pi/2 times the mean crossings over directions.

        With four directions, straight creases of one single orientation come out between 5.2 % too short and 2.6 % too
        long; spread orientations cancel (Crofton's formula).
        """
        return self.per_pixel.sum(0) * (LENGTH_PER_CROSSING / 4)


@torch.inference_mode()
def crossings(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    stride: int = 1,
    refine: int = 1,
    progress: Progress | None = None,
) -> Crossings:
    """Crossing maps of a picture of that size, at one sample a pixel or `refine` squared.

    Args:
        stride: measure every stride-th pixel of each axis; a measured pixel's samples stay 1/refine pixels apart.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    rows, columns = sampled_pixels(height, stride), sampled_pixels(width, stride)
    widths = network.width_per_layer
    maps = np.zeros((4, len(widths), len(rows), len(columns)), np.float32)
    seen = SignsSeen(network)
    tiles = list(_tiles(len(rows), len(columns), chunk_points(max(widths)), refine, stride))
    for done, (row_slice, column_slice) in enumerate(tiles, start=1):
        down = lattice_axis(rows[row_slice], refine)
        across = lattice_axis(columns[column_slice], refine)
        x = image_points(down.positions, across.positions, max(height, width), network.device)
        for layer, z in enumerate(network.preactivations(x)):
            on = z > 0
            seen.show(layer, on)
            words = as_words(on).unflatten(0, (len(down.positions), len(across.positions)))
            maps[:, layer, row_slice, column_slice] = _tile_crossings(words, down, across, refine).cpu().numpy()
        if progress is not None:
            progress(done / len(tiles))
    states = seen.states
    return Crossings(
        per_pixel=maps,
        dead=states.dead,
        always_on=states.always_on,
        neurons=states.neurons,
        stride=stride,
        refine=refine,
    )


def refined_crossings(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    stride: int = 1,
    tolerance: float = 0.01,
    max_refine: int = 64,
    progress: Progress | None = None,
) -> Crossings:
    """Crossing maps with steps so short that halving them would find less than `tolerance` more, and what remains.

    How short is found on eight rows and eight columns of the picture, from a start that follows from the encoding's
    highest frequency against the pixel grid (for octaves 2^max(0, L - log2 N + 1)), doubling up to `max_refine`. The
    cost grows with the square of the refinement: choose a stride for large pictures.
    """
    refine = min(starting_refinement(network.highest_frequency, max(height, width)), max_refine)
    count = _crossings_on_lines(network, height, width, refine)
    while True:
        finer = _crossings_on_lines(network, height, width, 2 * refine)
        undercount = 1 - count / finer if finer else 0.0
        if undercount < tolerance or 2 * refine > max_refine:
            break
        refine, count = 2 * refine, finer
    found = crossings(network, height, width, stride=stride, refine=refine, progress=progress)
    return replace(found, undercount=max(0.0, undercount))


def starting_refinement(highest_frequency: float, resolution: int) -> int:
    """The refinement to begin with: a power of two, eight steps to the wave of the encoding's fastest feature.

    >>> starting_refinement(highest_frequency=64, resolution=256)  # fourier:8 at 256 pixels
    2
    """
    return 2 ** max(0, math.ceil(math.log2(max(8 * highest_frequency / resolution, 1))))


@torch.inference_mode()
def crossings_along(
    network: ReluNetwork, start: tuple[float, ...], end: tuple[float, ...], steps: int
) -> Int[np.ndarray, "layers steps"]:
    """Crossings in each of equal steps along the line between two points of the network's input."""
    begin, finish = torch.tensor(start, dtype=torch.float64), torch.tensor(end, dtype=torch.float64)
    chunk = chunk_points(max(network.width_per_layer))
    counts = np.empty((len(network.width_per_layer), steps), np.int64)
    for first in range(0, steps, chunk):
        last = min(first + chunk, steps)
        shares = torch.arange(first, last + 1, dtype=torch.float64)[:, None] / steps
        x = torch.lerp(begin, finish, shares).float().to(network.device)
        for layer, z in enumerate(network.preactivations(x)):
            words = as_words(z > 0)
            counts[layer, first:last] = hamming(words[:-1], words[1:]).cpu().numpy()
    return counts


def _crossings_on_lines(network: ReluNetwork, height: int, width: int, refine: int, lines: int = 8) -> int:
    """All crossings on some rows and columns of the picture, through pixel centres."""
    scale = max(height, width)
    right, bottom = width / scale, height / scale
    levels = [(line + 0.5) / lines for line in range(lines)]
    rows = [((0.0, t * bottom), (right, t * bottom), width * refine) for t in levels]
    columns = [((t * right, 0.0), (t * right, bottom), height * refine) for t in levels]
    return sum(int(crossings_along(network, *line).sum()) for line in rows + columns)


def _tiles(rows: int, columns: int, points: int, refine: int, stride: int) -> Iterator[tuple[slice, slice]]:
    """Blocks of sampled pixels whose lattice has about that many points: squares, longer where the picture is narrow.

    Samples on the border of two blocks are evaluated twice, 3 % of them for blocks of 64 x 64 pixels.
    """
    samples = refine if stride == 1 else refine + 1
    high = min(rows, max(1, math.isqrt(points) // samples))
    wide = max(1, points // (high * samples + 1) // samples)
    for top in range(0, rows, high):
        for left in range(0, columns, wide):
            yield slice(top, min(top + high, rows)), slice(left, min(left + wide, columns))


def _tile_crossings(
    words: Int[Tensor, "y x words"], down: LatticeAxis, across: LatticeAxis, refine: int
) -> Float[Tensor, "4 rows columns"]:
    """Crossings per pixel of length in the four directions, from the packed patterns of one layer on a lattice.

    A row of steps counts for the pixels on both its sides, half each where it is their border.
    """
    to_right = hamming(words[:, :-1], words[:, 1:]).float()
    to_bottom = hamming(words[:-1], words[1:]).float()
    diagonal = hamming(words[:-1, :-1], words[1:, 1:]).float()
    antidiagonal = hamming(words[:-1, 1:], words[1:, :-1]).float()
    steps_down, nodes_down = down.steps.to(words.device), down.nodes.to(words.device)
    steps_across, nodes_across = across.steps.to(words.device), across.nodes.to(words.device)
    diagonal_length = refine * math.sqrt(2)  # refine^2 diagonals of sqrt(2) / refine pixels in each pixel
    return torch.stack(
        [
            nodes_down @ to_right @ steps_across.T,
            steps_down @ to_bottom @ nodes_across.T,
            steps_down @ diagonal @ steps_across.T / diagonal_length,
            steps_down @ antidiagonal @ steps_across.T / diagonal_length,
        ]
    )
