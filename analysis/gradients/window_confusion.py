"""Gradient confusion within whole windows: of all pairs of pixels in each window of a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..detail.windows import Windows, windows_of_side
from ..networks.sampling import Progress, sampled_pixels
from .confusion import at_pixels, cosines_of, lengths_of
from .point_gradients import Loss, loss_gradients, squared_error
from .trained import Network


@dataclass(frozen=True, eq=False)
class WindowConfusion:
    """How the loss gradients within each window of a picture lie to each other."""

    cosine: Float[np.ndarray, "rows columns"]
    """Mean cosine over the window's pairs of pixels, in [-1, 1]; NaN where none is defined."""
    strength: Float[np.ndarray, "rows columns"]
    """Mean of |cos|: how much its pixels have to do with each other; NaN where none is defined."""
    eta: Float[np.ndarray, "rows columns"]
    """Sankararaman's bound over the window's pairs, max(0, -min ⟨g_i, g_j⟩), in squared units of the gradient."""
    pairs: Int[np.ndarray, "rows columns"]
    """How many pairs a window has."""
    zero_gradient_pairs: Int[np.ndarray, "rows columns"]
    """Of these with a gradient that is zero: they have no cosine and are in neither mean."""
    windows: Windows
    stride: int
    """Pixels between sampled pixels."""


def window_confusion(
    network: Network,
    target: Float[np.ndarray, "h w c"],
    *,
    window_px: int = 16,
    stride: int = 1,
    loss: Loss = squared_error,
    progress: Progress | None = None,
) -> WindowConfusion:
    """Confusion of all pairs of pixels within each window of a picture.

    A window of 16 px has 32,640 pairs; they cost about as much as the passes of its pixels. Lazzari & Liu look at
    windows of 50 px, which have 3 million pairs each: take a stride there.

    Args:
        window_px: of a window; windows are a little larger where it does not divide the picture.
        stride: take every stride-th pixel of each axis.

    Raises:
        InputError: when the network or a target is not finite, a window is below 1 px, or has more pixels than fit in
            memory.
    """
    height, width, _ = target.shape
    windows = windows_of_side(height, width, window_px)
    measured = []
    members = list(_members(windows, sampled_pixels(height, stride), sampled_pixels(width, stride), width))
    for done, pixels in enumerate(members, start=1):
        measured.append(_of_window(network, target, pixels, loss))
        if progress is not None:
            progress(done / len(members))
    cosine, strength, eta, pairs, zero = (np.array(part).reshape(windows.shape) for part in zip(*measured, strict=True))
    return WindowConfusion(cosine, strength, eta, pairs, zero, windows, stride)


def _members(
    windows: Windows, rows: Int[Tensor, " rows"], columns: Int[Tensor, " columns"], width: int
) -> Iterator[Int[Tensor, " pixels"]]:
    """The numbers of the sampled pixels in each window, window by window."""
    for top, bottom in pairwise(windows.row_edges):
        down = rows[(rows >= top) & (rows < bottom)]
        for left, right in pairwise(windows.column_edges):
            across = columns[(columns >= left) & (columns < right)]
            yield (down[:, None] * width + across).flatten()


def _of_window(
    network: Network, target: Float[np.ndarray, "h w c"], pixels: Int[Tensor, " n"], loss: Loss
) -> tuple[float, float, float, int, int]:
    """Mean cosine, mean strength, eta, pairs, and those with a zero gradient, of all pairs of some pixels."""
    pairs = len(pixels) * (len(pixels) - 1) // 2
    if not pairs:
        return np.nan, np.nan, 0.0, 0, 0
    gradients = loss_gradients(network, *at_pixels(network, target, pixels), loss=loss)
    lengths = lengths_of(gradients)
    total = magnitude = least = 0.0
    for start, block in gradients.gram_blocks():
        products = block[0, :, 0].triu(1)  # each pair once, none with itself; the rest is 0 and adds nothing
        cosines = cosines_of(products, lengths[start : start + len(products), None], lengths[start:])
        total += float(cosines.sum(dtype=torch.float64))
        magnitude += float(cosines.abs().sum(dtype=torch.float64))
        least = min(least, float(products.min()))
    moved = int((lengths > 0).sum())
    defined = moved * (moved - 1) // 2
    if not defined:
        return np.nan, np.nan, max(0.0, -least), pairs, pairs
    return total / defined, magnitude / defined, max(0.0, -least), pairs, pairs - defined
