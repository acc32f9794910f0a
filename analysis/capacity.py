"""Capacity or dynamics: what of the missing detail could the present creases express, had training used them for it?

In each window the output layer is refitted: ridge regression of the residual on the activations of the last hidden
layer, and 1. What no output weights can take away is what the creases at hand cannot express there (capacity); what
they can take away is what training has not done (dynamics).

Hundreds of features fit any small window exactly, noise included. So the refit is made on one half of a window's
pixels, those of one colour of a checkerboard, and judged on the other half; then the halves change places, so that each
pixel is judged once, by weights that never saw it. The ridge is that of generalised cross-validation (Golub, Heath &
Wahba 1979) on the fitted half alone, among those that leave at least four fitted pixels to each effective degree of
freedom (the trace of the hat matrix). As many cosine waves, the longest first, fitted and judged the same way, say what
anything smooth could do: neighbours of a pixel were fitted, after all.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from configs.errors import InputError

from .network import ReluNetwork
from .sampling import Progress, chunk_points, image_points
from .windows import Windows, windows_of_side

WINDOW_PX = 32
MOST_PER_AXIS = 8
"""Windows along an axis; in larger pictures the middles of so many stand for what is around them."""

PIXELS_PER_FREEDOM = 4
"""Least number of fitted pixels for each effective degree of freedom of a fit."""

MIN_FITTED = 2 * PIXELS_PER_FREEDOM
"""Least number of fitted pixels in a window: room for a mean and one thing more."""

_RIDGES = torch.logspace(6, -12, 73, dtype=torch.float64)
"""Times the largest eigenvalue: from a fit of next to nothing but the mean to one of next to everything."""

_ROUNDING = 1e-12
"""Eigenvalues below this share of the largest are rounding of products of fp32 activations."""


@dataclass(frozen=True)
class Capacity:
    """Refits of the output layer in windows, judged on pixels they were not fitted to.

    Energies are mean squares over a window's judged pixels and channels; NaN where a window is not valid.
    """

    windows: Windows
    patch_px: int | None
    """Side of the middle that stands for each window; None where windows are judged whole."""
    residual: Float[np.ndarray, "rows columns"]
    """Energy of the residual as it is."""
    remaining: Float[np.ndarray, "rows columns"]
    """Energy that remains after the refit: what the present creases could not express."""
    null_remaining: Float[np.ndarray, "rows columns"]
    """Energy that remains after a fit of as many cosine waves."""
    freedom: Float[np.ndarray, "rows columns"]
    """Effective degrees of freedom of the refit, mean over its two halves; the mean counts as one."""
    limited: Bool[np.ndarray, "rows columns"]
    """Whether the refit used all degrees of freedom that the number of pixels allows: with more it might do better."""
    valid: Bool[np.ndarray, "rows columns"]
    """Whether both halves have pixels enough for a refit at all (`MIN_FITTED`)."""
    whole_remaining_share: float | None
    """Share of the residual energy that remains after a single refit for all windows together, judged the same way."""

    @cached_property
    def removed(self) -> float | None:
        """Share of the residual energy that the refit takes away from unseen pixels, over all valid windows.

        Below 0 where the refit does harm; None where there is no residual, or no valid window.
        """
        return self._removed(self.remaining)

    @cached_property
    def null_removed(self) -> float | None:
        """The same for the cosine waves."""
        return self._removed(self.null_remaining)

    @cached_property
    def whole_removed(self) -> float | None:
        """The same for one refit of the output layer for the whole picture."""
        return None if self.whole_remaining_share is None else 1 - self.whole_remaining_share

    @property
    def remaining_share(self) -> Float[np.ndarray, "rows columns"]:
        """Of each window's residual energy, what the present creases could not express; above 1 where refits harm."""
        return _ratio(self.remaining, self.residual)

    @property
    def dynamics_share(self) -> Float[np.ndarray, "rows columns"]:
        """Of each window's residual energy, what other output weights take away: what training has not done there."""
        return 1 - self.remaining_share

    @property
    def null_share(self) -> Float[np.ndarray, "rows columns"]:
        """Of each window's residual energy, what as many cosine waves take away."""
        return 1 - _ratio(self.null_remaining, self.residual)

    def _removed(self, remaining: Float[np.ndarray, "rows columns"]) -> float | None:
        total = float(self.residual[self.valid].sum())
        return 1 - float(remaining[self.valid].sum()) / total if total > 0 else None


