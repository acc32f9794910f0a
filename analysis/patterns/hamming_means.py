"""Mean Hamming distance between the patterns of pairs of points, local and global, exactly and without a pair.

A neuron that is on at c of n points differs between the two of a pair in 2 c (n - c) of the n^2 ordered pairs; over
the pairs of two sets A and B it differs in c_A (n_B - c_B) + (n_A - c_A) c_B of n_A n_B. So a mean over all pairs needs
only how many points each neuron is on at. One pass over the picture counts that for windows, quadrants and the whole.

Lazzari & Liu (arXiv 2301.05816) estimate the same from 50,000 random pairs: local ones from windows of 50 x 50 pixels,
global ones from diagonally opposite quadrants.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.windows import Windows, windows_of_side
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, pixel_centres
from .packed_patterns import active_rows, pack, unpack

AUTHORS_WINDOW_PX = 50
"""Side of the windows from which Lazzari & Liu draw local pairs."""


@dataclass(frozen=True)
class HammingMeans:
    """Mean Hamming distance of pairs of a picture's samples, by hidden layer: sum over layers for whole patterns."""

    local_per_window: Float[np.ndarray, "layers rows columns"]
    """Mean over all pairs in each of `windows`."""
    local_map: Float[np.ndarray, "layers map_rows map_columns"] | None
    """For each sample the mean over all pairs in the window about it, of the nominal side, moved in where it would
    reach beyond the picture; fp32. None unless asked for."""
    global_: Float[np.ndarray, " layers"]
    """Mean over all pairs in the picture."""
    opposite: Float[np.ndarray, " layers"]
    """Mean over all pairs of points from diagonally opposite quadrants, and over the two diagonals. NaN for a picture
    of one row or one column, which has no quadrants."""
    live: Int[np.ndarray, " layers"]
    """Neurons that are on at some samples and off at others: only these contribute to a distance."""
    neurons: Int[np.ndarray, " layers"]
    """Neurons of each layer."""
    distinct: bool
    """Whether pairs of a point with itself are left out (in `opposite` there are none)."""
    windows: Windows
    """The windows, in samples."""
    stride: int
    """Pixels between samples."""

    @property
    def local(self) -> Float[np.ndarray, " layers"]:
        """Mean over windows of the mean over their pairs."""
        return self.local_per_window.mean((1, 2))

    @property
    def local_per_live(self) -> Float[np.ndarray, " layers"]:
        """`local` over live neurons of the layer, in [0, 1]; NaN for a layer without any."""
        return self._per_live(self.local)

    @property
    def global_per_live(self) -> Float[np.ndarray, " layers"]:
        """`global_` over live neurons of the layer: up to 0.5 (for distinct pairs, n / (n - 1) of that); NaN for a
        layer without any."""
        return self._per_live(self.global_)

    @property
    def opposite_per_live(self) -> Float[np.ndarray, " layers"]:
        """`opposite` over live neurons of the layer, in [0, 1]; NaN for a layer without any."""
        return self._per_live(self.opposite)

    def _per_live(self, means: Float[np.ndarray, " layers"]) -> Float[np.ndarray, " layers"]:
        return np.divide(means, self.live, out=np.full(len(means), np.nan), where=self.live > 0)


