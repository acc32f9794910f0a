"""What all pixels of a picture together ask of the parameters: the curvature of their squared error.

Of half the sum of squares of luma over a picture the Gauss-Newton matrix is F = sum of J_i J_i', with J_i the gradient
of luma at pixel i by all parameters. It has as many rows as there are parameters, and is approximated layer by layer in
the eigenbasis of its Kronecker factors (EKFAC; George et al. 2018, arXiv 1806.03884): with U the eigenvectors of
sum a a' over the layer's inputs a, a 1 among them for the bias, and V those of sum d d' over what comes back to it,

    F  =  (V x U) diag(S) (V x U)'       S_mn  =  sum of (V' d)_m^2 (U' a)_n^2

where every S_mn is exact: what the pixels together ask of that direction. Of a hash grid's table it is the sum of
squares entry by entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..networks.sampling import Progress, halves, point_chunks
from ..networks.scratch import Scratch
from .kernel import channel_directions
from .point_gradients import PointGradients, TableEntries, output_gradients
from .trained import Network, Trained, of_pictures, trained

CHUNK_POINTS = 4096
"""Pixels at once: their factors take 34 MB of a network of 4x256 in fp32, and as much again turned."""

DAMPING = 1e-3
"""Of a layer's mean curvature. Between 1e-4 and 0.1 it makes next to no difference to the order of windows."""


@dataclass(frozen=True, eq=False)
class Curvature:
    """The curvature of a network over the pixels of a picture, by layer."""

    inputs: tuple[Float[Tensor, "_ _"], ...]
    """Eigenvectors U of each layer, as columns; those with a bias have an input more than weights."""
    outputs: tuple[Float[Tensor, "_ _"], ...]
    """Eigenvectors V."""
    asked: tuple[Float[Tensor, "_ _"], ...]
    """S of each layer, squared luma per squared unit of the parameters, summed over all pixels."""
    asked_of_table: Float[Tensor, "_ _"] | None
    """Of a hash grid's table."""

    @property
    def damped(self) -> list[Float[Tensor, "_ _"]]:
        """S with a small share of the layer's mean added: directions that nobody asks anything of count for little."""
        return [_damped(asked) for asked in self.asked]

    @property
    def damped_of_table(self) -> Float[Tensor, "_ _"] | None:
        """The same of the table."""
        return None if self.asked_of_table is None else _damped(self.asked_of_table)

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """Of each layer's gradient once turned."""
        return [(len(asked), asked.shape[1]) for asked in self.asked]

    def turned(self, gradients: PointGradients, scratch: Scratch) -> PointGradients:
        """The same gradients in the eigenbases, where a bias is one more input; held in the scratch."""
        inputs, deltas = [], []
        for layer, (a, d) in enumerate(zip(gradients.inputs, gradients.deltas, strict=True)):
            basis, into = self.inputs[layer], scratch(f"turned inputs{layer}", len(a), len(self.inputs[layer]))
            if len(basis) > a.shape[1]:
                torch.addmm(basis[-1], a, basis[:-1], out=into)
            else:
                torch.mm(a, basis, out=into)
            inputs.append(into)
            deltas.append(torch.matmul(d, self.outputs[layer], out=scratch(f"turned deltas{layer}", *d.shape)))
        every = frozenset(range(len(inputs)))
        return replace(gradients, inputs=tuple(inputs), deltas=tuple(deltas), without_bias=every)


