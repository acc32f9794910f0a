"""How much of a field's second derivative is smooth, and how much is kinks at creases.

Along a row or a column of the picture the slope df/ds changes in two ways. It jumps at each crease; and between creases
it changes smoothly where the encoding does, sin and cos being curved themselves. Its total variation over a step is

    sum over the creases met of |jump of df/ds|  +  integral between them of |d^2 f / ds^2|

Summed over the two axes and taken per area, the first part is the bend density (`Density.bend`), whatever way the
creases run: a crease with the normal n is met |n_x| times per length of a row, and the slope along the row jumps there
by |n_x| of the whole jump, so rows and columns together give n_x^2 + n_y^2 = 1 of it. The second part is

    |d^2 f / dx^2| + |d^2 f / dy^2|         (| | is the norm over channels)

and exact: with its pattern of neurons frozen a network is a linear map of its features, f = A g(x) + b, so that
d^2 f / ds^2 = A d^2 g / ds^2, which goes through the layers as a tangent does. A sigmoid at the end adds its own part.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, centre_chunks, chunk_points, halves, map_shape
from ..networks.scratch import Scratch
from .density import crease_density

STRAIGHT = 1e-15
"""Bending, in value per square pixel, up to which a field counts as straight; rounding leaves some 1e-19."""


@dataclass(frozen=True, eq=False)
class Bending:
    """What bends a field along rows and columns, at the centre of every stride-th pixel of a picture."""

    smooth: Float[np.ndarray, "rows columns"]
    """|d^2 f / dx^2| + |d^2 f / dy^2| between creases, in value per square pixel."""
    kinks: Float[np.ndarray, "rows columns"]
    """Bend density of the creases of all hidden layers, in the same unit."""
    grid_length: float
    """Length per area of the encoding's own grid lines; a hash grid bends along these too, which is in neither part."""
    stride: int
    """Pixels between sampled pixels."""

    @property
    def smooth_share(self) -> float:
        """Share of the picture's bending that is smooth, in [0, 1]; NaN for a field that does not bend."""
        return _share(self.smooth.sum(dtype=np.float64), self.kinks.sum(dtype=np.float64)).item()

    @property
    def smooth_share_map(self) -> Float[np.ndarray, "rows columns"]:
        """The smooth share pixel by pixel; NaN where the field does not bend."""
        return _share(self.smooth, self.kinks)


@torch.inference_mode()
def bending(
    network: ReluNetwork,
    height: int,
    width: int,
    *,
    stride: int = 1,
    half_width_px: float = 0.5,
    progress: Progress | None = None,
) -> Bending:
    """The smooth part and the kinks of the second derivative of a picture of that size.

    Costs some dozen passes of the network (for three channels). Raw coordinates with a linear output give no smooth
    part at all.

    Args:
        half_width_px: half width of the band around a point in which creases are counted, as in `crease_density`.

    Raises:
        InputError: when the second derivatives of the network's encoding are not known, or it has weights that are not
            finite.
    """
    network.require_finite()
    curving = _with_second_derivatives(network)
    shape = map_shape(height, width, stride)
    smooth = np.empty(shape[0] * shape[1], np.float32)
    scratch = Scratch(network.device)
    points = chunk_points(2 * max(network.width_per_layer))
    first_half, second_half = halves(progress)
    for here, x in centre_chunks(height, width, stride, points, network.device, first_half):
        curvature = _second_derivatives(curving, x, scratch) / max(height, width) ** 2
        smooth[here] = curvature.norm(dim=-1).sum(0).cpu().numpy()
    density = crease_density(
        network, height, width, stride=stride, bend=True, half_width_px=half_width_px, progress=second_half
    )
    assert density.bend is not None  # it was asked for
    return Bending(smooth.reshape(shape), density.bend.sum(0), density.grid_length, stride)


def _with_second_derivatives(network: ReluNetwork) -> ReluNetwork:
    """The same network, with the features' second derivatives as tangents behind the first."""
    second_derivatives = network.encode_second_derivatives
    if second_derivatives is None:
        raise InputError(
            "the smooth part of a field's second derivative needs that of its encoding, and this network's encoding "
            "gives none; set encode_second_derivatives"
        )

    def encode_with_both(x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, "n f"], Float[Tensor, "n tangents f"]]:
        features, tangents = network.encode_with_tangents(x)
        return features, torch.cat([tangents, second_derivatives(x)], 1)

    return replace(network, encode_with_tangents=encode_with_both)


def _second_derivatives(network: ReluNetwork, x: Float[Tensor, "n d"], scratch: Scratch) -> Float[Tensor, "d n c"]:
    """d^2 output / dx_a^2 along each axis, in the cell that a point is in."""
    value, tangents = network.outputs_with_tangents(x, scratch)
    first, second = tangents.chunk(2)
    if not network.sigmoid_output:
        return second
    squashed = value.sigmoid_()
    return squashed * (1 - squashed) * (second + (1 - 2 * squashed) * first.square())


def _share(
    part: Float[np.ndarray, "*shape"] | np.floating, rest: Float[np.ndarray, "*shape"] | np.floating
) -> Float[np.ndarray, "*shape"]:
    whole = np.asarray(part + rest)
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > STRAIGHT)
