"""Crease length per area at single points, by the co-area formula, and the same weighted by how much the field bends.

The crease of neuron i is {z_i = 0}. Its length per area is |grad z_i| delta(z_i); with a delta as wide as the
neuron's own gradient makes it, this counts the neurons whose linearised crease passes within a half width w of the
point, divided by 2 w. Gradients are exact: forward tangents by image coordinates, through the encoding. Needs no
neighbours, so it neither aliases nor needs refinement; it errs only where creases curve within w.

The co-area density is that of Hanin & Rolnick (arXiv 1901.09021), with a bandwidth per neuron.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..detail.densities import CROSSINGS_PER_LENGTH
from ..networks.relu_network import LayerTangents, ReluNetwork
from ..networks.sampling import Progress, centre_chunks, chunk_points, map_shape
from ..networks.scratch import Scratch


@dataclass(frozen=True)
class Density:
    """Creases at the centre of every stride-th pixel of a picture, split by hidden layer."""

    length: Float[np.ndarray, "layers rows columns"]
    """Crease length per area, in pixels per square pixel."""
    bend: Float[np.ndarray, "layers rows columns"] | None
    """Crease length per area times the change of slope across the crease (norm over the output's channels, value per
    pixel): the total variation of the field's gradient that creases make, in value per square pixel. None unless asked
    for. For raw coordinates and a linear output this is all of |D^2 f|; other fields bend smoothly in between too."""
    grid_length: float
    """Length per area of the encoding's own grid lines, along which a hash grid bends; not part of `length`."""
    stride: int
    """Pixels between sampled pixels."""
    half_width_px: float
    """Half width w of the band around a point in which creases are counted."""

    @property
    def crossings_per_pixel(self) -> Float[np.ndarray, "rows columns"]:
        """Crossings per pixel of all layers, mean over directions: 2/pi of the length per area (Crofton's formula)."""
        return self.length.sum(0) * np.float32(CROSSINGS_PER_LENGTH)


