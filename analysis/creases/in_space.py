"""Creases of a field of three coordinates: their area per volume, and how many a picture of them shows per pixel.

In space the crease of neuron i, {z_i = 0}, is a surface. Both densities are the co-area formula of `density`, at any
points of the unit cube [0, 1]^3 that the field is of:

    area per volume     S_V = sum_i |grad z_i| delta(z_i)                  three tangents, along the cube's axes
    crossings per pixel     = 2/pi sum_i |(p . grad z_i, q . grad z_i)| delta(z_i)
                                                            two tangents: how a point moves from pixel to pixel

Along a ray the second is to be weighted as its colours are: sum over samples of weight times density. Patterns of the
samples themselves tell nothing of it: with many octaves there are hundreds of creases between two samples.

Creases are those of the network that takes the position. What a field makes of directions is left out.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError
from fieldlens.render.grid import CUBE_DIAGONAL

from ..detail.densities import CROSSINGS_PER_LENGTH
from ..networks.plane import Plane
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, chunk_points, image_points, pixel_centres, point_chunks
from ..networks.scratch import Scratch
from .density import creases_within

HALF_WIDTH = 1 / 512
"""Half the width of the band in which creases are counted, in sides of the cube: half a voxel of 256 to the side."""


@torch.no_grad()
def crease_area_density(
    network: ReluNetwork,
    points: Float[Tensor, "n 3"],
    *,
    half_width: float = HALF_WIDTH,
    progress: Progress | None = None,
) -> Float[Tensor, "layers n"]:
    """Crease area per volume (S_V) at points of the cube, by hidden layer, in one over the cube's side.

    Costs about four passes of the network. The field's coordinates set the unit: divide by the cube's side in the world
    for the density there, or see `per_diagonal`. A hash grid's own planes, 3 R per unit of a level of R squares, are no
    part of it.

    Args:
        half_width: of the band, in sides of the cube. A value is a count divided by twice that: a narrower band
            scatters more from point to point, a wider one errs where creases curve within it.

    Raises:
        InputError: for a half width that is not above 0, or weights that are not finite.
    """
    _require_positive(half_width)
    network.require_finite()
    density = torch.empty(len(network.width_per_layer), len(points), device=network.device)
    scratch = Scratch(network.device)
    for here, x in point_chunks(points, chunk_points(max(network.width_per_layer)), network.device, progress):
        density[:, here] = creases_within(network, x, half_width, scratch)
    return density.div_(2 * half_width)


def per_diagonal(area_density: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
    """Area per volume in one over the cube's diagonal, whatever the cube's side is in the world.

    Half of it is how many creases a line as long as the diagonal meets, on average over directions.

    >>> per_diagonal(torch.tensor([100.0]))
    tensor([173.2051])
    """
    return area_density * CUBE_DIAGONAL


@torch.no_grad()
def footprint_density(
    network: ReluNetwork,
    points: Float[Tensor, "n 3"],
    across: Float[Tensor, "n 3"],
    down: Float[Tensor, "n 3"],
    *,
    half_width_px: float = 0.5,
    progress: Progress | None = None,
) -> Float[Tensor, "layers n"]:
    """Creases that a picture shows per pixel of length at points of the cube, mean over its directions, by layer.

    It is what `Density.crossings_per_pixel` is of a field of two coordinates, for the picture on which each point's
    neighbours are points + i across + j down. Costs about three passes of the network.

    Args:
        across: how each point moves per pixel to the right, in sides of the cube: `Camera.footprint`.
        down: how it moves per pixel down.
        half_width_px: of the band in which creases are counted, in pixels.

    Raises:
        InputError: for a half width that is not above 0, or weights that are not finite.
    """
    _require_positive(half_width_px)
    network.require_finite()
    density = torch.empty(len(network.width_per_layer), len(points), device=network.device)
    scratch = Scratch(network.device)
    for here, x in point_chunks(points, chunk_points(max(network.width_per_layer)), network.device, progress):
        steps = torch.stack([across[here], down[here]], 1).to(x)
        density[:, here] = creases_within(network, x, half_width_px, scratch, steps)
    return density.mul_(CROSSINGS_PER_LENGTH / (2 * half_width_px))


def crease_slice(
    network: ReluNetwork,
    plane: Plane,
    rows: int,
    columns: int,
    *,
    half_width: float = HALF_WIDTH,
    progress: Progress | None = None,
) -> Float[np.ndarray, "layers rows columns"]:
    """Crease area per volume on a slice through the cube, in one over its side: a map to draw as a picture.

    Columns go along `plane.u` and rows along `plane.v`, each from one end of that edge to the other, and values are at
    the middles. It is the density in space, which counts creases at all slants to the slice alike; the length per area
    of the lines that they draw on it is pi/4 of that on average over directions, and is what `on_plane` leads to.

    Raises:
        InputError: for a plane that is not in space, fewer than one row or column, or as `crease_area_density` does.
    """
    if len(plane.origin) != 3:
        raise InputError(f"a slice through a volume is a plane of three coordinates; got {plane}")
    if rows < 1 or columns < 1:
        raise InputError(f"a slice has at least one row and one column; got {rows} and {columns}")
    shares = image_points(pixel_centres(rows, 1) / rows, pixel_centres(columns, 1) / columns, 1, torch.device("cpu"))
    density = crease_area_density(network, plane.points(shares), half_width=half_width, progress=progress)
    return density.reshape(-1, rows, columns).cpu().numpy()


def _require_positive(half_width: float) -> None:
    if not (math.isfinite(half_width) and half_width > 0):
        raise InputError(f"the half width of the band in which creases are counted is above 0; got {half_width}")
