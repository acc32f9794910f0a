"""How far a step for one pixel reaches: the distance at which the normalised kernel around it falls to a level.

The kernel of pixels x and x', over the channels looked at, is K = sum over channels of <grad f(x), grad f(x')>, and
normalised K(x, x') / sqrt(K(x, x) K(x', x')). It is 1 at distance 0. Where it falls fast, pixels are learnt on their
own; where it stays up, a step for one moves all that are near: detail finer than that is slow to learn. Distances need
not be whole pixels, as a network has values in between.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..networks.sampling import Progress, centre_chunks, map_shape
from .kernel import Channels, channel_directions
from .point_gradients import bytes_per_point, output_gradients
from .trained import Network, trained

STEPS_PER_OCTAVE = 4
"""Distances tried in each doubling: steps of 19 %, and what lies between two of them is interpolated."""

SHORTEST_PX = 0.125
"""The first distance tried, in pixels."""

GROUP_BYTES = 128 * 1024**2
"""Most memory for gradients held at once."""


@dataclass(frozen=True, eq=False)
class CorrelationLength:
    """Correlation lengths of the kernel around every stride-th pixel of a picture."""

    x: Float[np.ndarray, "rows columns"]
    """Along rows, in pixels: the distance at which the normalised kernel first is at the level, mean of the ways left
    and right. Only one of them counts where the other stays above up to `longest_px` or the picture's end; infinite
    where both do; NaN where the pixel's gradient is zero."""
    y: Float[np.ndarray, "rows columns"]
    """The same length along columns."""
    level: float
    longest_px: float
    stride: int
    """Pixels between sampled pixels."""


def kernel_correlation_length(
    network: Network,
    height: int,
    width: int,
    *,
    stride: int = 8,
    channels: Channels = "luma",
    level: float = 0.5,
    longest_px: float = 64.0,
    progress: Progress | None = None,
) -> CorrelationLength:
    """The distance around each pixel at which the normalised kernel has fallen to `level`, along rows and columns.

    Distances grow by 19 % from an eighth of a pixel; each costs two passes forward and back of the pixels whose kernel
    is still above the level, for each of four ways. The kernel of a finite network jumps at creases: a dip that lies
    between two of the distances is not seen.

    Raises:
        InputError: when there is no such channel, or the network is not finite.
    """
    if not (0 < level < 1 and longest_px > SHORTEST_PX):
        raise InputError(f"a level is between 0 and 1, a length above {SHORTEST_PX}; got {level} and {longest_px}")
    layers = trained(network)
    directions = torch.from_numpy(channel_directions(channels, layers.outputs))
    shape = map_shape(height, width, stride)
    scale = max(height, width)
    picture = _Picture(network, directions, scale, (width / scale, height / scale))
    size = max(1, GROUP_BYTES // (2 * bytes_per_point(network, len(directions))))
    lengths = np.empty((shape[0] * shape[1], 4), np.float32)
    for here, centres in centre_chunks(height, width, stride, size, layers.device, progress):
        for number, way in enumerate(((-1, 0), (1, 0), (0, -1), (0, 1))):
            lengths[here, number] = picture.first_fall(centres, way, level, longest_px).cpu().numpy()
    x, y = _mean_of_finite(lengths.reshape(*shape, 2, 2)).transpose(2, 0, 1)
    return CorrelationLength(x, y, level, longest_px, stride)


def _mean_of_finite(lengths: Float[np.ndarray, "*batch 2"]) -> Float[np.ndarray, "*batch"]:
    """Mean of two lengths, or the finite one; NaN stays.

    >>> _mean_of_finite(np.array([[1.0, 3.0], [np.inf, 3.0], [np.inf, np.inf], [np.nan, np.nan]]))
    array([ 2.,  3., inf, nan])
    """
    low, high = lengths.min(-1), lengths.max(-1)
    return np.where(np.isinf(high), low, (low + high) / 2)


@dataclass(frozen=True, eq=False)
class _Picture:
    """A network on a picture, and the combinations of its channels that are looked at."""

    network: Network
    directions: Float[Tensor, "k c"]
    scale: int
    """Pixels along the longer side."""
    end: tuple[float, float]
    """Right and bottom, in image coordinates."""

    def first_fall(
        self, centres: Float[Tensor, "n 2"], way: tuple[int, int], level: float, longest_px: float
    ) -> Float[Tensor, " n"]:
        """The first distance in pixels one way at which the kernel is at the level, linear between the steps."""
        lengths = torch.full_like(centres[:, 0], torch.inf)
        above = torch.ones_like(lengths)  # the kernel at the distance before
        active = torch.arange(len(centres), device=centres.device)
        before, distance = 0.0, SHORTEST_PX
        while len(active) and before < longest_px:
            distance = min(distance, longest_px)
            points = centres[active] + centres.new_tensor(way) * (distance / self.scale)
            inside = ((points >= 0) & (points <= centres.new_tensor(self.end))).all(1)
            active, points = active[inside], points[inside]
            value = self._normalised_kernel(centres[active], points)
            fallen, undefined = value <= level, value.isnan()
            share = (above[active] - level) / (above[active] - value)
            lengths[active[fallen]] = (before + share * (distance - before))[fallen]
            lengths[active[undefined]] = torch.nan
            above[active] = value
            active = active[~(fallen | undefined)]
            before, distance = distance, distance * 2 ** (1 / STEPS_PER_OCTAVE)
        return lengths

    def _normalised_kernel(self, first: Float[Tensor, "n 2"], second: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
        """Between pairs of points; 0 where the second's gradient is zero, NaN where the first's is."""
        gradients = output_gradients(self.network, torch.cat([first, second]), self.directions)
        i = torch.arange(len(first), device=first.device)
        one, other = gradients.squared_norms().sum(0).sqrt().chunk(2)
        cosine = gradients.inner_products(i, i + len(i)).sum(0) / one / torch.where(other > 0, other, 1.0)
        return torch.where(one > 0, cosine, torch.nan)
