"""Squared lengths of the gradients of windows, plain or against a curvature, while the pixels of a picture go by.

The gradient of a window is the sum of y_i J_i over its pixels, with y detail and J_i the gradient of luma at pixel i.
Of a layer it is the product of two thin matrices (see `speed`), so that many windows cost one pass over the picture.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.octaves import Detail
from ..networks.sampling import Progress, image_points
from ..networks.scratch import Scratch
from .curvature import Curvature
from .kernel import channel_directions
from .point_gradients import PointGradients, TableEntries, output_gradients
from .trained import Network, Trained, of_pictures

RUN_POINTS = 4096
"""Pixels that are gone through at once, nearly: their factors take 34 MB of a network of 4x256 in fp32."""


def squared_lengths(
    network: Network,
    details: Sequence[Detail],
    what: str,
    *,
    curvature: Curvature | None = None,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> list[Float[np.ndarray, "parts rows columns"]]:
    """The squared length of each window's gradient, for some details of one picture, each in its own windows.

    One pass forward and back for all, and the arithmetic of a forward pass for each; a curvature takes as much again as
    the passes. Memory is the factors of some 4096 pixels, and the parameters' gradient for each window that has been
    begun and not ended: of a row of windows, but for those that end with the rows of pixels in which they begin.

    Args:
        network: a field with two coordinates, or what `relu_network` makes of a network trained elsewhere; along a
            picture of one row, such as the samples of a signal, it may have one.
        details: of pictures of one size, on whose pixel centres the network is asked; see `octave_details`.
        what: is asked, for the sentence.
        curvature: by which each parameter's square is divided, in the curvature's own directions; None for 1.
        dtype: of the passes and products; encodings without parameters are evaluated in fp32 regardless.

    Returns:
        For each detail the parts by layer, the output layer last; of a hash grid its table is part 0, and the layers
        follow. NaN where the window was not asked.

    Raises:
        InputError: when the network does not map such coordinates to 1 to 4 channels or is not finite, or details are
            of pictures of different sizes.
    """
    if not details:
        return []
    height, width = _common_size(details)
    layers = of_pictures(network, height, what)
    luma = torch.from_numpy(channel_directions("luma", layers.outputs))
    scratch, spare = Scratch(layers.device, dtype), list[_WindowGradient]()
    measure = _Measure(layers, curvature)
    lengths = [_Lengths(detail, measure, scratch, spare, dtype) for detail in details]
    done = 0
    for rows, columns in _runs(details, width):
        down, across = (torch.arange(part.start, part.stop).double() + 0.5 for part in (rows, columns))
        # column by column, so that a window's share of the run is in one piece
        points = image_points(across, down, max(height, width), layers.device).flip(-1)[:, : layers.dim]
        gradients = output_gradients(network, points, luma, dtype=dtype, scratch=scratch)
        if curvature is not None:
            gradients = curvature.turned(gradients, scratch)
        for each in lengths:
            each.add(gradients, rows, columns)
        done += len(points)
        if progress is not None:
            progress(done / (height * width))
    return [each.by_part for each in lengths]


class _Measure:
    """What of a network has a gradient, and how its length is taken."""

    def __init__(self, layers: Trained, curvature: Curvature | None) -> None:
        table = layers.learnt_table
        self.device = layers.device
        self.table = None if table is None else table.values
        self.without_bias = layers.without_bias
        self.shapes = [tuple(weight.shape) for weight in layers.weights]
        self._divisors, self._divisor_of_table = None, None
        if curvature is not None:
            self.shapes, self.without_bias = curvature.shapes, frozenset(range(len(self.shapes)))
            self._divisors, self._divisor_of_table = curvature.damped, curvature.damped_of_table

    def squares(self, window: "_WindowGradient") -> list[float]:
        """Squared length of each part of a window's gradient: of the table where there is one, then of each layer."""
        parts = [] if window.table is None else [_square(window.table, self._divisor_of_table)]
        for layer, weight in enumerate(window.weights):
            divisor = None if self._divisors is None else self._divisors[layer]
            if divisor is not None and divisor.shape != weight.shape:
                divisor = divisor.T
            bias = 0.0 if layer in self.without_bias else _square(window.biases[layer])
            parts.append(_square(weight, divisor) + bias)
        return parts


class _WindowGradient:
    """The sum of y_i J_i over the pixels of one window, parameter by parameter."""

    def __init__(self, measure: _Measure, dtype: torch.dtype) -> None:
        like = {"dtype": dtype, "device": measure.device}
        self.weights = [torch.empty(sorted(shape), **like) for shape in measure.shapes]
        """By outputs and inputs, whichever are fewer first."""
        self.biases = [torch.empty(outputs, **like) for outputs, _ in measure.shapes]
        self.table = None if measure.table is None else torch.empty_like(measure.table, dtype=dtype)
        self.begun = False
        """Whether it holds pixels of its window already, and not what is left of another one."""