def curvature(
    network: Network,
    height: int,
    width: int,
    *,
    stride: int = 1,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Curvature:
    """The curvature of a network's luma over the pixels of a picture.

    Twice a pass forward and back, and about as much arithmetic again.

    Args:
        network: as for `detail_speed`.
        height: of the picture, in pixels, with its width; its colours do not matter.
        stride: side of the squares of which one pixel each takes part, drawn at random, always the same. Every
            stride-th pixel would not do: where the encoding has waves of less than two strides, it finds others.
        dtype: of the passes and products; eigenvectors are always found in fp64.

    Raises:
        InputError: as `detail_speed` does.
    """
    layers = of_pictures(network, height, "curvature")
    points = _points(height, width, stride).to(layers.device)[:, : layers.dim]
    passes = _Passes(network, points, dtype)
    first, second = halves(progress)
    bases, asked_of_table = _bases(passes, layers, first)
    found = Curvature(*bases, asked=(), asked_of_table=asked_of_table)
    asked = [
        torch.zeros(len(v), len(u), dtype=torch.float64, device=layers.device) for u, v in zip(*bases, strict=True)
    ]
    scratch = Scratch(layers.device, dtype)
    for gradients in passes.run(second):
        turned = found.turned(gradients, scratch)
        for sums, a, (d,) in zip(asked, turned.inputs, turned.deltas, strict=True):
            sums += d.square_().T @ a.square_()
    each = height * width / len(points)  # pixels that one stands for
    return replace(
        found,
        asked=tuple((each * sums).to(dtype) for sums in asked),
        asked_of_table=None if asked_of_table is None else (each * asked_of_table).to(dtype),
    )


@dataclass(frozen=True)
class _Passes:
    """Luma's gradients at the pixels that take part, some at a time, as often as they are asked for."""

    network: Network
    points: Float[Tensor, "n d"]
    dtype: torch.dtype

    def run(self, progress: Progress | None) -> Iterator[PointGradients]:
        layers = trained(self.network)
        luma = torch.from_numpy(channel_directions("luma", layers.outputs))
        scratch = Scratch(layers.device, self.dtype)
        for _, points in point_chunks(self.points, CHUNK_POINTS, layers.device, progress):
            yield output_gradients(self.network, points, luma, dtype=self.dtype, scratch=scratch)


def _points(height: int, width: int, stride: int) -> Float[Tensor, "n 2"]:
    """The centre of one pixel of each square, as image coordinates; squares at the edges are cut off there."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height:stride, 0:width:stride].reshape(2, -1)
    down, across = (
        first + rng.integers(0, np.minimum(stride, size - first)) for first, size in ((rows, height), (columns, width))
    )
    return torch.from_numpy((np.stack([across, down], 1) + 0.5) / max(height, width)).float()


Bases: TypeAlias = tuple[tuple[Float[Tensor, "_ _"], ...], tuple[Float[Tensor, "_ _"], ...]]
"""Eigenvectors over each layer's inputs, and over its outputs."""


def _bases(passes: _Passes, layers: Trained, progress: Progress | None) -> tuple[Bases, Float[Tensor, "_ _"] | None]:
    """The eigenvectors of each layer's factors, and what is asked of a hash grid's table."""
    double = {"dtype": torch.float64, "device": layers.device}
    among_inputs = [
        torch.zeros(2 * [weight.shape[1] + (layer not in layers.without_bias)], **double)
        for layer, weight in enumerate(layers.weights)
    ]
    among_outputs = [torch.zeros(2 * [len(weight)], **double) for weight in layers.weights]
    table = layers.learnt_table
    asked_of_table = None if table is None else torch.zeros_like(table.values, dtype=torch.float64)
    for gradients in passes.run(progress):
        for moments, a in zip(among_inputs, gradients.inputs, strict=True):
            size = a.shape[1]
            moments[:size, :size] += a.T @ a
            if size < len(moments):  # the bias
                moments[-1, :-1] += a.sum(0)
                moments[-1, -1] += len(a)
        for moments, (d,) in zip(among_outputs, gradients.deltas, strict=True):
            moments += d.T @ d
        if gradients.table is not None and asked_of_table is not None:
            _add_squares(asked_of_table, gradients.table)
    # the lower half is read alone
    of_inputs, of_outputs = (
        tuple(torch.linalg.eigh(moments)[1].to(passes.dtype) for moments in factors)
        for factors in (among_inputs, among_outputs)
    )
    return (of_inputs, of_outputs), asked_of_table


def _add_squares(asked: Float[Tensor, "_ _"], table: TableEntries) -> None:
    """Add the squares of the table's gradients, entry by entry; a row that a pixel has twice gets the sum's square."""
    corners = table.rows.shape[2]
    for rows, weights, (deltas,) in zip(table.rows, table.weights, table.deltas, strict=True):
        same = rows[:, :, None] == rows[:, None, :]
        # of corners that share a row the first stands for all
        first = same.int().argmax(2) == torch.arange(corners, device=rows.device)
        together = (same * weights[:, None, :]).sum(2).where(first, 0)
        squares = (together[:, :, None] * deltas[:, None, :]).square()
        asked.index_add_(0, rows.flatten(), squares.flatten(0, 1).double())


def _damped(asked: Float[Tensor, "_ _"]) -> Float[Tensor, "_ _"]:
    mean = asked.mean()
    return asked + torch.where(mean > 0, DAMPING * mean, 1.0)
