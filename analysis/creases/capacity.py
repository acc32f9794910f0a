"""Capacity or dynamics: what of the missing detail could the present creases express, had training used them for it?

In each window the output layer is refitted: ridge regression of the residual on the activations of the last hidden
layer, and 1. What no output weights can take away is what the creases at hand cannot express there (capacity); what
they can take away is what training has not done (dynamics).

Hundreds of features fit any small window exactly, noise included. So the refit is made on one half of a window's
pixels, those of one colour of a checkerboard, and judged on the other half; then the halves change places, so that each
pixel is judged once, by weights that never saw it. The ridge is that of least leave-one-out error (PRESS, Allen 1974)
within the fitted half, among those that leave at least four fitted pixels to each effective degree of freedom (the
trace of the hat matrix). Generalised cross-validation, which spreads leverage evenly, will not do: neurons that are on
at a single fitted pixel are common, and their weights would run wild unnoticed.

As many cosine waves, the longest first, fitted and judged on the same pixels, say what anything smooth could do:
neighbours of a pixel were fitted, after all. And a single refit for the whole picture says how much of it is within the
reach of one output layer.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.windows import Windows, windows_of_side
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress, chunk_points, image_points

WINDOW_PX = 32
MOST_PER_AXIS = 8
"""Windows along an axis; in larger pictures the middles of so many stand for what is around them."""

PIXELS_PER_FREEDOM = 4
"""Least number of fitted pixels for each effective degree of freedom of a fit."""

MIN_FITTED = 2 * PIXELS_PER_FREEDOM
"""Least number of fitted pixels in a window: room for a mean and one thing more."""

_RIDGES = torch.logspace(6, -12, 37, dtype=torch.float64)
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
    whole_removed: float | None
    """Share of the residual energy that a single refit for all windows together takes away from unseen pixels (plain
    least squares); None with fewer than `PIXELS_PER_FREEDOM` fitted pixels to a feature."""

    @cached_property
    def removed(self) -> float | None:
        """Share of the residual energy that the refit takes away from unseen pixels, over all valid windows.

        Below 0 where the refit does harm; None where there is no residual, or no valid window.
        """
        return self._removed(self.remaining)

    @property
    def removed_error(self) -> float | None:
        """Standard error of `removed` as that of the whole picture, where the middles of windows stand for it.

        As if they had been drawn at random. None where windows are judged whole, or fewer than two are.
        """
        count = int(self.valid.sum())
        if self.patch_px is None or self.removed is None or count < 2:
            return None
        residual, remaining = self.residual[self.valid], self.remaining[self.valid]
        astray = residual - remaining - self.removed * residual
        return float(np.sqrt(np.square(astray).sum() / (count * (count - 1))) / residual.mean())

    @cached_property
    def null_removed(self) -> float | None:
        """The share that as many cosine waves take away."""
        return self._removed(self.null_remaining)

    @property
    def remaining_share(self) -> Float[np.ndarray, "rows columns"]:
        """The share of each window's residual energy that present creases cannot express; above 1 where refits harm."""
        return _ratio(self.remaining, self.residual)

    @property
    def dynamics_share(self) -> Float[np.ndarray, "rows columns"]:
        """The share of each window's residual energy that other output weights take away: what training left undone."""
        return 1 - self.remaining_share

    @property
    def null_share(self) -> Float[np.ndarray, "rows columns"]:
        """The share of each window's residual energy that as many cosine waves take away."""
        return 1 - _ratio(self.null_remaining, self.residual)

    def to_json(self) -> dict[str, Any]:
        """Everything but the maps, for strict JSON."""
        return {
            "removed_from_unseen_pixels": self.removed,
            "removed_standard_error": self.removed_error,
            "removed_by_as_many_cosine_waves": self.null_removed,
            "removed_by_one_refit_of_the_whole_picture": self.whole_removed,
            "median_degrees_of_freedom": float(np.median(self.freedom[self.valid])) if self.valid.any() else None,
            "windows": self.valid.size,
            "valid_windows": int(self.valid.sum()),
            "windows_at_the_limit_of_freedom": int(self.limited.sum()),
            "window_px": self.windows.side,
            "middles_only": self.patch_px is not None,
            "least_fitted_pixels_per_degree_of_freedom": PIXELS_PER_FREEDOM,
            "units": "shares of the residual energy, all channels and wavelengths, nothing clipped",
        }

    def _removed(self, remaining: Float[np.ndarray, "rows columns"]) -> float | None:
        total = float(self.residual[self.valid].sum())
        return 1 - float(remaining[self.valid].sum()) / total if total > 0 else None


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads that share a few hundred rows wait for one another longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
@_one_thread()
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
    time. Torch works with one thread meanwhile.

    Raises:
        InputError: where activations or pictures hold values that are not finite, or the two pictures differ in shape.
    """
    if target.shape != reconstruction.shape:
        raise InputError(f"a target of shape {target.shape} has no reconstruction of shape {reconstruction.shape}")
    height, width, _ = target.shape
    windows = windows_of_side(height, width, window_px, most_per_axis=most_per_axis)
    rows, columns = _patches(windows.row_edges, window_px), _patches(windows.column_edges, window_px)
    covered = max(np.diff(windows.row_edges).max(), np.diff(windows.column_edges).max()) < 2 * window_px
    energies = np.full((3, *windows.shape), np.nan)
    freedom, limited, valid = np.full(windows.shape, np.nan), *np.zeros((2, *windows.shape), bool)
    whole = _Whole()
    for row, down in enumerate(rows):
        for column, across in enumerate(columns):
            residual = torch.from_numpy(target[down, across].astype(np.float64) - reconstruction[down, across])
            halves = _feature_halves(network, residual.to(network.device), down, across, max(height, width))
            if min(len(half.values) for half in halves) >= MIN_FITTED:
                here = row, column
                found = _judge_window(halves, _wave_halves(residual, down, across))
                energies[:, *here], freedom[here] = found.energies, found.freedom
                limited[here], valid[here] = found.limited, True
                whole.add(halves)
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
        whole_removed=whole.removed(),
    )


@dataclass(frozen=True)
class _Half:
    """Half of a window's pixels, fp64."""

    features: Float[Tensor, "n p"]
    """Activations, or cosine waves."""
    values: Float[Tensor, "n c"]
    """The residual there."""

    def error(self, predicted: Float[Tensor, "n c"]) -> float:
        """Sum of squares that a prediction leaves."""
        return float((self.values - predicted).square().sum())