@torch.inference_mode()
def crease_density(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    stride: int = 1,
    bend: bool = False,
    half_width_px: float = 0.5,
    progress: Progress | None = None,
) -> Density:
    """Co-area density of a picture of that size, and its bend density if asked for.

    Costs about three passes of the network, with the bend three more (for three channels). The band of half a pixel
    makes a pixel's value mean what happens within the pixel.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    scale = max(height, width)
    shape = (len(network.width_per_layer), *map_shape(height, width, stride))
    length = np.empty((shape[0], shape[1] * shape[2]), np.float32)
    bends = np.empty_like(length) if bend else None
    scratch = Scratch(network.device)
    chunk = chunk_points(max(network.width_per_layer)) // (2 if bend else 1)
    for here, x in centre_chunks(height, width, stride, chunk, network.device, progress):
        if bends is None:
            near = creases_within(network, x, half_width_px / scale, scratch)
            length[:, here] = (near / (2 * half_width_px)).cpu().numpy()
        else:
            chunk_lengths, chunk_bends = _lengths_and_bends(network, x, half_width_px, scale, scratch)
            length[:, here], bends[:, here] = chunk_lengths.cpu().numpy(), chunk_bends.cpu().numpy()
    return Density(
        length=length.reshape(shape),
        bend=None if bends is None else bends.reshape(shape),
        grid_length=2 * sum(network.grid_resolutions) / scale,
        stride=stride,
        half_width_px=half_width_px,
    )


def creases_within(
    network: ReluNetwork,
    x: Float[Tensor, "n d"],
    half_width: float,
    scratch: Scratch,
    directions: Float[Tensor, "n directions d"] | None = None,
) -> Float[Tensor, "layers n"]:
    """How many of each hidden layer's linearised creases pass within `half_width` of each point.

    Divided by 2 `half_width` that is crease per length, area or volume, in whatever unit the half width has.

    Args:
        half_width: in units of coordinates; or, with directions, of the coordinates whose axes they are.
        directions: of a line or plane through each point, on which creases are looked at: how a point of the network's
            input moves along each axis of coordinates there.
    """
    return torch.stack(
        [
            _creases_near(layer, half_width, scratch("within", *layer.z.shape), scratch("steep", *layer.z.shape))
            for layer in network.preactivations_with_tangents(x, scratch, directions)
        ]
    )


def _creases_near(
    layer: LayerTangents, half_width: float, within: Float[Tensor, "n width"], steep: Float[Tensor, "n width"]
) -> Float[Tensor, " n"]:
    """How many of a layer's linearised creases pass within `half_width` (in coordinates) of each point.

    Writes 1 or 0 for each neuron to `within`, and |grad z|^2 to `steep`. Squares are compared,
    z^2 / w^2 < |grad z|^2, so that no root is taken; a neuron without gradient has no crease, not even where z = 0.
    """
    torch.mul(layer.tangents[0], layer.tangents[0], out=steep)
    for tangent in layer.tangents[1:]:
        steep.addcmul_(tangent, tangent)
    torch.mul(layer.z, layer.z, out=within).mul_(half_width**-2)
    return torch.lt(within, steep, out=within).sum(-1)


def _lengths_and_bends(
    network: ReluNetwork, x: Float[Tensor, "n 2"], half_width_px: float, scale: int, scratch: Scratch
) -> tuple[Float[Tensor, "layers n"], Float[Tensor, "layers n"]]:
    """Length and bend densities: one sweep forward with tangents, one back from the outputs with the kept slopes."""
    counts, steepness, slopes, last = [], [], [], None
    for index, layer in enumerate(network.preactivations_with_tangents(x, scratch)):
        within, steep = scratch("within", *layer.z.shape), scratch(f"steep{index}", *layer.z.shape)
        counts.append(_creases_near(layer, half_width_px / scale, within, steep))
        steepness.append(steep.mul_(within))
        slopes.append(layer.slope)
        last = layer
    assert last is not None  # a network has at least one hidden layer
    gradients = _output_gradients(network, network.output_slope(last), slopes, scratch)
    bends = [_sum_of_roots(_norm_squared(g, scratch).mul_(s)) for g, s in zip(gradients, steepness[::-1], strict=True)]
    near = torch.stack(counts)
    # across a crease dh/dz jumps by 1 - negative slope; |grad z| per pixel is that per unit divided by N
    jump = (1 - network.negative_slope) / scale
    bend = torch.where(near > 0, torch.stack(bends[::-1]) * jump, 0.0)
    return near / (2 * half_width_px), bend / (2 * half_width_px)


def _output_gradients(
    network: ReluNetwork, output_slope: Float[Tensor, "n c"], slopes: list[Float[Tensor, "n _"]], scratch: Scratch
) -> Iterator[Float[Tensor, "c n _"]]:
    """d output / d h of each hidden layer, the last one first; each holds until the next is asked for."""
    n, c = output_slope.shape
    output_weight = network.weights[-1]
    gradient = torch.mul(
        output_slope.T[:, :, None], output_weight[:, None, :], out=scratch("gradient0", c, n, output_weight.shape[1])
    )
    yield gradient
    for index in reversed(range(1, len(slopes))):
        weight = network.weights[index]
        out = scratch(f"gradient{(len(slopes) - index) % 2}", c * n, weight.shape[1])
        gradient = torch.mm(gradient.mul_(slopes[index]).flatten(0, 1), weight, out=out).view(c, n, -1)
        yield gradient


def _norm_squared(gradient: Float[Tensor, "c n width"], scratch: Scratch) -> Float[Tensor, "n width"]:
    squared = torch.mul(gradient[0], gradient[0], out=scratch("norm", *gradient.shape[1:]))
    for channel in gradient[1:]:
        squared.addcmul_(channel, channel)
    return squared


def _sum_of_roots(squares: Float[Tensor, "n width"]) -> Float[Tensor, " n"]:
    # the vector library's root takes a path eight times as slow for zeros, and most squares are zero
    return squares.clamp_(min=torch.finfo(torch.float32).tiny).sqrt_().sum(-1)
