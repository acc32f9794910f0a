"""How many creases of a radiance field each pixel of a camera shows: `in_space` at the samples of its rays.

    crossings per pixel of a pixel = opacity x sum of w d / sum of w,    over the samples of its ray that count,

with the weights w that colours are drawn with, and d the crossings per pixel at a sample, by the footprint of the pixel
on the surface of equal density there. Samples that hardly show are left out, and the others stand for them: so the sum
is a mean, and how many are left out matters little.

Creases are those of the network that takes the position. The colour layers behind it have some of their own, which
depend on the direction of view as well: when a camera moves, they move over the surface. They are held out, so that a
density belongs to a place.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from fieldlens.fields.radiance import RadianceField
from fieldlens.render.camera import Camera
from fieldlens.render.volume import accumulate, render_rays

from ..networks.from_module import relu_network
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, chunk_points, image_points, map_shape, pixel_centres, point_chunks
from ..networks.scratch import Scratch
from .in_space import footprint_density

LEAST_WEIGHT = 0.05
"""Samples with less than this share of the weight of their ray's heaviest are left out. A share, not a number: in fog,
or where steps are short, each of many samples has little."""

RAYS_AT_ONCE = 4096

CPU = torch.device("cpu")

OfPoints = Callable[[Float[Tensor, "n 3"]], Tensor]


@dataclass(frozen=True, eq=False)
class ScreenDensity:
    """Creases as a camera sees them at its pixels' centres."""

    crossings_per_pixel: Float32[np.ndarray, "layers h w"]
    """By hidden layer of the position network, mean over directions of the picture; 0 where nothing is seen. Of every
    stride-th pixel: see `sampled_pixels`."""
    opacity: Float32[np.ndarray, "h w"]
    """Share of each pixel that is the scene and not its background, 0 to 1."""


def screen_density(
    field: RadianceField, camera: Camera, step_length: float, *, stride: int = 1, progress: Progress | None = None
) -> ScreenDensity:
    """Crease density of a radiance field as a camera sees it.

    Beside rendering, costs about seven passes of the position network for each sample that counts: four for the normal,
    three for the creases.

    Args:
        camera: in coordinates of the field's unit cube: `Bounds.camera_to_unit`.
        step_length: between samples of a ray, in sides of the cube, as the field is rendered with.
        stride: between the pixels that are looked at, along both sides. Crossings are per pixel of the camera still.

    Raises:
        InputError: for a field without creases (SIREN), weights that are not finite, or a stride below 1.
    """
    network = relu_network(field.position)
    scratch = Scratch(network.device)

    def normals(x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Along the gradient of what the density is a rising function of; footprints know no length and no sign."""
        gradients = torch.empty_like(x)
        for here, some in point_chunks(x, chunk_points(max(network.width_per_layer)), network.device):
            gradients[here] = network.outputs_with_tangents(some, scratch)[1][:, :, 0].T
        return gradients

    return volume_screen_density(
        network, field.density, normals, field.occupied, camera, step_length, stride=stride, progress=progress
    )


@torch.no_grad()
def volume_screen_density(
    network: ReluNetwork,
    volume_density: OfPoints,
    normals: OfPoints,
    occupied: Bool[Tensor, "r r r"],
    camera: Camera,
    step_length: float,
    *,
    stride: int = 1,
    least_weight: float = LEAST_WEIGHT,
    progress: Progress | None = None,
) -> ScreenDensity:
    """Crease density of any network in any volume as a camera sees it.

    Args:
        volume_density: of points (n, 3) of the unit cube, per unit length (n,): what `render_rays` takes, without
            colours.
        normals: of the surfaces of equal density at points, (n, 3), of any length; 0 holds the depth.
        occupied: the cells in which there may be something.
        least_weight: samples with less than this share of the weight of their ray's heaviest are left out.

    Raises:
        InputError: for weights of the network that are not finite, or a stride below 1.
    """
    network.require_finite()
    centres = image_points(pixel_centres(camera.height, stride), pixel_centres(camera.width, stride), 1, CPU)
    rays = camera.rays(centres).to(network.device)
    crossings = torch.empty(len(rays.origins), len(network.width_per_layer), device=network.device)
    opacity = torch.empty(len(rays.origins), device=network.device)
    for first in range(0, len(opacity), RAYS_AT_ONCE):
        here = slice(first, min(first + RAYS_AT_ONCE, len(opacity)))
        some = rays.part(here)
        seen = render_rays(lambda x, _directions: (x[:, :0], volume_density(x)), some, occupied, step_length)
        opacity[here] = seen.opacity
        ray = seen.samples.ray
        heaviest = torch.zeros_like(seen.opacity).scatter_reduce_(0, ray, seen.weights, "amax")
        counts = seen.weights > least_weight * heaviest[ray]
        points, ray, weights = seen.samples.chosen(counts).points(some), ray[counts], seen.weights[counts]
        across, down = camera.footprint(points, normals(points))
        each = torch.cat([footprint_density(network, points, across, down), weights.new_ones(1, len(points))]).T
        *layers, counted = accumulate(weights, each, ray, len(seen.opacity)).T
        # clamped to the least float: what sees nothing has no weight, and 0 crossings
        share = seen.opacity / counted.clamp(min=torch.finfo(torch.float32).tiny)
        crossings[here] = torch.stack(layers, 1) * share[:, None]
        if progress is not None:
            progress(here.stop / len(opacity))
    size = map_shape(camera.height, camera.width, stride)
    return ScreenDensity(crossings.T.reshape(-1, *size).cpu().numpy(), opacity.reshape(size).cpu().numpy())