class _Lengths:
    """The squared lengths of one detail's windows, while the pixels of its picture go by."""

    def __init__(
        self, detail: Detail, measure: _Measure, scratch: Scratch, spare: list[_WindowGradient], dtype: torch.dtype
    ) -> None:
        self._detail, self._measure, self._scratch, self._spare, self._dtype = detail, measure, scratch, spare, dtype
        self._by_column = torch.from_numpy(np.ascontiguousarray(detail.values.T)).to(measure.device, dtype)
        self._open: dict[int, _WindowGradient] = {}
        self._asked = detail.asked
        parts = len(measure.shapes) + (measure.table is not None)
        self.by_part = np.where(self._asked, np.zeros((parts, *detail.windows.shape)), np.nan)
        """What came of it, once all pixels have gone by."""

    @torch.no_grad()
    def add(self, gradients: PointGradients, rows: slice, columns: slice) -> None:
        """Add a run of pixels, column by column, which lies within one row of windows."""
        y = self._by_column[columns, rows].flatten()
        shares = list(self._shares(rows, columns))
        for layer, (a, (d,)) in enumerate(zip(gradients.inputs, gradients.deltas, strict=True)):
            weighed = torch.mul(d, y[:, None], out=self._scratch("weighed", *d.shape))
            # with the narrower factor before the wider: the other way round takes three times as long for few outputs
            before, behind = (weighed, a) if d.shape[1] <= a.shape[1] else (a, weighed)
            for window, here in shares:
                window.weights[layer].addmm_(before[here].T, behind[here], beta=window.begun)
                if layer not in gradients.without_bias:
                    bias, share = window.biases[layer], weighed[here].sum(0)
                    bias.add_(share) if window.begun else bias.copy_(share)
        if gradients.table is not None:
            for window, here in shares:
                _add_entries(window, gradients.table, y, here)
        for window, _ in shares:
            window.begun = True
        self._close(rows.stop, columns.stop)

    def _shares(self, rows: slice, columns: slice) -> Iterator[tuple[_WindowGradient, slice]]:
        """The windows that a run has pixels of, and which of its pixels."""
        windows, height = self._detail.windows, rows.stop - rows.start
        asked = self._asked[int(np.searchsorted(windows.row_edges, rows.stop)) - 1]
        for number, (left, right) in enumerate(pairwise(windows.column_edges.tolist())):
            first, end = max(left, columns.start) - columns.start, min(right, columns.stop) - columns.start
            if asked[number] and first < end:
                if number not in self._open:
                    self._open[number] = (
                        self._spare.pop() if self._spare else _WindowGradient(self._measure, self._dtype)
                    )
                yield self._open[number], slice(first * height, end * height)

    def _close(self, bottom: int, right: int) -> None:
        """Take the squared lengths of windows all of whose pixels have gone by."""
        windows = self._detail.windows
        row = int(np.searchsorted(windows.row_edges, bottom)) - 1
        if windows.row_edges[row + 1] != bottom:
            return
        for number in [number for number in self._open if windows.column_edges[number + 1] <= right]:
            window = self._open.pop(number)
            self.by_part[:, row, number] = self._measure.squares(window)
            window.begun = False
            self._spare.append(window)


def _add_entries(window: _WindowGradient, table: TableEntries, y: Float[Tensor, " m"], here: slice) -> None:
    """Add what some pixels of a run give to the rows of a hash grid's table."""
    assert window.table is not None
    if not window.begun:
        window.table.zero_()
    reaching = table.weights[:, here, :, None] * (y[here, None] * table.deltas[:, 0, here])[:, :, None]
    window.table.index_add_(0, table.rows[:, here].flatten(), reaching.flatten(0, 2))


def _square(part: Tensor, divisor: Tensor | None = None) -> float:
    if divisor is None:
        return float(torch.linalg.vector_norm(part)) ** 2
    return float((part.square() / divisor).sum(dtype=torch.float64))


def _runs(details: Sequence[Detail], width: int) -> Iterator[tuple[slice, slice]]:
    """Rectangles that cover all windows that are asked, of some 4096 pixels and with the rows of one row of windows of
    each detail.

    They end between the narrowest windows where they can.
    """
    row_edges = np.unique(np.concatenate([detail.windows.row_edges for detail in details]))
    narrowest = max((detail.windows.column_edges for detail in details), key=len)
    for top, bottom in pairwise(row_edges.tolist()):
        most = max(1, RUN_POINTS // (bottom - top))
        for left, end in _asked_columns(details, top, width):
            while left < end:
                within = narrowest[(narrowest > left) & (narrowest <= min(left + most, end))]
                right = int(within[-1]) if len(within) else min(left + most, end)
                yield slice(top, bottom), slice(left, right)
                left = right


def _asked_columns(details: Sequence[Detail], top: int, width: int) -> list[tuple[int, int]]:
    """Where windows that are asked begin and end in the row of pixels `top`."""
    asked = np.zeros(width + 2, np.int8)
    for detail in details:
        windows = detail.windows
        row = detail.asked[int(np.searchsorted(windows.row_edges, top, side="right")) - 1]
        for left, right in zip(windows.column_edges[:-1][row], windows.column_edges[1:][row], strict=True):
            asked[left + 1 : right + 1] = 1
    borders = np.flatnonzero(np.diff(asked)).tolist()
    return list(zip(borders[::2], borders[1::2], strict=True))


def _common_size(details: Sequence[Detail]) -> tuple[int, int]:
    sizes = {detail.values.shape for detail in details}
    if len(sizes) > 1:
        raise InputError(
            "details of one picture have one size; got " + " and ".join(f"{w}x{h}" for h, w in sorted(sizes))
        )
    return sizes.pop()