@torch.inference_mode()
def hamming_means(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    window_px: int = AUTHORS_WINDOW_PX,
    stride: int = 1,
    distinct: bool = True,
    sliding: bool = False,
    gap_px: int = 0,
    progress: Progress | None = None,
) -> HammingMeans:
    """Mean Hamming distances at the centres of every stride-th pixel of a picture of that size.

    Costs little more than a forward pass, the sliding map some two thirds of a pass more. Counts are whole numbers, so
    that nothing is lost but in the last division.

    Args:
        window_px: side in pixels, down to whole samples; a little more where that does not divide the picture's, and
            all of the picture where it is smaller.
        distinct: leave out the pairs of a point with itself; False for pairs drawn with replacement, whose mean is
            (n - 1) / n as large for n points.
        sliding: also make the map of windows about each sample.
        gap_px: pixels between opposite quadrants, rows as well as columns, down to whole samples; Lazzari & Liu leave
            out 50 of 512.

    Raises:
        InputError: for a network with weights that are not finite, a window below 1 px, or one that holds a single
            sample where pairs are to be distinct.
    """
    rows, columns = pixel_centres(height, stride), pixel_centres(width, stride)
    windows = windows_of_side(height, width, window_px, stride)
    if distinct and windows.areas.min() < 2:
        raise InputError(
            f"a window of {window_px} px holds a single sample of every {stride} px in {width}x{height}, and distinct "
            "pairs need two; use a larger window or a smaller stride"
        )
    layers = range(len(network.width_per_layer))
    map_rows = [_MapRows(windows.side, len(rows), len(columns), distinct) for _ in layers] if sliding else None
    middle = _middle(len(rows), gap_px // stride), _middle(len(columns), gap_px // stride)
    edges = np.union1d(windows.row_edges, middle[0]), np.union1d(windows.column_edges, middle[1])
    counts = _counts(network, rows, columns, max(height, width), edges, map_rows, progress)

    in_windows = [_merged(count, edges, (windows.row_edges, windows.column_edges)) for count in counts]
    in_picture = [count.sum((0, 1)) for count in counts]
    samples = len(rows) * len(columns)
    return HammingMeans(
        local_per_window=np.stack([mean_distance(count, windows.areas, distinct) for count in in_windows]),
        local_map=None if map_rows is None else np.stack([each.whole() for each in map_rows]),
        global_=np.array([mean_distance(count, np.array(samples), distinct) for count in in_picture]),
        opposite=np.array([_mean_opposite(count, edges, middle) for count in counts]),
        live=np.array([((count > 0) & (count < samples)).sum() for count in in_picture]),
        neurons=np.array(network.width_per_layer),
        distinct=distinct,
        windows=windows,
        stride=stride,
    )


def mean_distance(
    on: Int[np.ndarray, "*sets neurons"], points: Int[np.ndarray, "*sets"], distinct: bool
) -> Float[np.ndarray, "*sets"]:
    """Mean Hamming distance over all pairs of points of sets, from how many points each neuron is on at.

    >>> mean_distance(np.array([1, 2, 0]), np.array(2), distinct=True)
    array(1.)
    """
    c, n = on.astype(np.float64), points.astype(np.float64)
    return np.asarray(2 * (c * (n[..., None] - c)).sum(-1) / (n * (n - distinct)))


Edges = tuple[Int[np.ndarray, "_"], Int[np.ndarray, "_"]]
"""Where the parts of a division begin and end, of rows and of columns: 0 first, the number of samples last."""


def _counts(
    network: ReluNetwork,
    rows: Float[Tensor, " rows"],
    columns: Float[Tensor, " columns"],
    scale: int,
    edges: Edges,
    map_rows: "list[_MapRows] | None",
    progress: Progress | None,
) -> list[Int[np.ndarray, "row_parts column_parts _"]]:
    """At how many samples between edges each neuron is on, layer by layer; feeds the rows of maps on the way."""
    row_part = _part(edges[0]).to(network.device)
    column_part = _part(edges[1]).to(network.device)
    in_part = (column_part == torch.arange(len(edges[1]) - 1, device=network.device)[:, None]).float()
    parts = len(edges[0]) - 1, len(edges[1]) - 1
    counts = [torch.zeros(*parts, w, dtype=torch.int32, device=network.device) for w in network.width_per_layer]
    for block, active in active_rows(network, rows, columns, scale):
        for layer, on in enumerate(active):
            # a product of zeros and ones, not larger than a row is long: exact in fp32
            counts[layer].index_add_(0, row_part[block], torch.matmul(in_part, on).int())
            if map_rows is not None:
                map_rows[layer].add(on)
        if progress is not None:
            progress(block.stop / len(rows))
    return [count.cpu().numpy() for count in counts]


def _part(edges: Int[np.ndarray, " edges"]) -> Int[Tensor, " size"]:
    """Between which two edges each index lies."""
    return torch.from_numpy(np.repeat(np.arange(len(edges) - 1), np.diff(edges)))


def _merged(counts: Int[np.ndarray, "r c neurons"], edges: Edges, coarser: Edges) -> Int[np.ndarray, "_ _ neurons"]:
    """Sums of counts between edges, of those between coarser edges that are among them."""
    first_row, first_column = (np.searchsorted(fine, coarse[:-1]) for fine, coarse in zip(edges, coarser, strict=True))
    return np.add.reduceat(np.add.reduceat(counts, first_row, 0), first_column, 1)


def _middle(samples: int, gap: int) -> Int[np.ndarray, "2"]:
    """Where the first half ends and the second begins, with so many samples between them."""
    first = max(0, samples - gap) // 2
    return np.array([first, min(samples, first + gap)])


def _mean_opposite(counts: Int[np.ndarray, "r c neurons"], edges: Edges, middle: Edges) -> float:
    """Mean Hamming distance between diagonally opposite quadrants on either side of a middle in each direction."""
    if any(first == 0 or second == ends[-1] for (first, second), ends in zip(middle, edges, strict=True)):
        return float("nan")  # there are no quadrants
    parts = [np.unique([0, *inner, ends[-1]]) for inner, ends in zip(middle, edges, strict=True)]
    rows, columns = (np.diff(each) for each in parts)
    share = _merged(counts, edges, (parts[0], parts[1])) / np.outer(rows, columns)[:, :, None]
    share = share[[0, -1]][:, [0, -1]]
    return float(np.mean([(a * (1 - b) + (1 - a) * b).sum() for a, b in zip(share[0], share[1, ::-1], strict=True)]))


class _MapRows:
    """A layer's mean distances in a window that slides over the picture, made from rows of samples given in turn.

    Held are, for each column, how many of the last rows of samples each neuron is on at, and these rows, packed.
    """

    def __init__(self, side: int, rows: int, columns: int, distinct: bool) -> None:
        self._high, self._wide = min(side, rows), min(side, columns)
        points = self._high * self._wide
        self._points, self._pairs = points, points * (points - distinct)
        self._in_column: Float[Tensor, "columns width"] | None = None
        self._last: deque[UInt8[Tensor, "columns bytes"]] = deque()
        self._made: list[Float[Tensor, " places"]] = []

    def add(self, on: Float[Tensor, "block columns width"]) -> None:
        """Take the next rows of samples."""
        if self._in_column is None:
            self._in_column = torch.zeros_like(on[0])
        for row, packed in zip(on, pack(on), strict=True):
            self._in_column += row
            self._last.append(packed)
            if len(self._last) > self._high:
                self._in_column -= unpack(self._last.popleft(), row.shape[-1])
            if len(self._last) == self._high:
                c = _neighbour_sums(self._in_column, self._wide)
                # counts are exact in fp32 up to 2^24, and no term is negative, so that none cancels another
                self._made.append((c * (self._points - c)).sum(-1) * (2 / self._pairs))

    def whole(self) -> Float[np.ndarray, "rows columns"]:
        """The map, once all rows are in: the nearest place of the window for each sample."""
        beyond = [(size // 2, (size - 1) // 2) for size in (self._high, self._wide)]
        return np.pad(torch.stack(self._made).cpu().numpy(), beyond, mode="edge")


def _neighbour_sums(values: Float[Tensor, "n width"], count: int) -> Float[Tensor, "places width"]:
    """Sums of each `count` neighbours along the first axis.

    Runs of 1, 2, 4, ... neighbours are made by doubling, and those in the binary digits of `count` laid end to end:
    six additions for 50, and a third of the time that a running sum takes along this axis.
    """
    places = len(values) - count + 1
    total, done, length = torch.zeros_like(values[:places]), 0, 1
    while length <= count:
        if count & length:
            total += values[done : done + places]
            done += length
        length *= 2
        if length <= count:
            values = values[: -length // 2] + values[length // 2 :]
    return total
