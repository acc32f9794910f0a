"""A radiance field: density and colour at points of the unit cube, seen from a direction.

The field of positions alone gives the density, as nothing is more or less solid for being looked at from elsewhere;
what it says of the colour goes, with the encoded direction, through one more hidden layer.
"""

from typing import TypeAlias

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from fieldlens.configs.encoding import Encoding
from fieldlens.configs.network import Network

from .encodings import EncodingModule, build_encoding
from .field import MLP, Field, build
from .occupancy import OccupancyGrid

FEATURES = 15
"""Numbers beside the density that the position network hands to the colour layers (as Instant NGP does)."""

COLOUR_WIDTH = 64
"""Neurons of the one hidden layer between those features and colours."""

DENSITY_SCALE = 128.0
"""Density per unit length of the cube for each unit that the network gives: 1 stops most light within 1/128 of it."""

DENSITY_SHIFT = -4.0
"""Added to what the network gives for the density, so that an untrained field is fog and no wall."""


class RadianceField(nn.Module):
    """A field of positions, whose values are a density's and features of the colour; colour layers behind it; and a
    grid that knows where there is something."""

    def __init__(
        self, position: Field, direction: EncodingModule | None, colour: MLP, occupancy: OccupancyGrid
    ) -> None:
        super().__init__()
        self.position, self.direction, self.colour, self.occupancy = position, direction, colour, occupancy

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.position.device

    def radiance(
        self, x: Float[Tensor, "n 3"], directions: Float[Tensor, "n 3"]
    ) -> tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]]:
        """Colours in [0, 1] and densities per unit length, at points seen from directions."""
        values = self.position(x)
        features = values[:, 1:]
        if self.direction is not None:
            features = torch.cat([features, self.direction((directions + 1) / 2)], 1)  # encodings take [0, 1]
        return self.colour(features, self.position.hidden_dtype), density_of(values[:, 0])

    @property
    def occupied(self) -> Bool[Tensor, "r r r"]:
        """The cells in which there may be something, x first."""
        return self.occupancy.occupied

    def in_precision(self, hidden_dtype: torch.dtype) -> "RadianceField":
        """The field, with the same weights, and the products between hidden layers in that precision."""
        position = self.position.in_precision(hidden_dtype)
        if position is self.position:
            return self
        return RadianceField(position, self.direction, self.colour, self.occupancy)

    def density(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Density per unit length, for which the field of positions is enough."""
        return density_of(self.position(x)[:, 0])


Trainable: TypeAlias = Field | RadianceField
"""What a fit trains."""


def position_of(field: Trainable) -> Field:
    """The field of positions, whose creases are looked at: of a radiance field a part, of any other all of it."""
    return field.position if isinstance(field, RadianceField) else field


def hidden_matrices(field: Trainable, first: bool = False) -> dict[str, nn.Parameter]:
    """The weight matrices between the hidden layers of its field of positions, by their names in `field`.

    Args:
        first: whether that into the first hidden layer is one of them.
    """
    between = {id(layer.weight) for layer in position_of(field).mlp.linears[0 if first else 1 : -1]}
    return {name: parameter for name, parameter in field.named_parameters() if id(parameter) in between}


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
    """A field with the initialisation of `build`, drawn from `generator`, on the CPU.

    Args:
        direction: of the direction of view; None for colours that are the same from everywhere.
        resolution: cells along a side of the occupancy grid.
        possible: those that are not known to be empty; all by default.
    """
    position = build(encoding, network, 3, 1 + FEATURES, generator)
    directions = None if direction is None else build_encoding(direction, 3, generator)
    inputs = FEATURES + (0 if directions is None else directions.features)
    colour = MLP(Network(COLOUR_WIDTH, 1, network.activation, "sigmoid"), inputs, 3, generator)
    return RadianceField(position, directions, colour, OccupancyGrid(resolution, possible))
