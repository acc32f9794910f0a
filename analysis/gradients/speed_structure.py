"""What the speed of detail is made of: how large gradients are, and how much they change within a window.

With J_i the gradient of the field's luma at pixel i, g^2 the mean of |J_i|^2 over a window and y its detail,

    q  =  y' K y / y' y  =  g^2 f           f: how fast it is, counted against how fast white noise would be moved

for noise is moved by g^2 on average. Where y sums to 0 over the window, f is of differences of gradients alone:

    y' K y  =  -1/2 sum over i, j of y_i y_j |J_i - J_j|^2

as |J_i|^2 and |J_j|^2 cancel. Of a ReLU network with raw coordinates and a linear output these differences come from
creases. In a cell the same neurons are on, so that of each layer z = W a + b what comes back, d, is the same for all
pixels, and what goes in, a, is an affine function of the pixel's place. Of a window within one cell

    sum of y_i J_i  =  d (sum of y_i a_i)'  by W,        d (sum of y_i)  by b

is 0 for all layers if y has neither mean nor slope (`Detail.levelled`). There, finer detail is not moved at all.
"""

import numpy as np
import torch
from jaxtyping import Float

from ..networks.sampling import Progress, centre_chunks, map_shape
from .kernel import channel_directions
from .point_gradients import output_gradients
from .trained import Network, trained

POINTS = 4096
"""Pixels that are gone through at once: their factors take 34 MB of a network of 4x256."""


def gradient_size(
    network: Network, height: int, width: int, *, stride: int = 1, progress: Progress | None = None
) -> Float[np.ndarray, "rows columns"]:
    """|J|^2 at the centre of every stride-th pixel of a picture: the squared length of luma's gradient by all
    parameters, which is the kernel's K(x, x).

    Luma is linear, as in `detail_speed`. Costs about two passes of the network.

    Args:
        network: a field, or what `relu_network` makes of a network trained elsewhere.

    Raises:
        InputError: when the network is not finite.
    """
    layers = trained(network)
    luma = torch.from_numpy(channel_directions("luma", layers.outputs))
    shape = map_shape(height, width, stride)
    sizes = np.empty(shape[0] * shape[1])
    for here, x in centre_chunks(height, width, stride, POINTS, layers.device, progress):
        sizes[here] = output_gradients(network, x, luma).squared_norms()[0].cpu().numpy()
    return sizes.reshape(shape)
