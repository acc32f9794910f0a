"""Speed of detail: how fast gradient descent would move the detail of a window, if it had only this window.

Let y be detail around zero, such as an octave of a picture's luma, and J_i the gradient of the field's luma at pixel i
by all parameters. Where the loss is half the squared error of luma in a window w alone, a step of gradient descent adds

    q_w  =  |sum of y_i J_i|^2 / sum of y_i^2  =  y' K y / y' y       sums over the pixels of w

to the detail, for a unit of it that is missing and a unit of the step's size: the Rayleigh quotient of the neural
tangent kernel K on these pixels. It needs no kernel. Of a layer z = W a + b the sum of y_i J_i by W is A' diag(y) D,
where a row of A is what the layer is given at a pixel and one of D what reaches it backwards (`point_gradients`); by b
it is D' y. A row of a hash grid's table gets what the pixels that share it give.

Luma is linear here (Rec. 709 of the colours, without alpha), without the clipping that a screen does. What q is not:
the speed within a fit, where other windows push as well, and Adam or Muon make other steps of the same gradients.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.bands import band_labels
from ..detail.octaves import Detail, octave_waves
from ..networks.sampling import Progress, image_points
from ..networks.scratch import Scratch
from .kernel import channel_directions
from .point_gradients import PointGradients, TableEntries, output_gradients
from .trained import Network, Trained, of_pictures

RUN_POINTS = 4096
"""Pixels that are gone through at once, nearly: their factors take 34 MB of a network of 4x256 in fp32."""


@dataclass(frozen=True, eq=False)
class Speed:
    """How fast a network could move the detail of each window."""

    detail: Detail
    push: Float[np.ndarray, "rows columns"]
    """y' K y: what a step along the window's own gradient does for its detail; NaN where the window was not asked."""
    energy: Float[np.ndarray, "rows columns"]
    """y' y, a sum of squares."""
    by_layer: Float[np.ndarray, "layers rows columns"]
    """Parts of the push, which add up to it: of each layer's weights and biases, the output layer last. Of a hash grid
    its table is part 0, and the layers follow."""

    @property
    def per_energy(self) -> Float[np.ndarray, "rows columns"]:
        """The speed q, squared luma per squared unit of the parameters.

        NaN where the window was not asked, or holds no more energy per pixel than the detail's floor.
        """
        holds = (self.energy > self.detail.floor * self.detail.windows.areas) & self.detail.asked
        return np.divide(self.push, self.energy, out=np.full(self.push.shape, np.nan), where=holds)


