"""What a network has at one pixel of a picture: which neurons are on, and how near the creases are.

The same numbers as the maps of a whole picture, for whoever points at a place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from fieldlens.render.grid import pixel_points

from ..networks.relu_network import ReluNetwork
from ..networks.scratch import Scratch
from .nearest_crease import distance_at

_STEPS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3),), ((1, 2),))
"""Pairs of the corners of a pixel, row by row, by direction: right, down, and along both diagonals."""
_LENGTHS = (1.0, 1.0, 2**0.5, 2**0.5)


@dataclass(frozen=True)
class PixelCreases:
    """One pixel, by the network."""

    crossings_per_pixel: float
    """Creases met per pixel of length within it, mean over four directions: `Crossings.mean_per_pixel` there."""
    distance_px: float
    """From its centre to the nearest crease, in pixels: `CreaseDistance.px` there; infinite where there is none."""
    nearest_layer: int
    """Hidden layer of that crease, from 0; -1 where there is none."""
    on_by_layer: Sequence[int]
    """Neurons that are on at its centre, of each hidden layer."""
    width_by_layer: Sequence[int]
    """Neurons of each hidden layer."""


@torch.inference_mode()
def creases_at_pixel(network: ReluNetwork, height: int, width: int, row: int, column: int) -> PixelCreases:
    """What is at a pixel of a picture of that size.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    longer, device = max(height, width), network.device
    extent = (column / longer, row / longer, (column + 1) / longer, (row + 1) / longer)
    centre = pixel_points(1, 1, extent).reshape(1, 2).to(device)
    rows, columns = torch.tensor([row, row + 1]), torch.tensor([column, column + 1])
    corners = torch.cartesian_prod(rows, columns).flip(-1).to(device, torch.float32) / longer
    changes = torch.zeros(4, 4)
    for z in network.preactivations(corners):
        on = (z > 0).float().cpu()
        changes += (on[:, None] - on).abs().sum(-1)
    met = [
        sum(float(changes[pair]) for pair in pairs) / len(pairs) / length
        for pairs, length in zip(_STEPS, _LENGTHS, strict=True)
    ]
    on_by_layer = [int((z > 0).sum()) for z in network.preactivations(centre)]
    distance, layer = distance_at(network, centre, Scratch(device))
    return PixelCreases(
        crossings_per_pixel=sum(met) / len(met),
        distance_px=float(distance) * longer,
        nearest_layer=int(layer),
        on_by_layer=on_by_layer,
        width_by_layer=network.width_per_layer,
    )
