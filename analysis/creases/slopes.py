"""How steep a field is in the picture: norms of its Jacobian by image coordinates, point by point and exact.

The product of the layers' spectral norms bounds the largest of them from above, but loosely, and it knows nothing of
the encoding, through which the way to the picture has another factor as large as the encoding's frequencies.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, centre_chunks, chunk_points, map_shape
from ..networks.scratch import Scratch


@dataclass(frozen=True, eq=False)
class Slopes:
    """Norms of df/dx, in value per pixel, at the centre of every stride-th pixel of a picture."""

    frobenius: Float[np.ndarray, "rows columns"]
    """Root of the sum of squares over channels and both axes."""
    spectral: Float[np.ndarray, "rows columns"]
    """Largest singular value: the most that the value (as a vector of channels) changes per pixel of way."""
    stride: int
    """Pixels between sampled pixels."""


@torch.inference_mode()
def slopes(
    network: ReluNetwork, height: int, width: int, *, stride: int = 1, progress: Progress | None = None
) -> Slopes:
    """Norms of the Jacobian of a picture of that size, by forward tangents. Costs a few passes of the network.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    shape = map_shape(height, width, stride)
    norms = np.empty((2, shape[0] * shape[1]), np.float32)
    scratch = Scratch(network.device)
    points = chunk_points(max(network.width_per_layer))
    for here, x in centre_chunks(height, width, stride, points, network.device, progress):
        value, tangents = network.outputs_with_tangents(x, scratch)
        if network.sigmoid_output:
            squashed = value.sigmoid_()
            tangents = tangents * (squashed * (1 - squashed))
        norms[:, here] = (_norms(*tangents) / max(height, width)).cpu().numpy()
    frobenius, spectral = norms.reshape(2, *shape)
    return Slopes(frobenius, spectral, stride)


def _norms(by_x: Float[Tensor, "n c"], by_y: Float[Tensor, "n c"]) -> Float[Tensor, "2 n"]:
    """Frobenius norm and largest singular value of each c x 2 Jacobian, by the eigenvalues of its 2 x 2 Gram matrix."""
    xx, yy, xy = by_x.square().sum(-1), by_y.square().sum(-1), (by_x * by_y).sum(-1)
    largest = (xx + yy + torch.hypot(xx - yy, 2 * xy)) / 2
    return torch.stack([xx + yy, largest]).sqrt()