@dataclass(frozen=True)
class _Fit:
    """A mean and output weights, and what they cost."""

    mean: Float[Tensor, " c"]
    weights: Float[Tensor, "p c"]
    freedom: float
    """Trace of the hat matrix."""
    limited: bool

    def __call__(self, features: Float[Tensor, "n p"]) -> Float[Tensor, "n c"]:
        return self.mean + features @ self.weights


@dataclass(frozen=True)
class _Judged:
    """One window: energies of the residual, after the refit, and after the cosine waves."""

    energies: tuple[float, float, float]
    freedom: float
    limited: bool


def _judge_window(halves: list[_Half], waves: list[_Half]) -> _Judged:
    """Fit each half and judge the fit on the other."""
    values = sum(half.values.numel() for half in halves)
    residual = remaining = null = 0.0
    fits = [_ridge(half) for half in halves]
    for fit, wave, other, other_wave in zip(fits, waves, reversed(halves), reversed(waves), strict=True):
        terms = round(fit.freedom)
        residual += other.error(torch.zeros_like(other.values))
        remaining += other.error(fit(other.features))
        null += other_wave.error(other_wave.features[:, :terms] @ _least_squares(wave, terms))
    return _Judged(
        (residual / values, remaining / values, null / values),
        sum(fit.freedom for fit in fits) / 2,
        any(fit.limited for fit in fits),
    )


def _ridge(half: _Half) -> _Fit:
    """Ridge regression with an unpunished mean; the ridge is that of least leave-one-out error.

    With the singular vectors U of the centred features, the squares s of their singular values and b = U^T y, a ridge l
    fits y by U s / (s + l) b, with the leverages 1/n + sum U^2 s / (s + l), whose sum is the degrees of freedom. Left
    out, a pixel would have had its residual over 1 - leverage.
    """
    n = len(half.features)
    centre, mean = half.features.mean(0), half.values.mean(0)
    x, y = half.features - centre, half.values - mean
    u, s = _left_singular(x)
    b = u.T @ y
    ridges = s.max().clamp(min=torch.finfo(s.dtype).tiny) * _RIDGES.to(s.device)[:, None]
    kept = (s / (s + ridges)).T
    freedom = 1 + kept.sum(0)
    allowed = int((freedom * PIXELS_PER_FREEDOM <= n).sum())  # freedom grows as ridges fall
    fitted = (u @ (kept[:, :, None] * b[:, None]).flatten(1)).view(n, len(ridges), -1)
    leverage = 1 / n + u.square() @ kept
    score = ((y[:, None] - fitted) / (1 - leverage).clamp(min=_ROUNDING)[:, :, None]).square().sum((0, 2))
    best = int(score[:allowed].argmin())
    weights = x.T @ (u @ (b / (s + ridges[best])[:, None]))
    return _Fit(mean - centre @ weights, weights, float(freedom[best]), best == allowed - 1 < len(ridges) - 1)


