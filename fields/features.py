"""Features that a person's own function computes of coordinates, and their derivatives."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError

PROBES = 1024
"""Random points on which features are looked at, once."""
ROUNDING = 1e-4
"""Of features in fp32, in shares of the largest; waves of many cycles are no better known."""


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

    def second_derivatives(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n d f"]:
        """d^2 features / d x_a^2 along each axis a, by a forward pass through a forward pass."""
        points, along = x.to(self.dtype), []
        for axis in torch.eye(x.shape[1], dtype=self.dtype, device=x.device):
            step = axis.expand_as(points)

            def slope(at: Tensor, step: Tensor = step) -> Tensor:
                return torch.func.jvp(self.function, (at,), (step,))[1]

            along.append(torch.func.jvp(slope, (points,), (step,))[1])
        return torch.stack(along, 1).float()

    @torch.inference_mode(False)
    @torch.no_grad()
    def highest_frequency(self, dim: int, device: torch.device) -> float:
        """Cycles per unit of coordinates of the fastest feature, from its steepest slope on some points; 0 if affine.

        A wave of amplitude a and frequency b has the steepest slope 2 pi a b.

        Raises:
            InputError: when the features cannot be computed or differentiated, are not finite, or are no function
                of the point alone.
        """
        generator = torch.Generator().manual_seed(0)
        x = torch.rand(PROBES, dim, generator=generator, dtype=torch.float32, device="cpu").to(device)
        try:
            value, tangents = self.value_and_tangents(x)
            alone = self(x[::3])
        except InputError:
            raise
        except Exception as error:  # the user's own code: it may raise anything
            raise InputError(
                f"the encoding cannot be computed and differentiated at points of shape ({PROBES}, {dim}): "
                f"{first_line(error)} (it takes a tensor of coordinates and is made of torch's operations)"
            ) from error
        if not bool(value.isfinite().all() & tangents.isfinite().all()):
            raise InputError("the encoding's features or their slopes are not all finite between 0 and 1")
        if float((alone - value[::3]).abs().max()) > ROUNDING * float(value.abs().max()):
            raise InputError(
                "the encoding gives a point other features beside other points, or each time: it must be a function of "
                "the point alone, without random numbers and means over points (where it is a module, call eval())"
            )
        amplitude = (value.amax(0) - value.amin(0)) / 2
        steepest = tangents.norm(dim=1).amax(0)
        if bool(((steepest == 0) & (amplitude > ROUNDING * value.abs().amax(0))).any()):
            raise InputError(
                "features of the encoding change, but their derivatives are all zero: it detaches them, or they are "
                "constant in pieces; creases need its slope"
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


def first_line(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
