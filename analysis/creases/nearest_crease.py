"""Distance from a point to the nearest crease, in pixels.

A neuron's pre-activation z is zero at the distance |z| / |grad z| along its gradient, if it goes on as it is here. The
least of these over all neurons of all layers is the distance to the nearest crease:

    d(x) = min_i |z_i(x)| / |grad_x z_i(x)|

For raw coordinates this is exact: within a cell every z_i is affine and vanishes on a straight line, if at all. The
way to the nearest of these lines meets no other line, so it stays in the cell, and where it ends the neuron does
change its sign. Under an encoding it is of first order: z_i curves on the way, by an error of the order of the
distance squared.

Hanin & Rolnick (arXiv 1901.09021) study this distance. It is not |z_i| / |W_i|, which is a distance in the space of
the layer before and no length in the picture.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..networks.relu_network import LayerTangents, ReluNetwork
from ..networks.sampling import Progress, centre_chunks, chunk_points, map_shape
from ..networks.scratch import Scratch


@dataclass(frozen=True, eq=False)
class CreaseDistance:
    """Distance to the nearest crease from the centre of every stride-th pixel of a picture."""

    px: Float[np.ndarray, "rows columns"]
    """The distance in pixels; infinite where no neuron has a gradient, so that nothing tells of a crease."""
    layer: Int[np.ndarray, "rows columns"]
    """Hidden layer, from 0, whose neuron has that crease; -1 where the distance is infinite."""
    stride: int
    """Pixels between sampled pixels."""

    @property
    def mean_px(self) -> float:
        """Mean over the pixels with a finite distance; NaN when there is none."""
        return float(self._finite.mean()) if self._finite.size else float("nan")

    @property
    def median_px(self) -> float:
        """Median over the pixels with a finite distance; NaN when there is none."""
        return float(np.median(self._finite)) if self._finite.size else float("nan")

    @property
    def _finite(self) -> Float[np.ndarray, " pixels"]:
        return self.px[np.isfinite(self.px)].astype(np.float64)


@torch.inference_mode()
def nearest_crease(
    network: ReluNetwork, height: int, width: int, *, stride: int = 1, progress: Progress | None = None
) -> CreaseDistance:
    """Distance from pixels of a picture of that size to the nearest crease, in the picture or beyond its border.

    Costs a few passes of the network.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    shape = map_shape(height, width, stride)
    distances = np.empty(shape[0] * shape[1], np.float32)
    layers = np.empty(len(distances), np.int64)
    scratch = Scratch(network.device)
    points = chunk_points(max(network.width_per_layer))
    for here, x in centre_chunks(height, width, stride, points, network.device, progress):
        distance, layer = distance_at(network, x, scratch)
        distances[here] = (distance * max(height, width)).cpu().numpy()
        layers[here] = layer.cpu().numpy()
    return CreaseDistance(distances.reshape(shape), layers.reshape(shape), stride)


def distance_at(
    network: ReluNetwork, x: Float[Tensor, "n d"], scratch: Scratch
) -> tuple[Float[Tensor, " n"], Int[Tensor, " n"]]:
    """Distance from points to the nearest crease, in image coordinates, and its layer; infinite and -1 without one."""
    found = [_nearness(layer, scratch) for layer in network.preactivations_with_tangents(x, scratch)]
    nearness, layer = torch.stack(found).max(0)
    return nearness.rsqrt(), torch.where(nearness > 0, layer, -1)


def _nearness(layer: LayerTangents, scratch: Scratch) -> Float[Tensor, " n"]:
    """The largest |grad z|^2 / z^2 of a layer's neurons at each point: 1 / distance^2 in image coordinates."""
    steep, squares = scratch("steep", *layer.z.shape), scratch("squares", *layer.z.shape)
    torch.mul(layer.tangents[0], layer.tangents[0], out=steep)
    for tangent in layer.tangents[1:]:
        steep.addcmul_(tangent, tangent)
    # on top of z^2 the least of numbers: a neuron that is zero without gradient has no crease, and 0 / 0 would be NaN
    torch.mul(layer.z, layer.z, out=squares).add_(torch.finfo(torch.float32).tiny)
    return steep.div_(squares).amax(-1)
