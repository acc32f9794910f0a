"""Local complexity of Humayun et al. (arXiv 2402.15555), in the picture: neurons that change sign near a point.

Around a point x stand the corners of a square (a cross-polytope in two dimensions), x +- r e_1 and x +- r e_2, for two
orthogonal directions e. A neuron counts when its sign is not the same at all four. Each such neuron has a crease in
the square, so this is a lower bound of how many have: a crease that cuts off no corner from the others is missed.

In the paper the frame lies in the network's input space; here it lies in the picture, so that encodings compare.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, centre_chunks, chunk_points, map_shape
from .packed_patterns import as_words, count_on


@dataclass(frozen=True, eq=False)
class LocalComplexity:
    """Neurons that change sign around the centre of every stride-th pixel of a picture."""

    neurons: Int[np.ndarray, "layers rows columns"]
    """How many of each hidden layer's neurons."""
    radius_px: float
    """Distance of the corners from the point, in pixels."""
    stride: int
    """Pixels between sampled pixels."""


@torch.inference_mode()
def local_complexity(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    radius_px: float = 1.0,
    stride: int = 1,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> LocalComplexity:
    """Local complexity of a picture of that size. Costs a few passes of the network.

    Near the picture's border corners lie beyond it.

    Args:
        generator: of a frame turned at random at each point, on the CPU; without it the frame is that of the axes.
            With a radius of one pixel that counts the neurons that differ among a pixel's four neighbours.

    Raises:
        InputError: for a radius that is not above zero, or weights that are not finite.
    """
    if not (math.isfinite(radius_px) and radius_px > 0):
        raise InputError(f"the radius of local complexity is in pixels and above 0; got {radius_px}")
    network.require_finite()
    shape = map_shape(height, width, stride)
    neurons = np.empty((len(network.width_per_layer), shape[0] * shape[1]), np.int64)
    points = max(1, chunk_points(max(network.width_per_layer)) // 4)
    for here, x in centre_chunks(height, width, stride, points, network.device, progress):
        corners = x + _corners(len(x), generator).to(x.device) * (radius_px / max(height, width))
        for layer, z in enumerate(network.preactivations(corners.flatten(0, 1))):
            first, *others = as_words(z > 0).unflatten(0, (4, len(x)))
            differ = torch.zeros_like(first)
            for other in others:
                differ |= first ^ other
            neurons[layer, here] = count_on(differ).cpu().numpy()
    return LocalComplexity(neurons.reshape(-1, *shape), radius_px, stride)


def _corners(n: int, generator: torch.Generator | None) -> Float[Tensor, "4 n 2"]:
    """The four directions of a frame at each of n points: those of the axes, or turned by a random angle."""
    turn = torch.zeros(n) if generator is None else torch.rand(n, generator=generator) * (math.pi / 2)
    one = torch.stack([turn.cos(), turn.sin()], 1)
    other = torch.stack([-one[:, 1], one[:, 0]], 1)
    return torch.stack([one, other, -one, -other])
