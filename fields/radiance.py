"""A radiance field: density and colour at points of the unit cube, seen from a direction.

The position network alone gives the density, as nothing is more or less solid for being looked at from elsewhere; what
it says of the colour goes, with the encoded direction, through one more hidden layer.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from configs.encoding import Encoding
from configs.network import Network

from .encodings import build_encoding
from .field import MLP, Field, build
from .occupancy import OccupancyGrid

FEATURES = 15
"""Numbers beside the density that the position network hands to the colour layers (as Instant NGP does)."""

COLOUR_WIDTH = 64

DENSITY_SCALE = 128.0
"""Density per unit length of the cube for each unit that the network gives: 1 stops most light within 1/128 of it."""

DENSITY_SHIFT = -4.0


class RadianceField(nn.Module):
    """Position network, colour layers, and the grid that knows where there is something."""

    def __init__(self, position: Field, direction: nn.Module | None, colour: MLP, occupancy: OccupancyGrid) -> None:
        super().__init__()
        self.position, self.direction, self.colour, self.occupancy = position, direction, colour, occupancy

    def forward(
        self, x: Float[Tensor, "n 3"], directions: Float[Tensor, "n 3"], hidden_dtype: torch.dtype = torch.float32
    ) -> tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]]:
        """Colours in [0, 1] and densities per unit length."""
        values = self.position(x, hidden_dtype)
        features = values[:, 1:]
        if self.direction is not None:
            # encodings take coordinates in [0, 1]
            features = torch.cat([features, self.direction((directions + 1) / 2)], 1)
        return self.colour(features, hidden_dtype), density_of(values[:, 0])

    def density(self, x: Float[Tensor, "n 3"], hidden_dtype: torch.dtype = torch.float32) -> Float[Tensor, " n"]:
        """Density alone, for which the position network is enough."""
        return density_of(self.position(x, hidden_dtype)[:, 0])


def density_of(value: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The density for what the position network gives."""
    return DENSITY_SCALE * functional.softplus(value + DENSITY_SHIFT)


def build_radiance(
    encoding: Encoding,
    direction: Encoding | None,
    network: Network,
    resolution: int,
    generator: torch.Generator,
    possible: Bool[Tensor, "r r r"] | None = None,
) -> RadianceField:
    position = build(encoding, network, 3, 1 + FEATURES, generator)
    directions = None if direction is None else build_encoding(direction, 3, generator)
    inputs = FEATURES + (0 if directions is None else directions.features)  # type: ignore[operator]
    colour = MLP(Network(COLOUR_WIDTH, 1, network.activation, "sigmoid"), inputs, 3, generator)
    return RadianceField(position, directions, colour, OccupancyGrid(resolution, possible))
