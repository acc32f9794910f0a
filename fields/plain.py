"""A field as plain arrays: all that somebody needs who evaluates it without torch."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64

from fieldlens.configs.network import Activation, Output

from .encodings import HashGridEncoding
from .field import Field

POINTS = 1000
"""At how many random points of the domain rounding is measured."""


@dataclass(frozen=True, eq=False)
class PlainFormulas:
    """Features as formulas: those that are scale @ x + shift, then waves sin(rates @ x + phases)."""

    scale: Float64[np.ndarray, "affine d"]
    shift: Float64[np.ndarray, " affine"]
    rates: Float64[np.ndarray, "waves d"]
    """In radians per unit of each coordinate."""
    phases: Float64[np.ndarray, " waves"]


@dataclass(frozen=True, eq=False)
class PlainGrid:
    """Features that are interpolated on grids, as `HashGridEncoding` says."""

    resolutions: tuple[int, ...]
    """Squares along the unit interval, level by level."""
    sizes: tuple[int, ...]
    """Rows of the table that each level has, one level after the other."""
    table: Float32[np.ndarray, "rows features"]


@dataclass(frozen=True, eq=False)
class PlainField:
    """An encoding and layers; the output layer is the last."""

    encoding: PlainFormulas | PlainGrid
    weights: tuple[Float32[np.ndarray, "_ _"], ...]
    """(outputs, inputs) of each layer."""
    biases: tuple[Float32[np.ndarray, " _"], ...]
    activation: Activation
    negative_slope: float
    """Slope of a (leaky) ReLU where its input is not above 0."""
    output: Output

    @property
    def learnt(self) -> tuple[Float32[np.ndarray, "..."], ...]:
        """All that is trained: weights and biases layer by layer, then the grid's table."""
        layers = (part for layer in zip(self.weights, self.biases, strict=True) for part in layer)
        return (*layers, *([self.encoding.table] if isinstance(self.encoding, PlainGrid) else []))


def plain_field(field: Field) -> PlainField:
    """A field's arrays, copied to the CPU."""
    mlp = field.mlp
    return PlainField(
        _plain_encoding(field),
        tuple(_fp32(layer.weight) for layer in mlp.linears),
        tuple(_fp32(layer.bias) for layer in mlp.linears),
        mlp.activation,
        mlp.negative_slope,
        mlp.output,
    )


@torch.no_grad()
def half_rounding(field: Field) -> float:
    """The most that any output changes, at random points, where all that is trained is rounded to 16-bit floats.

    Infinite where that overflows.
    """
    points = torch.rand(POINTS, field.encoding.dim, generator=torch.Generator().manual_seed(0)).to(field.device)
    exact = field.in_precision(torch.float32)
    rounded = copy.deepcopy(exact)
    for parameter in rounded.parameters():
        parameter.copy_(parameter.half().float())
    change = (rounded(points) - exact(points)).abs().amax()
    return float(change) if change.isfinite() else float("inf")


def _plain_encoding(field: Field) -> PlainFormulas | PlainGrid:
    encoding = field.encoding
    if isinstance(encoding, HashGridEncoding):
        return PlainGrid(tuple(encoding.resolutions), tuple(encoding.sizes), _fp32(encoding.table))
    formulas = encoding.closed_form()
    if formulas is None:
        raise TypeError(f"{type(encoding).__name__} is neither a grid nor formulas")
    parts = (formulas.scale, formulas.shift, formulas.rates, formulas.phases)
    return PlainFormulas(*(part.detach().cpu().double().numpy().copy() for part in parts))


def _fp32(tensor: torch.Tensor) -> Float32[np.ndarray, "..."]:
    return tensor.detach().float().cpu().numpy().copy()