def detail_speed(
    network: Network,
    details: Sequence[Detail],
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> list[Speed]:
    """The speed of some details of one picture, each in its own windows.

    One pass forward and back for all, and the arithmetic of a forward pass for each. Memory is the factors of some
    4096 pixels, and the parameters' gradient for each window that has been begun and not ended: those of a row of
    windows, but for windows that end with the rows of pixels in which they begin.

    Args:
        network: a field with two coordinates, or what `relu_network` makes of a network trained elsewhere; along a
            picture of one row, such as the samples of a signal, it may have one.
        details: of pictures of one size, on whose pixel centres the network is asked; see `octave_details`.
        dtype: of the passes and products; encodings without parameters are evaluated in fp32 regardless.

    Raises:
        InputError: when the network does not map such coordinates to 1 to 4 channels or is not finite, or details are
            of pictures of different sizes.
    """
    if not details:
        return []
    height, width = _common_size(details)
    layers = of_pictures(network, height, "speed of detail")
    luma = torch.from_numpy(channel_directions("luma", layers.outputs))
    scratch, spare = Scratch(layers.device, dtype), list[_WindowGradient]()
    pushes = [_Pushes(detail, layers, scratch, spare, dtype) for detail in details]
    done = 0
    for rows, columns in _runs(details, width):
        down, across = (torch.arange(part.start, part.stop).double() + 0.5 for part in (rows, columns))
        # column by column, so that a window's share of the run is in one piece
        points = image_points(across, down, max(height, width), layers.device).flip(-1)[:, : layers.dim]
        gradients = output_gradients(network, points, luma, dtype=dtype, scratch=scratch)
        for each in pushes:
            each.add(gradients, rows, columns)
        done += len(points)
        if progress is not None:
            progress(done / (height * width))
    return [each.speed() for each in pushes]


def wave_speed(
    network: Network,
    height: int,
    width: int,
    band: int,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Float[np.ndarray, "rows columns"]:
    """How fast waves of a band's centre would be moved in each window of the band: of the network alone.

    The mean speed of plane waves in 4 directions and 2 phases, less the mean and the slope that edges of windows leave
    of them (`octave_waves`, `Detail.levelled`): these are no fine detail, and moved by all pixels together.

    Args:
        height: of the picture, in pixels, with its width; there need not be one.
        band: number of the octave, 0 for 2-4 px.
        dtype: as for `detail_speed`.

    Raises:
        InputError: as `detail_speed` does, and when pictures of that size have no such band.
    """
    bands = len(band_labels(height, width))
    if not 0 <= band < bands:
        raise InputError(f"there is no band {band}: pictures of {width}x{height} have {bands}, numbered from 0")
    waves = [wave.levelled() for wave in octave_waves(height, width, band)]
    speeds = detail_speed(network, waves, dtype=dtype, progress=progress)
    return np.mean([speed.per_energy for speed in speeds], axis=0)


class _WindowGradient:
    """The sum of y_i J_i over the pixels of one window, parameter by parameter."""

    def __init__(self, layers: Trained, dtype: torch.dtype) -> None:
        self.weights = [weight.new_empty(sorted(weight.shape), dtype=dtype) for weight in layers.weights]
        """By outputs and inputs, whichever are fewer first."""
        self.biases = [bias.new_empty(bias.shape, dtype=dtype) for bias in layers.biases]
        table = layers.learnt_table
        self.table = None if table is None else torch.empty_like(table.values, dtype=dtype)
        self.begun = False
        """Whether it holds pixels of its window already, and not what is left of another one."""


class _Pushes:
    """The pushes of one detail, while the pixels of its picture go by."""

    def __init__(
        self, detail: Detail, layers: Trained, scratch: Scratch, spare: list[_WindowGradient], dtype: torch.dtype
    ) -> None:
        self._detail, self._layers, self._scratch, self._spare, self._dtype = detail, layers, scratch, spare, dtype
        self._by_column = torch.from_numpy(np.ascontiguousarray(detail.values.T)).to(layers.device, dtype)
        self._open: dict[int, _WindowGradient] = {}
        self._asked = detail.asked
        parts = len(layers.weights) + (layers.learnt_table is not None)
        self._by_layer = np.where(self._asked, np.zeros((parts, *detail.windows.shape)), np.nan)

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

    def speed(self) -> Speed:
        """What came of it, once all pixels have gone by."""
        return Speed(self._detail, self._by_layer.sum(0), self._detail.energy, self._by_layer)

    def _shares(self, rows: slice, columns: slice) -> Iterator[tuple[_WindowGradient, slice]]:
        """The windows that a run has pixels of, and which of its pixels."""
        windows, height = self._detail.windows, rows.stop - rows.start
        asked = self._asked[int(np.searchsorted(windows.row_edges, rows.stop)) - 1]
        for number, (left, right) in enumerate(pairwise(windows.column_edges.tolist())):
            first, end = max(left, columns.start) - columns.start, min(right, columns.stop) - columns.start
            if asked[number] and first < end:
                if number not in self._open:
                    self._open[number] = (
                        self._spare.pop() if self._spare else _WindowGradient(self._layers, self._dtype)
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
            self._by_layer[:, row, number] = _squares(window, self._layers.without_bias)
            window.begun = False
            self._spare.append(window)


def _add_entries(window: _WindowGradient, table: TableEntries, y: Float[Tensor, " m"], here: slice) -> None:
    """Add what some pixels of a run give to the rows of a hash grid's table."""
    assert window.table is not None
    if not window.begun:
        window.table.zero_()
    reaching = table.weights[:, here, :, None] * (y[here, None] * table.deltas[:, 0, here])[:, :, None]
    window.table.index_add_(0, table.rows[:, here].flatten(), reaching.flatten(0, 2))


def _squares(window: _WindowGradient, without_bias: frozenset[int]) -> list[float]:
    """Squared length of each part of a window's gradient: of the table where there is one, then of each layer."""
    parts = [] if window.table is None else [_square(window.table)]
    for layer, (weight, bias) in enumerate(zip(window.weights, window.biases, strict=True)):
        parts.append(_square(weight) + (0.0 if layer in without_bias else _square(bias)))
    return parts


def _square(part: Tensor) -> float:
    return float(torch.linalg.vector_norm(part)) ** 2


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
