"""Gate overlap: how many neurons are on at both of two pixels, of those that are on at either.

For a layer's patterns of pixels i and j it is the cosine of the vectors of zeros and ones,

    o_ij = |on_i and on_j| / sqrt(|on_i| |on_j|),   in [0, 1].

What gradient descent does at j for the sake of i is their kernel, a sum over layers l = 1, ... L + 1, the last of them
the output's, with a the inputs of a layer and d the gradient of the field's luma by its pre-activations:

    K_ij = sum over l of (a_i . a_j + 1) (d_i . d_j).

On its way back d passes only neurons that are on, so that in d_i . d_j only those count that are on at both. With
weights that know nothing of the gates each hidden layer multiplies the cosine of d_i and d_j by its overlap:

    d_i . d_j = |d_i| |d_j| o_ij(l) o_ij(l + 1) ... o_ij(L)   at hidden layer l.

It is exact in the last hidden layer where all output weights are of one size, and at initialisation in the limit of
wide layers (Jacot et al. 2018, arXiv 1806.07572: each factor is the normalised kernel of the step function). In a
trained network it is an estimate of what creases do to K: within a cell, overlap is 1.

Where K_ij is nearly the same for all pairs of a window, fine detail y cancels in y' K y and is not moved. So it is the
change of overlap from pixel to pixel that gives fine detail its speed, and overlap that lasts that takes it.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int, UInt8

from fieldlens.configs.errors import InputError

from ..detail.windows import Windows
from .packed_patterns import PackedPatterns


@dataclass(frozen=True, eq=False)
class GateOverlap:
    """Mean gate overlap of pairs of samples in windows of a picture, by hidden layer; 1 where there are no creases.

    Two patterns without a neuron on overlap by 1, as they are equal; one such and any other by 0.
    """

    within: Float[np.ndarray, "layers rows columns"]
    """Over all pairs of two samples of a window, in [0, 1]."""
    of_neighbours: Float[np.ndarray, "layers rows columns"]
    """Over pairs of neighbours in a row or a column of a window, in [0, 1]."""
    windows: Windows

    @property
    def change_per_pixel(self) -> Float[np.ndarray, "layers rows columns"]:
        """1 less the overlap of neighbours, in [0, 1]; the sum over layers is, to first order, how much less the
        gradients of the first layer's weights have in common from one pixel to the next.

        Where equally many neurons are on at both, it is the neighbours' Hamming distance over twice that number:
        crossings per pixel, counted against the neurons at work.
        """
        return 1 - self.of_neighbours


def gate_overlap(patterns: PackedPatterns, windows: Windows) -> GateOverlap:
    """Gate overlap within windows, exactly, from the patterns of a picture's pixels (or of every stride-th).

    No pairs are formed for the mean over all of a window: it is the squared length of the sum of unit vectors. It
    takes about a fifth of what making the patterns took. A leaky ReLU's neurons count by the side they are on.

    Raises:
        InputError: for windows of another picture's size, and for windows of a single sample, which has no pair.
    """
    size = int(windows.row_edges[-1]), int(windows.column_edges[-1])
    if patterns.layers[0].shape[:2] != size:
        height, width, _ = patterns.layers[0].shape
        raise InputError(f"windows of {size[1]}x{size[0]} samples were given for patterns of {width}x{height}")
    if windows.areas.min() < 2:
        raise InputError("a window of a single sample has no pair of them; use larger windows")
    counts = [np.bitwise_count(packed).sum(-1, dtype=np.int64) for packed in patterns.layers]
    layers = list(zip(patterns.layers, counts, strict=True))
    return GateOverlap(
        np.stack([_over_all_pairs(packed, on, windows) for packed, on in layers]),
        np.stack([_over_neighbours(packed, on, windows) for packed, on in layers]),
        windows,
    )


def _over_all_pairs(
    packed: UInt8[np.ndarray, "h w bytes"], on: Int[np.ndarray, "h w"], windows: Windows
) -> Float[np.ndarray, "rows columns"]:
    """Mean of the cosines of all pairs of two samples of each window.

    A sample without a neuron on counts as having one of its own, the same for all of these.
    """
    squares = np.empty(windows.shape)
    first_columns = windows.column_edges[:-1]
    for row, (first, end) in enumerate(pairwise(windows.row_edges)):
        strip = on[first:end]
        gates = np.unpackbits(packed[first:end], axis=-1, bitorder="little")
        sums = np.einsum("rcn,rc->cn", gates, 1 / np.sqrt(np.maximum(strip, 1)))
        none = np.add.reduceat((strip == 0).sum(0), first_columns)
        squares[row] = np.square(np.add.reduceat(sums, first_columns, 0)).sum(-1) + np.square(none)
    # the pairs of a sample with itself, whose cosine is 1, are left out
    means = (squares - windows.areas) / (windows.areas * (windows.areas - 1))
    # windows without a crease tie at 1, or ranks would order what rounding leaves
    return np.clip(means.round(12), 0, 1)


def _over_neighbours(
    packed: UInt8[np.ndarray, "h w bytes"], on: Int[np.ndarray, "h w"], windows: Windows
) -> Float[np.ndarray, "rows columns"]:
    """Mean of the overlaps of neighbours that are in one window."""
    down = np.zeros(on.shape)
    down[:-1] = _overlaps(packed[:-1], packed[1:], on[:-1], on[1:])
    down[windows.row_edges[1:] - 1] = 0
    across = np.zeros(on.shape)
    across[:, :-1] = _overlaps(packed[:, :-1], packed[:, 1:], on[:, :-1], on[:, 1:])
    across[:, windows.column_edges[1:] - 1] = 0
    high, wide = np.diff(windows.row_edges), np.diff(windows.column_edges)
    pairs = np.outer(high - 1, wide) + np.outer(high, wide - 1)
    sums = np.add.reduceat(np.add.reduceat(down + across, windows.row_edges[:-1], 0), windows.column_edges[:-1], 1)
    return sums / pairs


def _overlaps(
    a: UInt8[np.ndarray, "h w bytes"],
    b: UInt8[np.ndarray, "h w bytes"],
    on_a: Int[np.ndarray, "h w"],
    on_b: Int[np.ndarray, "h w"],
) -> Float[np.ndarray, "h w"]:
    """The overlap of patterns a and b, given how many neurons are on in each."""
    both = np.bitwise_count(a & b).sum(-1, dtype=np.int64)
    product = on_a * on_b
    return np.divide(both, np.sqrt(product), out=(on_a == on_b).astype(np.float64), where=product > 0)