def _left_singular(x: Float[Tensor, "n p"]) -> tuple[Float[Tensor, "n k"], Float[Tensor, " k"]]:
    """Left singular vectors and squared singular values; those that are only rounding are zero.

    By eigenvectors of the smaller product of x with itself: a quarter of the time of a singular value decomposition.
    """
    n, p = x.shape
    s, vectors = torch.linalg.eigh(x.T @ x if p <= n else x @ x.T)
    real = s > _ROUNDING * s[-1]
    s = torch.where(real, s, 0.0)
    if p > n:
        return vectors * real, s
    return x @ vectors * torch.where(real, s, torch.inf).rsqrt(), s


def _least_squares(half: _Half, terms: int) -> Float[Tensor, "terms c"]:
    features = half.features[:, :terms]
    return torch.linalg.pinv(features.T @ features, hermitian=True) @ (features.T @ half.values)


class _Whole:
    """One refit for all windows together, by least squares on each half: sums of products are all it needs to keep."""

    def __init__(self) -> None:
        self._halves: list[tuple[int, Tensor, Tensor, float]] = []

    def add(self, halves: list[_Half]) -> None:
        """Take a window's pixels in."""
        new = []
        for half in halves:
            features = torch.cat([half.features, half.features.new_ones(len(half.features), 1)], 1)
            products = features.T @ features, features.T @ half.values
            new.append((len(features), *products, float(half.values.square().sum())))
        before = self._halves or [(0, 0.0, 0.0, 0.0)] * 2
        self._halves = [tuple(a + b for a, b in zip(*pair, strict=True)) for pair in zip(before, new, strict=True)]

    def removed(self) -> float | None:
        """Share of energy that the refit removes from the pixels of the other half; None where there is none, or with
        fewer than `PIXELS_PER_FREEDOM` fitted pixels to a feature."""
        total = sum(square for *_, square in self._halves)
        if not total > 0 or any(count < PIXELS_PER_FREEDOM * len(gram) for count, gram, _, _ in self._halves):
            return None
        removed = 0.0
        for (_, gram, cross, _), (_, other_gram, other_cross, _) in zip(
            self._halves, reversed(self._halves), strict=True
        ):
            weights = torch.linalg.pinv(gram, rtol=_ROUNDING, hermitian=True) @ cross
            removed += float((weights * (2 * other_cross - other_gram @ weights)).sum())
        return removed / total


def _feature_halves(
    network: ReluNetwork, residual: Float[Tensor, "h w c"], rows: slice, columns: slice, scale: int
) -> list[_Half]:
    """The last hidden layer's activations on the two colours of the checkerboard."""
    down, across = (torch.arange(axis.start, axis.stop, dtype=torch.float64) + 0.5 for axis in (rows, columns))
    points = image_points(down, across, scale, network.device)
    h = torch.cat([_last_activations(network, x) for x in points.split(chunk_points(max(network.width_per_layer)))])
    if not (h.isfinite().all() and residual.isfinite().all()):
        raise InputError("the network or its pictures hold values that are not finite; take an earlier checkpoint")
    return _halves(h.double(), residual, rows, columns)


def _wave_halves(residual: Float[Tensor, "h w c"], rows: slice, columns: slice) -> list[_Half]:
    return _halves(_cosine_waves(*residual.shape[:2]), residual, rows, columns)


def _halves(
    features: Float[Tensor, "n p"], residual: Float[Tensor, "h w c"], rows: slice, columns: slice
) -> list[_Half]:
    """The pixels of even and those of odd row + column; the colours are those of the whole picture."""
    down, across = torch.arange(rows.start, rows.stop), torch.arange(columns.start, columns.stop)
    odd = ((down[:, None] + across) % 2).bool().flatten().to(features.device)
    values = residual.flatten(0, 1)
    return [_Half(features[half], values[half]) for half in (~odd, odd)]


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
