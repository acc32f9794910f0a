"""Leverage of detail: how much of a window's detail a network could move while everything else stands still.

In a regression the leverage of a direction y of the data is y' H y / y' y, with H the hat matrix, which projects on
what the model can fit (Hoaglin & Welsch 1978): 1 where y can be fitted without any change to what is fitted elsewhere,
0 where it cannot be fitted at all. A network near its weights is such a model, with the gradients J of all pixels for
its rows, and

    y' H y  =  g' (F + damping)^-1 g       g = sum of y_i J_i over the window,  F = sum of J_i J_i' over all pixels

F is taken layer by layer (`curvature`), so that this is the leverage of each layer alone. It is the speed of detail,
with every direction of the parameters divided by what all pixels ask of it together: where other pixels need the same
directions, speed is of no use. Unlike speed it has no unit, and compares networks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from ..detail.octaves import Detail
from ..networks.sampling import Progress, halves
from .curvature import curvature
from .trained import Network, trained
from .window_gradients import squared_lengths

SAMPLED_PIXELS = 16_384
"""Pixels that stand for everything else in a larger picture; the order of windows hardly changes with a quarter."""


@dataclass(frozen=True, eq=False)
class Leverage:
    """How much of the detail of each window a network could move while everything else stands still."""

    detail: Detail
    by_layer: Float[np.ndarray, "layers rows columns"]
    """Of each layer's weights and biases alone, the output layer last; of a hash grid its table is part 0. NaN where
    the window was not asked, or holds no more energy per pixel than the detail's floor.

    In [0, 1] of an output layer without sigmoid, where all pixels take part in the curvature; of the others as far as
    its directions are right, and of a sample as far as that stands for all.
    """

    @property
    def mean(self) -> Float[np.ndarray, "rows columns"]:
        """Over the layers."""
        return self.by_layer.mean(0)


def detail_leverage(
    network: Network,
    details: Sequence[Detail],
    *,
    dtype: torch.dtype = torch.float32,
    progress: Progress | None = None,
) -> list[Leverage]:
    """The leverage of some details of one picture, each in its own windows.

    Args:
        network: as for `detail_speed`.
        details: of pictures of one size, on whose pixel centres the network is asked; see `octave_details`.
        dtype: of the passes and products; encodings without parameters are evaluated in fp32 regardless.

    Raises:
        InputError: as `detail_speed` does.
    """
    if not details:
        return []
    height, width = details[0].values.shape
    # of a table's entries those that no pixel of a sample has would seem to be asked for by none
    has_table = trained(network).learnt_table is not None
    stride = 1 if has_table else math.ceil(math.sqrt(height * width / SAMPLED_PIXELS))
    first, second = halves(progress)
    bent = curvature(network, height, width, stride=stride, dtype=dtype, progress=first)
    lengths = squared_lengths(network, details, "leverage of detail", curvature=bent, dtype=dtype, progress=second)
    return [
        Leverage(detail, np.where(detail.there, by_layer, np.nan) / np.where(detail.there, detail.energy, 1.0))
        for detail, by_layer in zip(details, lengths, strict=True)
    ]
