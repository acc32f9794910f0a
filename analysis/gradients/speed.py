"""Speed of detail: how fast gradient descent would move the detail of a window, if it had only this window.

Let y be detail around zero, such as an octave of a picture's luma, and J_i the gradient of the field's luma at pixel i
by all parameters. Where the loss is half the squared error of luma in a window w alone, a step of gradient descent adds

    q_w  =  |sum of y_i J_i|^2 / sum of y_i^2  =  y' K y / y' y       sums over the pixels of w

to the detail, for a unit of it that is missing and a unit of the step's size: the Rayleigh quotient of the neural
tangent kernel K on these pixels. It needs no kernel. Of a layer z = W a + b the sum of y_i J_i by W is A' diag(y) D,
where a row of A is what the layer is given at a pixel and one of D what reaches it backwards (`point_gradients`); by b
it is D' y. A row of a hash grid's table gets what the pixels that share it give.

Luma is linear here (Rec. 709 of the colours, without alpha), without the clipping that a screen does. What q is not:
the speed within a fit, where other windows push as well, and Adam or Muon make other steps of the same gradients.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from fieldlens.configs.errors import InputError

from ..detail.bands import band_labels
from ..detail.octaves import Detail, octave_waves
from ..networks.sampling import Progress
from .trained import Network
from .window_gradients import squared_lengths


@dataclass(frozen=True, eq=False)
class Speed:
    """How fast a network could move the detail of each window."""

    detail: Detail
    push: Float[np.ndarray, "rows columns"]
    """y' K y: what a step along the window's own gradient does for its detail; NaN where the window was not asked."""
    energy: Float[np.ndarray, "rows columns"]
    """y' y, a sum of squares."""
    by_layer: Float[np.ndarray, "layers rows columns"]
    """Parts of the push, which add up to it: of each layer's weights and biases, the output layer last. Of a hash grid
    its table is part 0, and the layers follow."""

    @property
    def per_energy(self) -> Float[np.ndarray, "rows columns"]:
        """The speed q, squared luma per squared unit of the parameters.

        NaN where the window was not asked, or holds no more energy per pixel than the detail's floor.
        """
        return np.divide(self.push, self.energy, out=np.full(self.push.shape, np.nan), where=self.detail.there)


def detail_speed(
    network: Network,
    details: Sequence[Detail],
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> list[Speed]:
    """The speed of some details of one picture, each in its own windows.

    One pass forward and back for all, and the arithmetic of a forward pass for each; see `squared_lengths`, whose
    arguments these are.

    Raises:
        InputError: when the network does not map such coordinates to 1 to 4 channels or is not finite, or details are
            of pictures of different sizes.
    """
    lengths = squared_lengths(network, details, "speed of detail", dtype=dtype, progress=progress)
    return [
        Speed(detail, by_layer.sum(0), detail.energy, by_layer)
        for detail, by_layer in zip(details, lengths, strict=True)
    ]


def wave_speed(
    network: Network,
    height: int,
    width: int,
    band: int,
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> Float[np.ndarray, "rows columns"]:
    """How fast waves of a band's centre would be moved in each window of the band: of the network alone.

    The mean speed of plane waves in 4 directions and 2 phases, less the mean and the slope that edges of windows leave
    of them (`octave_waves`, `Detail.levelled`): these are no fine detail, and moved by all pixels together.

    Args:
        height: of the picture, in pixels, with its width; there need not be one.
        band: number of the octave, 0 for 2-4 px.
        dtype: as for `detail_speed`.

    Raises:
        InputError: as `detail_speed` does, and when pictures of that size have no such band.
    """
    bands = len(band_labels(height, width))
    if not 0 <= band < bands:
        raise InputError(f"there is no band {band}: pictures of {width}x{height} have {bands}, numbered from 0")
    waves = [wave.levelled() for wave in octave_waves(height, width, band)]
    speeds = detail_speed(network, waves, dtype=dtype, progress=progress)
    return np.mean([speed.per_energy for speed in speeds], axis=0)