@torch.inference_mode()
def capacity(
    network: ReluNetwork,
    target: Float[np.ndarray, "h w c"],
    reconstruction: Float[np.ndarray, "h w c"],
    *,
    window_px: int = WINDOW_PX,
    most_per_axis: int | None = MOST_PER_AXIS,
    progress: Progress | None = None,
) -> Capacity:
    """Refit the output layer in windows of a picture, all channels together (one ridge for them).

    The residual is that of the values as given, nothing clipped. The refit is added to the output, so behind a sigmoid
    it is an expression by the same creases, though not by the same output layer. Windows have `window_px` a side, and a
    little more where that does not divide the picture; where there would be more than `most_per_axis` of them along an
    axis, the middle `window_px` pixels of so many larger windows are taken. One window's activations are held at a
    time.

    Raises:
        InputError: where activations or pictures hold values that are not finite.
    """
    height, width, _ = target.shape
    windows = windows_of_side(height, width, window_px, most_per_axis=most_per_axis)
    rows, columns = _patches(windows.row_edges, window_px), _patches(windows.column_edges, window_px)
    covered = max(np.diff(windows.row_edges).max(), np.diff(windows.column_edges).max()) < 2 * window_px
    energies = np.full((3, *windows.shape), np.nan)
    freedom, limited, valid = np.full(windows.shape, np.nan), *np.zeros((2, *windows.shape), bool)
    whole: list[_Moments] = []
    for row, down in enumerate(rows):
        for column, across in enumerate(columns):
            residual = torch.from_numpy(target[down, across].astype(np.float64) - reconstruction[down, across])
            halves = _feature_moments(network, residual.to(network.device), down, across, max(height, width))
            if min(half.count for half in halves) >= MIN_FITTED:
                here = row, column
                found = _judge_window(halves, _wave_moments(residual, down, across))
                energies[:, *here], freedom[here] = found.energies, found.freedom
                limited[here], valid[here] = found.limited, True
                whole = [a + b for a, b in zip(whole, halves, strict=True)] if whole else halves
        if progress is not None:
            progress((row + 1) / len(rows))
    return Capacity(
        windows=windows,
        patch_px=None if covered else window_px,
        residual=energies[0],
        remaining=energies[1],
        null_remaining=energies[2],
        freedom=freedom,
        limited=limited,
        valid=valid,
        whole_remaining_share=_whole_remaining_share(whole),
    )


@dataclass(frozen=True)
class _Moments:
    """All that a linear fit, and its error, need to know of some pixels: sums of products, fp64.

    Features begin with 1. Sums of several sets of pixels are the moments of their union.
    """

    count: int
    gram: Float[Tensor, "p p"]
    cross: Float[Tensor, "p c"]
    square: Float[Tensor, ""]
    """Sum of squares of what is fitted, over pixels and channels."""

    @classmethod
    def of(cls, features: Float[Tensor, "n p"], values: Float[Tensor, "n c"]) -> "_Moments":
        return cls(len(features), features.T @ features, features.T @ values, values.square().sum())

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(
            self.count + other.count, self.gram + other.gram, self.cross + other.cross, self.square + other.square
        )

    def error(self, weights: Float[Tensor, "p c"]) -> float:
        """Sum of squares that weights leave of what is fitted; features beyond the weights are not used."""
        used = len(weights)
        change = (weights * (self.gram[:used, :used] @ weights - 2 * self.cross[:used])).sum()
        return max(0.0, float(self.square + change))


@dataclass(frozen=True)
class _Fit:
    """Output weights, the mean's first, and what they cost."""

    weights: Float[Tensor, "p c"]
    freedom: float
    """Trace of the hat matrix."""
    limited: bool


@dataclass(frozen=True)
class _Judged:
    """One window: energies of the residual, after the refit, and after the cosine waves."""

    energies: tuple[float, float, float]
    freedom: float
    limited: bool


def _judge_window(halves: list[_Moments], waves: list[_Moments]) -> _Judged:
    """Fit each half and judge the fit on the other."""
    fits = [_ridge(half) for half in halves]
    nulls = [_least_squares(half, round(fit.freedom)) for half, fit in zip(waves, fits, strict=True)]
    values = sum(half.count for half in halves) * halves[0].cross.shape[1]
    residual = sum(float(half.square) for half in halves)
    remaining = sum(other.error(fit.weights) for fit, other in zip(fits, reversed(halves), strict=True))
    null = sum(other.error(weights) for weights, other in zip(nulls, reversed(waves), strict=True))
    return _Judged(
        (residual / values, remaining / values, null / values),
        sum(fit.freedom for fit in fits) / 2,
        any(fit.limited for fit in fits),
    )


def _whole_remaining_share(halves: list[_Moments]) -> float | None:
    total = sum(float(half.square) for half in halves)
    if not total > 0:
        return None
    return sum(other.error(_ridge(half).weights) for half, other in zip(halves, reversed(halves), strict=True)) / total


