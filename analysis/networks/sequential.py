"""A network trained elsewhere: the layers of a `torch.nn.Sequential`, and features that its user computes before it."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.configs.errors import InputError

PROBES = 1024
"""Random points on which a user's features are looked at, once."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Hidden layers of one activation, and an output layer."""

    linears: tuple[nn.Linear, ...]
    """The output layer last."""
    negative_slope: float
    """Slope of the activation where a neuron is off: 0 for ReLU."""
    sigmoid_output: bool

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights, but at least fp32: rounder coordinates would not tell pixels apart."""
        return torch.promote_types(self.linears[0].weight.dtype, torch.float32)


def stack_of(module: nn.Sequential) -> Stack:
    """The layers of a Sequential, also of Sequentials inside it.

    Raises:
        InputError: when they are not Linear and ReLU or LeakyReLU in turns, Linear first and last (a Sigmoid may
            follow), with one slope, sizes that fit onto each other and finite weights.
    """
    parts = list(_unrolled(module))
    sigmoid = len(parts) > 1 and isinstance(parts[-1][1], nn.Sigmoid)
    parts = parts[:-1] if sigmoid else parts
    for place, part in parts:
        if not isinstance(part, nn.Linear | nn.ReLU | nn.LeakyReLU):
            raise InputError(
                f"module {place} of the network is a {type(part).__name__}; what can be analysed is Linear and ReLU or "
                "LeakyReLU in turns, with or without a Sigmoid at the end (leave out what does nothing once trained, "
                "such as Dropout)"
            )
    for number, (place, part) in enumerate(parts):
        if isinstance(part, nn.Linear) == bool(number % 2):
            raise InputError(
                f"module {place} of the network is a {type(part).__name__} where "
                f"{'an activation' if number % 2 else 'a Linear'} belongs: Linear and ReLU or LeakyReLU take turns"
            )
    linears = [(place, part) for place, part in parts if isinstance(part, nn.Linear)]
    if parts and len(parts) == 2 * len(linears):
        raise InputError("the network ends with an activation; it should end with a Linear, or a Sigmoid after one")
    if len(linears) < 2:
        raise InputError("the network has no hidden layer, and so no creases: it takes Linear, ReLU, Linear at least")
    _check_linears(linears)
    return Stack(
        tuple(linear for _, linear in linears),
        _one_slope([part for _, part in parts if not isinstance(part, nn.Linear)]),
        sigmoid,
    )


def _unrolled(module: nn.Sequential, above: str = "") -> Iterator[tuple[str, nn.Module]]:
    """All modules with their places, such as "2", or "1.0" for the first of the second one's."""
    for number, part in enumerate(module):
        if isinstance(part, nn.Sequential):
            yield from _unrolled(part, f"{above}{number}.")
        else:
            yield f"{above}{number}", part


def _check_linears(linears: list[tuple[str, nn.Linear]]) -> None:
    for (_, before), (place, after) in pairwise(linears):
        if before.out_features != after.in_features:
            raise InputError(
                f"module {place} of the network takes {after.in_features} numbers, and the layer before it gives "
                f"{before.out_features}"
            )
    for place, linear in linears:
        if not all(bool(parameter.isfinite().all()) for parameter in linear.parameters()):
            raise InputError(
                f"module {place} of the network has weights that are not finite, so that there is nothing to measure; "
                "its training has diverged"
            )


def _one_slope(activations: list[nn.Module]) -> float:
    slopes = sorted({part.negative_slope if isinstance(part, nn.LeakyReLU) else 0.0 for part in activations})
    if len(slopes) > 1:
        listed = " and ".join(f"{slope:g}" for slope in slopes)
        raise InputError(
            f"the network's activations have the slopes {listed} below zero (0 is ReLU); an analysis takes one for all"
        )
    return slopes[0]


@dataclass(frozen=True, eq=False)
class Features:
    """What a network is given at points: the user's function of their coordinates, with its derivatives."""

    function: Callable[[Tensor], Tensor]
    count: int
    """How many features the network takes."""
    dtype: torch.dtype
    """The type of the coordinates that the function is given."""

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        """Features in fp32."""
        return self._checked(self.function(x.to(self.dtype)), x)

    def value_and_tangents(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n d f"]]:
        """Features and their derivatives, by one forward pass for each coordinate.

        A point's features depend on that point alone, so all points are moved at once.
        """
        axes = torch.eye(x.shape[1], dtype=self.dtype, device=x.device)
        points = x.to(self.dtype)
        passes = [torch.func.jvp(self.function, (points,), (axis.expand_as(points),)) for axis in axes]
        return self._checked(passes[0][0], x), torch.stack([done[1] for done in passes], 1).float()

    @torch.no_grad()
    def highest_frequency(self, dim: int, device: torch.device) -> float:
        """Cycles per unit of coordinates of the fastest feature, from its steepest slope on some points; 0 if affine.

        A wave of amplitude a and frequency b has the steepest slope 2 pi a b.

        Raises:
            InputError: when the features cannot be computed or differentiated, or are not finite.
        """
        x = torch.rand(PROBES, dim, generator=torch.Generator().manual_seed(0)).to(device)
        try:
            value, tangents = self.value_and_tangents(x)
        except InputError:
            raise
        except Exception as error:  # the user's own code: it may raise anything
            raise InputError(
                f"the encoding cannot be computed and differentiated at points of shape ({PROBES}, {dim}): "
                f"{_first_line(error)} (it takes a tensor of coordinates and is made of torch's operations)"
            ) from error
        if not bool(value.isfinite().all() & tangents.isfinite().all()):
            raise InputError("the encoding's features or their slopes are not all finite between 0 and 1")
        amplitude = (value.amax(0) - value.amin(0)) / 2
        steepest = tangents.norm(dim=1).amax(0)
        if not steepest.any() and amplitude.any():
            raise InputError(
                "the encoding's features change, but their derivatives are all zero: it detaches them, or is constant "
                "in pieces; creases need its slope"
            )
        bent = (tangents.amax(0) - tangents.amin(0)).amax(0) > 1e-4 * steepest
        rates = steepest[bent] / (2 * math.pi * amplitude[bent])
        return float(rates.max()) if len(rates) else 0.0

    def _checked(self, value: Tensor, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        if value.shape != (len(x), self.count):
            raise InputError(
                f"the network takes {self.count} numbers for each point; at {len(x)} points of {x.shape[1]} "
                f"coordinates it is given the shape {tuple(value.shape)}"
            )
        return value.float()


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
