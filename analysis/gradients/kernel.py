"""The empirical neural tangent kernel: how a step for one point moves the field at another.

    K((x, p), (x', q))  =  <grad f_p(x), grad f_q(x')>     over all parameters, p and q channels of the output

(Jacot et al. 2018, arXiv 1806.07572). Under small steps of plain gradient descent on the squared error, and as long as
K stays what it is, the residual's part along an eigenvector decays at a rate proportional to the eigenvalue. Everything
is computed in fp64: eigenvalues span many orders of magnitude, and in fp32 the small ones would be rounding.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.bands import REC709
from .point_gradients import output_gradients
from .trained import Network, trained

Channels: TypeAlias = Literal["all", "luma"] | int
"""Which outputs: each of them, their luma (Rec. 709; the first channel of a grey picture; without alpha), or one."""

MAX_ROWS = 8192
"""Most rows of a kernel's matrix: 512 MiB in fp64, and its eigenvectors as much again."""


class Eigen(NamedTuple):
    """Eigenvalues, largest first, with their eigenvectors as columns."""

    values: Float64[np.ndarray, " rows"]
    vectors: Float64[np.ndarray, "rows rows"]


@dataclass(frozen=True, eq=False)
class Kernel:
    """A kernel on n points and k directions of the output; row p * n + i is direction p at point i."""

    matrix: Float64[np.ndarray, "rows rows"]
    """Symmetric, positive semidefinite up to rounding."""
    directions: Float64[np.ndarray, "k c"]
    """Weights of the channels in each direction."""

    @property
    def normalised(self) -> Float64[np.ndarray, "rows rows"]:
        """The cosines of the gradients, K_ij / sqrt(K_ii K_jj), in [-1, 1]; 0 where a gradient is zero."""
        length = np.sqrt(self.matrix.diagonal())
        scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
        return np.clip(self.matrix * scale[:, None] * scale, -1, 1)

    @cached_property
    def eigen(self) -> Eigen:
        """Found when first asked for: under a second for 1024 rows, about ten for 3072, on one core."""
        values, vectors = np.linalg.eigh(self.matrix)
        return Eigen(values[::-1], vectors[:, ::-1])

    @property
    def eigenvalues(self) -> Float64[np.ndarray, " rows"]:
        """Largest first; those that rounding has made negative are 0."""
        return np.maximum(self.eigen.values, 0)

    @property
    def entropy_rank(self) -> float:
        """Effective rank as the exponential of the entropy of eigenvalue shares, 1 to `rows` (Roy & Vetterli 2007).

        0 for a kernel that is zero.
        """
        shares = self._shares()
        shares = shares[shares > 0]
        return float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else 0.0

    @property
    def participation_ratio(self) -> float:
        """Effective rank as (sum of eigenvalues)^2 / (sum of their squares), 1 to `rows`; large ones count for more.

        0 for a kernel that is zero.
        """
        squares = float(np.square(self._shares()).sum())
        return 1 / squares if squares else 0.0

    def alignment(self, residual: Float[np.ndarray, "n c"]) -> Float64[np.ndarray, " rows"]:
        """Share of a residual's energy along the m leading eigenvectors, for m = 1, 2, ... rows.

        The residual of all channels at the kernel's points, in their order. Rises to 1: at once for what is quickest to
        learn, at the end for what is slowest; m / rows is what a residual in no particular direction has on average.
        All zero for a residual that is zero.
        """
        energy = np.square(self.parts(residual))
        total = energy.sum()
        return np.cumsum(energy) / total if total > 0 else np.zeros(len(energy))

    def parts(self, residual: Float[np.ndarray, "n c"]) -> Float64[np.ndarray, " rows"]:
        """A residual's part along each eigenvector, largest eigenvalue first; signs are those of the eigenvectors."""
        return self.eigen.vectors.T @ (residual @ self.directions.T).T.ravel().astype(np.float64)

    def decay(self, step_size: float, steps: int) -> Float64[np.ndarray, " rows"]:
        """What each of a residual's parts is multiplied by in some steps of plain gradient descent: (1 - 2 s L / c)^t.

        For a kernel L of all c channels, a loss that is the sum over the points of the squared error (mean over
        channels), and as long as the kernel stays what it is. Beyond [-1, 1] where the step is too large to converge.
        """
        return (1 - 2 * step_size * self.eigenvalues / self.directions.shape[1]) ** steps

    def _shares(self) -> Float64[np.ndarray, " rows"]:
        values = self.eigenvalues
        total = values.sum()
        return values / total if total > 0 else values


def kernel(network: Network, points: Float[Tensor, "n d"], channels: Channels = "all") -> Kernel:
    """The empirical neural tangent kernel of a network on a set of points.

    1024 points are a good number for three channels, for one up to 4096: the matrix grows with the square of points
    times channels, and the time of its eigenvalues with the cube.

    Args:
        network: a field, or what `relu_network` makes of a network trained elsewhere.
        points: image coordinates, on the network's device; such as those of a scene's batch, which are spread evenly.
        channels: see `Channels`; luma here is linear, without the clipping that a screen does.

    Raises:
        InputError: when the matrix would have more than 8192 rows, there is no such channel, or the network is not
            finite.
    """
    directions = channel_directions(channels, trained(network).outputs)
    n, k = len(points), len(directions)
    if n * k > MAX_ROWS:
        raise InputError(
            f"the kernel of {n:,} points and {k} channel{'s' * (k > 1)} has {n * k:,} rows, more than the "
            f"{MAX_ROWS:,} that fit in memory; give at most {MAX_ROWS // k:,} points"
            + (', or ask for one channel or "luma"' if k > 1 else "")
        )
    gradients = output_gradients(network, points, torch.from_numpy(directions), dtype=torch.float64)
    matrix = np.empty((k, n, k, n))
    for start, block in gradients.gram_blocks():
        b = block.shape[1]
        block = block.cpu().numpy()
        matrix[:, start : start + b, :, start:] = block
        matrix[:, start:, :, start : start + b] = block.transpose(2, 3, 0, 1)
        # products of the block with itself come in both orders, which rounding may tell apart
        square = block[..., :b]
        matrix[:, start : start + b, :, start : start + b] = (square + square.transpose(2, 3, 0, 1)) / 2
    return Kernel(matrix.reshape(k * n, k * n), directions)


def channel_directions(channels: Channels, outputs: int) -> Float64[np.ndarray, "k c"]:
    """Weights of the channels that a choice of channels stands for.

    >>> channel_directions(1, 2).tolist()
    [[0.0, 1.0]]
    """
    every = np.eye(outputs)
    match channels:
        case "all":
            return every
        case "luma":
            colours = 3 if outputs >= 3 else 1
            return np.asarray(REC709 if colours == 3 else (1.0,)) @ every[None, :colours]
        case _ if 0 <= channels < outputs:
            return every[channels : channels + 1]
    raise InputError(f"there is no channel {channels}: the field has {outputs}, numbered from 0")
