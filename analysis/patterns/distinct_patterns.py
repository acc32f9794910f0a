"""Distinct patterns of a picture's samples, and whether so many samples can tell.

Points that share a pattern are, with raw coordinates, in one cell, so that distinct patterns count the cells that some
sample hit. Under an encoding one pattern may be found in several places. Either way there are at most as many patterns
as samples, and where most samples have one of their own the count says how many samples there were, and little else.

Lazzari & Liu (arXiv 2301.05816) count the distinct patterns of all pixels through training.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import ndimage
from torch import Tensor

from ..detail.verdicts import percent
from ..detail.windows import MIN_WINDOW_PX, Windows, windows_of_side
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, pixel_centres
from .packed_patterns import active_rows, hash_keys, pattern_hash

SATURATED_SHARE = 0.6
"""More distinct patterns than this share of the samples, and the count is held down by the samples."""

Hashes = Int[np.ndarray, "rows columns 2"]
"""128 bits for the pattern of each sample."""


@dataclass(frozen=True)
class DistinctPatterns:
    """How many patterns the samples of a picture have, altogether, by layer and by window."""

    count: int
    """Distinct patterns of all hidden layers together."""
    count_per_layer: Int[np.ndarray, " layers"]
    """Distinct patterns of each hidden layer by itself."""
    count_up_to_layer: Int[np.ndarray, " layers"]
    """Distinct patterns of the first layer, of the first two together, and so on; never falling, `count` at last."""
    count_per_window: Int[np.ndarray, "rows columns"]
    """Distinct patterns in each of `windows`, of all layers together."""
    cells: int
    """Connected sets of samples with one pattern, where samples are neighbours left, right, above and below. At least
    `count`: more where a pattern is found in several places, and where a cell is thinner than a step of the samples."""
    windows: Windows
    """The windows, in samples."""
    samples: int
    """Points at which patterns were compared."""
    stride: int
    """Pixels between samples."""

    @property
    def unique_share(self) -> float:
        """Distinct patterns over samples: 1 where no two samples share a pattern."""
        return self.count / self.samples

    @property
    def unique_share_per_window(self) -> Float[np.ndarray, "rows columns"]:
        """Distinct patterns over samples of each window."""
        return self.count_per_window / self.windows.areas

    @property
    def saturated(self) -> bool:
        """Whether the number of samples, more than the network, decides the count."""
        return self.unique_share > SATURATED_SHARE

    @property
    def caveat(self) -> str | None:
        """What has to be said beside a saturated count."""
        if not self.saturated:
            return None
        return (
            f"{self.count:,} distinct patterns in {self.samples:,} samples are {percent(self.unique_share)} of what so "
            "many samples can have: the count is held down by the samples and must not be compared with that of "
            "another network, encoding, training step or resolution"
        )


@torch.inference_mode()
def distinct_patterns(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    window_px: int = MIN_WINDOW_PX,
    stride: int = 1,
    progress: Progress | None = None,
) -> DistinctPatterns:
    """Distinct patterns at the centres of every stride-th pixel of a picture of that size.

    Costs little more than a forward pass, and 16 bytes a sample and layer.

    Args:
        window_px: side in pixels, down to whole samples, of the windows that are counted by themselves; a little more
            where that does not divide the picture's.

    Raises:
        InputError: for a network with weights that are not finite, or a window below 1 px.
    """
    rows, columns = pixel_centres(height, stride), pixel_centres(width, stride)
    windows = windows_of_side(height, width, window_px, stride)
    layers = np.empty((len(network.width_per_layer), len(rows), len(columns), 2), np.int64)
    for block, hashes in _hashed_rows(network, rows, columns, max(height, width), progress):
        layers[:, block] = hashes
    up_to_layer = [_numbered(total) for total in accumulate(layers)]  # hashes of layers add up
    pattern, count = up_to_layer[-1]
    return DistinctPatterns(
        count=count,
        count_per_layer=np.array([up_to_layer[0][1], *(_numbered(layer)[1] for layer in layers[1:])]),
        count_up_to_layer=np.array([number for _, number in up_to_layer]),
        count_per_window=_count_per_window(pattern, count, windows),
        cells=connected_cells(pattern),
        windows=windows,
        samples=pattern.size,
        stride=stride,
    )


@dataclass(frozen=True)
class PatternCurve:
    """How the number of distinct patterns grows as samples come closer: level where the samples found nearly all."""

    spacing_px: Float[np.ndarray, " densities"]
    """Pixels between samples along both axes; each is half the one before."""
    samples: Int[np.ndarray, " densities"]
    """Samples of each density; each has all those of the one before."""
    counts: Int[np.ndarray, " densities"]
    """Distinct patterns of all hidden layers together."""
    tolerance: float
    """Growth at the last halving below which the count is taken to have converged."""

    @property
    def growth(self) -> float:
        """By what share the last halving of the spacing raised the count: 0 where it found no new pattern, 3 where each
        sample has a pattern of its own. NaN when there is one density only."""
        return float(self.counts[-1] / self.counts[-2] - 1) if len(self.counts) > 1 else float("nan")

    @property
    def converged(self) -> bool:
        """Whether the last halving of the spacing, with four times the samples, raised the count by less than the
        tolerance."""
        return self.growth < self.tolerance

    @property
    def caveat(self) -> str | None:
        """What has to be said beside a count that has not converged."""
        if self.converged:
            return None
        if len(self.counts) == 1:
            return "patterns were counted at one density of samples only, which does not tell whether they are all"
        return (
            f"the last halving of the samples' spacing, to {self.spacing_px[-1]:g} px, still raised the number of "
            f"distinct patterns by {percent(self.growth)}: {self.counts[-1]:,} is only how many these samples hit"
        )


@torch.inference_mode()
def pattern_curve(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    densities: int = 6,
    refine: int = 1,
    tolerance: float = 0.05,
    progress: Progress | None = None,
) -> PatternCurve:
    """Distinct patterns of a picture at up to `densities` spacings, each half the one before, down to 1/refine px.

    The network is evaluated once, at the closest spacing; the others take every second of these samples, every fourth
    and so on, for as long as two are left along the longer side. For use from Python: no command asks for it.

    Raises:
        InputError: for a network with weights that are not finite.
    """
    rows, columns = ((torch.arange(size * refine).double() + 0.5) / refine for size in (height, width))
    hashes = np.empty((len(rows), len(columns), 2), np.int64)
    for block, of_layers in _hashed_rows(network, rows, columns, max(height, width), progress):
        hashes[block] = of_layers.sum(0)
    possible = (max(len(rows), len(columns)) - 1).bit_length()
    steps = [2**k for k in reversed(range(max(1, min(densities, possible))))]
    return PatternCurve(
        spacing_px=np.array(steps) / refine,
        samples=np.array([hashes[::step, ::step, 0].size for step in steps]),
        counts=np.array([_numbered(hashes[::step, ::step])[1] for step in steps]),
        tolerance=tolerance,
    )


def connected_cells(pattern: Int[np.ndarray, "rows columns"]) -> int:
    """How many connected sets of equal numbers there are, each number being beside those left, right, above and below.

    >>> connected_cells(np.array([[1, 1, 2], [2, 2, 1]]))
    4
    """
    rows, columns = pattern.shape
    # numbers and what lies between two of them, in a grid twice as fine: there 1 joins what is connected
    joined = np.zeros((2 * rows - 1, 2 * columns - 1), np.uint8)
    joined[::2, ::2] = 1
    joined[1::2, ::2] = pattern[1:] == pattern[:-1]
    joined[::2, 1::2] = pattern[:, 1:] == pattern[:, :-1]
    return int(ndimage.label(joined)[1])  # type: ignore[index]  # the stubs do not know that it is a pair


def _hashed_rows(
    network: ReluNetwork,
    rows: Float[Tensor, " rows"],
    columns: Float[Tensor, " columns"],
    scale: int,
    progress: Progress | None,
) -> Iterator[tuple[slice, Int[np.ndarray, "layers block columns 2"]]]:
    """The hash of each hidden layer's pattern at each sample, some rows at a time."""
    keys = hash_keys(network)
    for block, active in active_rows(network, rows, columns, scale):
        hashes = [pattern_hash(on, layer_keys) for on, layer_keys in zip(active, keys, strict=True)]
        yield block, torch.stack(hashes).cpu().numpy()
        if progress is not None:
            progress(block.stop / len(rows))