def _ridge(fitted: _Moments) -> _Fit:
    """Ridge regression with an unpunished mean; of ridges the one with the least RSS / (n - df)^2.

    In the basis of eigenvectors of the centred Gram matrix, with eigenvalues s and products b with what is fitted,
    a ridge l gives df = 1 + sum s / (s + l) and RSS = sum of squares - sum b^2 (s + 2 l) / (s + l)^2.
    """
    n = fitted.count
    mean, value_mean = fitted.gram[0, 1:] / n, fitted.cross[0] / n
    gram = fitted.gram[1:, 1:] - n * torch.outer(mean, mean)
    cross = fitted.cross[1:] - n * torch.outer(mean, value_mean)
    square = fitted.square - n * value_mean.square().sum()
    eigenvalues, vectors = torch.linalg.eigh(gram)
    largest = eigenvalues[-1].clamp(min=torch.finfo(torch.float64).tiny)
    s = torch.where(eigenvalues > _ROUNDING * largest, eigenvalues, 0.0)
    b = vectors.T @ cross * (s > 0)[:, None]
    ridges = largest * _RIDGES.to(s.device)[:, None]
    freedom = 1 + (s / (s + ridges)).sum(1)
    left = square - (b.square().sum(1) * (s + 2 * ridges) / (s + ridges).square()).sum(1)
    allowed = int((freedom * PIXELS_PER_FREEDOM <= n).sum())  # freedom grows as ridges fall
    score = left.clamp(min=0) / (n - freedom).square()
    best = int(score[:allowed].argmin())
    slopes = vectors @ (b / (s[:, None] + ridges[best]))
    weights = torch.cat([(value_mean - mean @ slopes)[None], slopes])
    return _Fit(weights, float(freedom[best]), limited=best == allowed - 1 < len(ridges) - 1)


def _least_squares(fitted: _Moments, terms: int) -> Float[Tensor, "terms c"]:
    return torch.linalg.pinv(fitted.gram[:terms, :terms], hermitian=True) @ fitted.cross[:terms]


def _feature_moments(
    network: ReluNetwork, residual: Float[Tensor, "h w c"], rows: slice, columns: slice, scale: int
) -> list[_Moments]:
    """Moments of the last hidden layer's activations on the two colours of the checkerboard."""
    down, across = (torch.arange(axis.start, axis.stop, dtype=torch.float64) + 0.5 for axis in (rows, columns))
    points = image_points(down, across, scale, network.device)
    h = torch.cat([_last_activations(network, x) for x in points.split(chunk_points(max(network.width_per_layer)))])
    if not (h.isfinite().all() and residual.isfinite().all()):
        raise InputError("the network or its pictures hold values that are not finite; take an earlier checkpoint")
    features = torch.cat([h.new_ones(len(h), 1), h], 1).double()
    return _halves(features, residual, rows, columns)


def _wave_moments(residual: Float[Tensor, "h w c"], rows: slice, columns: slice) -> list[_Moments]:
    return _halves(_cosine_waves(*residual.shape[:2]), residual, rows, columns)


def _halves(
    features: Float[Tensor, "n p"], residual: Float[Tensor, "h w c"], rows: slice, columns: slice
) -> list[_Moments]:
    """Moments on the pixels of even and of odd row + column; the colours are those of the whole picture."""
    down, across = torch.arange(rows.start, rows.stop), torch.arange(columns.start, columns.stop)
    odd = ((down[:, None] + across) % 2).bool().flatten().to(features.device)
    values = residual.flatten(0, 1)
    return [_Moments.of(features[half], values[half]) for half in (~odd, odd)]


@lru_cache(maxsize=4)
def _cosine_waves(height: int, width: int) -> Float[Tensor, "n terms"]:
    """Cosine waves over a window (the DCT's), the longest first, as many as a fit of half of its pixels may have.

    >>> _cosine_waves(1, 8).shape
    torch.Size([8, 1])
    """
    row, column = (index.flatten() for index in np.indices((height, width)))
    order = np.argsort((row / height) ** 2 + (column / width) ** 2, kind="stable")
    order = order[: max(1, math.ceil(height * width / 2) // PIXELS_PER_FREEDOM)]

    def waves(size: int, frequencies: np.ndarray) -> np.ndarray:
        return np.cos(np.pi * frequencies * (np.arange(size)[:, None] + 0.5) / size)

    product = waves(height, row[order])[:, None] * waves(width, column[order])
    return torch.from_numpy(product.reshape(height * width, -1))


def _last_activations(network: ReluNetwork, x: Float[Tensor, "n d"]) -> Float[Tensor, "n width"]:
    z = next(islice(network.preactivations(x), len(network.width_per_layer) - 1, None))
    return torch.nn.functional.leaky_relu(z, network.negative_slope)


def _patches(edges: np.ndarray, side: int) -> list[slice]:
    """What of each window along an axis is judged: all of it, or the middle where it is twice as long or more."""
    sizes = [(first, end, end - first if end - first < 2 * side else side) for first, end in pairwise(edges.tolist())]
    return [slice(first + (end - first - size) // 2, first + (end - first + size) // 2) for first, end, size in sizes]


def _ratio(numerator: Float[np.ndarray, "*shape"], denominator: Float[np.ndarray, "*shape"]) -> np.ndarray:
    """The quotient, NaN where the denominator is zero or NaN."""
    return np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