def _numbered(hashes: Hashes) -> tuple[Int[np.ndarray, "rows columns"], int]:
    """Samples numbered by their pattern, from 0, and how many patterns there are."""
    first, second = hashes[..., 0].ravel(), hashes[..., 1].ravel()
    order = np.argsort(first)
    other_first, other_second = np.diff(first[order]) != 0, np.diff(second[order]) != 0
    if (other_second & ~other_first).any():
        # Different patterns with the same first half, once in 2^64: only now does it take both halves to bring equal
        # hashes together, which is six times as slow.
        order = np.lexsort((second, first))
        other_first, other_second = np.diff(first[order]) != 0, np.diff(second[order]) != 0
    number = np.empty(len(order), np.int64)
    number[order] = np.concatenate([[0], np.cumsum(other_first | other_second)])
    return number.reshape(hashes.shape[:2]), int(number[order[-1]]) + 1


def _count_per_window(
    pattern: Int[np.ndarray, "rows columns"], count: int, windows: Windows
) -> Int[np.ndarray, "window_rows window_columns"]:
    """Distinct numbers, of those below `count`, in each window."""
    row = np.repeat(np.arange(windows.shape[0]), np.diff(windows.row_edges))
    column = np.repeat(np.arange(windows.shape[1]), np.diff(windows.column_edges))
    window = row[:, None] * windows.shape[1] + column
    window_of_each = np.unique(window * count + pattern) // count
    return np.bincount(window_of_each, minlength=windows.shape[0] * windows.shape[1]).reshape(windows.shape)
