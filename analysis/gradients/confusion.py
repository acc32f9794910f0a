"""Gradient confusion: whether the steps that two pixels ask for help or hinder each other.

A pixel's squared error, its mean over the channels, has a gradient g by all parameters. For two pixels the cosine of
their gradients says whether a step for one is a step for the other (1), is no matter to it (0), or undoes it (-1).
Sankararaman et al. (2020, arXiv 1904.06963, definition 2.1) bound the confusion at given parameters by the least eta
with ⟨g_i, g_j⟩ >= -eta for all pairs; Lazzari & Liu (2023, arXiv 2301.05816) look at the distribution of the cosine,
over nearby ("local") and over far-apart ("global") pairs. Inner products come from `point_gradients`.

With one channel g = 2 r grad f, r the residual f - y, so that

    cos(g_i, g_j)  =  sign(r_i r_j)  K(x_i, x_j) / sqrt(K(x_i, x_i) K(x_j, x_j)),    K the neural tangent kernel

and a cosine is two things: a sign that is the residuals' alone (if the normalised kernel is positive, as it mostly is
for neighbours), and a strength |cos| that knows nothing of them. `Confusion` therefore keeps the two apart.

Gradients are of plain gradient descent on the squared error, or on any other loss that is a sum over points;
regularisers, and what Adam does to a step, are left out. With another loss r stands for its derivative by the output.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.statistics import QUANTILES
from ..networks.sampling import sampled_pixels
from .pairs import Pairs
from .point_gradients import (
    Loss,
    PointGradients,
    bytes_per_point,
    loss_gradients,
    loss_slopes,
    require_memory,
    squared_error,
)
from .trained import Network, trained

GROUP_BYTES = 256 * 1024**2
"""Most memory for gradients held at once when pairs are given; what does not fit is gone through in groups of pairs."""

_BYTES_PER_PAIR = 24
"""What a pair takes in a `Confusion`: two int32 indices, three fp32 numbers, a boolean."""


@dataclass(frozen=True)
class Distribution:
    """A distribution of cosines, in [-1, 1]; all zero for no pairs."""

    mean: float
    standard_deviation: float
    quantiles: tuple[float, ...]
    """Cosines at the levels of `QUANTILES`."""
    half_width: float
    """Half the distance between the 5 % and the 95 % quantile."""
    negative_share: float
    """Share of the pairs whose cosine is below 0."""


@dataclass(frozen=True)
class ConfusionSummary:
    """Confusion over many pairs, in a few numbers."""

    quantile_levels: tuple[float, ...] = field(default=QUANTILES, kw_only=True)
    pairs: int
    zero_gradient_pairs: int
    """Pairs of which one gradient at least is zero; their cosine is undefined and in none of the distributions."""
    eta: float
    """Sankararaman's bound, in squared units of the gradient; 0 without confusion."""
    cosine: Distribution
    strength: Distribution
    """Distribution of |cos|: for one channel the size of the normalised kernel."""
    residual_cosine: Distribution
    residual_sign_share: float
    """Share of the pairs whose cosine has the sign of the residuals' own: with one channel, of a positive kernel."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """How the loss gradients of pairs of points lie to each other."""

    first: Int[np.ndarray, " pairs"]
    second: Int[np.ndarray, " pairs"]
    """Indices of the points of each pair."""
    inner_product: Float[np.ndarray, " pairs"]
    """⟨g_i, g_j⟩, of gradients of the points' losses."""
    cosine: Float[np.ndarray, " pairs"]
    """cos(g_i, g_j) in [-1, 1]; 0 where a gradient is zero."""
    residual_cosine: Float[np.ndarray, " pairs"]
    """cos(r_i, r_j) of the residuals over the channels: with one channel the sign of r_i r_j; 0 where one is zero. With
    another loss than the squared error, of its derivatives by the output."""
    zero_gradient: Bool[np.ndarray, " pairs"]
    """Where a gradient is zero, as fp32 has it, so that there is no cosine: the pixel is exactly fitted, or no
    parameter reaches it."""

    @property
    def eta(self) -> float:
        """Sankararaman's bound over these pairs: max(0, -min ⟨g_i, g_j⟩)."""
        return max(0.0, -float(self.inner_product.min(initial=0.0)))

    @property
    def sign(self) -> Float[np.ndarray, " pairs"]:
        """1 where the two help each other, -1 where they hinder, 0 where neither."""
        return np.sign(self.cosine)

    @property
    def strength(self) -> Float[np.ndarray, " pairs"]:
        """|cos|: how much the two have to do with each other; for one channel |normalised kernel|."""
        return np.abs(self.cosine)

    def summary(self) -> ConfusionSummary:
        """The distributions over the pairs."""
        counted = ~self.zero_gradient
        cosine, residual = self.cosine[counted], self.residual_cosine[counted]
        return ConfusionSummary(
            pairs=len(self.cosine),
            zero_gradient_pairs=int(self.zero_gradient.sum()),
            eta=self.eta,
            cosine=_distribution(cosine),
            strength=_distribution(np.abs(cosine)),
            residual_cosine=_distribution(residual),
            residual_sign_share=float(np.mean(cosine * residual > 0)) if len(cosine) else 0.0,
        )


def confusion(
    network: Network,
    points: Float[Tensor, "n d"],
    targets: Float[Tensor, "n c"],
    *,
    pairs: Pairs | None = None,
    loss: Loss = squared_error,
) -> Confusion:
    """Inner products and cosines of the points' loss gradients: of given pairs, or of all n (n - 1) / 2.

    All pairs of 2500 points in a network of 4x512 take about a second on one core. Given pairs take a pass forward and
    back per point and some 20 microseconds per pair (4x512), in groups of bounded memory: a point that recurs far apart
    in a long list is passed again.

    Args:
        network: a field, or what `relu_network` makes of a network trained elsewhere.
        points: image coordinates, on the network's device.
        targets: values there, in the network's own unit.
        pairs: indices into the points; the order within a pair does not matter.
        loss: of each point, from values and targets.

    Raises:
        InputError: when the network or a target is not finite, or the result would take more than 2 GiB.
    """
    if pairs is None:
        return _all_pairs(network, points, targets, loss)
    first, second = pairs
    require_memory(_BYTES_PER_PAIR * len(first), f"the confusion of {len(first):,} pairs")
    groups = [_measured(*group) for group in _groups(network, points, targets, first, second, loss)]
    inner, cosine, residual, zero = (np.concatenate(parts) for parts in zip(*groups, strict=True))
    return Confusion(_as_indices(first), _as_indices(second), inner, cosine, residual, zero)


def pixel_confusion(
    network: Network, target: Float[np.ndarray, "h w c"], pairs: Pairs, *, loss: Loss = squared_error
) -> Confusion:
    """Confusion of pairs of pixels of a picture, given by number, row by row; `first` and `second` are such numbers.

    Raises:
        InputError: as `confusion` does.
    """
    pixels, index = torch.unique(torch.cat(pairs), return_inverse=True)
    points, targets = at_pixels(network, target, pixels)
    first, second = index.chunk(2)
    found = confusion(network, points, targets, pairs=(first, second), loss=loss)
    return Confusion(
        _as_indices(pairs[0]),
        _as_indices(pairs[1]),
        found.inner_product,
        found.cosine,
        found.residual_cosine,
        found.zero_gradient,
    )


def at_pixels(
    network: Network, target: Float[np.ndarray, "h w c"], pixels: Int[Tensor, " n"]
) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n c"]]:
    """Image coordinates and target values of pixels, given by number row by row, on the network's device."""
    height, width, channels = target.shape
    position = torch.stack([pixels % width, pixels // width], 1) + 0.5  # exact in fp32, as in training
    values = torch.from_numpy(target.reshape(-1, channels)[pixels.numpy()]).float()
    device = trained(network).device
    return (position / max(height, width)).float().to(device), values.to(device)


@dataclass(frozen=True, eq=False)
class ConfusionMap:
    """Local confusion over a picture."""

    cosine: Float[np.ndarray, "rows columns"]
    """Mean cosine of a pixel's loss gradient with those of its neighbours; 0 where none is defined."""
    neighbours: Int[np.ndarray, "rows columns"]
    """With how many neighbours the cosine is defined: up to 4, fewer at borders and at exactly fitted pixels."""
    distance_px: int
    """Distance to the neighbours."""
    stride: int
    """Pixels between sampled pixels."""


def confusion_map(
    network: Network,
    target: Float[np.ndarray, "h w c"],
    *,
    distance_px: int = 1,
    stride: int = 1,
    loss: Loss = squared_error,
) -> ConfusionMap:
    """Mean cosine of every stride-th pixel with its neighbours `distance_px` to the left, right, above and below.

    Costs a pass forward and back for every pixel involved: about one per sampled pixel at stride 1, else up to five.

    Raises:
        InputError: as `confusion` does.
    """
    if distance_px < 1:
        raise InputError(f"neighbours must be at least 1 pixel away, got {distance_px}")
    height, width, _ = target.shape
    rows, columns = sampled_pixels(height, stride), sampled_pixels(width, stride)
    row, column = (axis.flatten() for axis in torch.meshgrid(rows, columns, indexing="ij"))
    # neighbours of one pixel follow each other, so that a group of pairs is a band of the picture
    down = row[:, None] + torch.tensor([-distance_px, distance_px, 0, 0])
    right = column[:, None] + torch.tensor([0, 0, -distance_px, distance_px])
    inside = (down >= 0) & (down < height) & (right >= 0) & (right < width)
    centre = (row * width + column)[:, None].expand(-1, 4)[inside]
    found = pixel_confusion(network, target, (centre, (down * width + right)[inside]), loss=loss)
    sample = np.repeat(np.arange(len(row)), inside.sum(1).numpy())
    neighbours = np.bincount(sample, ~found.zero_gradient, minlength=len(row))
    total = np.bincount(sample, found.cosine, minlength=len(row))
    shape = (len(rows), len(columns))
    return ConfusionMap(
        cosine=(total / np.maximum(neighbours, 1)).astype(np.float32).reshape(shape),
        neighbours=neighbours.astype(np.int64).reshape(shape),
        distance_px=distance_px,
        stride=stride,
    )


def _all_pairs(network: Network, points: Float[Tensor, "n d"], targets: Float[Tensor, "n c"], loss: Loss) -> Confusion:
    n = len(points)
    pairs = n * (n - 1) // 2
    require_memory(_BYTES_PER_PAIR * pairs, f"the confusion of all {pairs:,} pairs of {n:,} points")
    gradients = loss_gradients(network, points, targets, loss=loss)
    lengths, directions = lengths_of(gradients), _directions(loss_slopes(loss, gradients.outputs, targets))
    second = np.empty(pairs, np.int32)
    inner, cosine, residual = (np.empty(pairs, np.float32) for _ in range(3))
    numbers, done = np.arange(n, dtype=np.int32), 0
    for start, block in gradients.gram_blocks():
        products = block[0, :, 0]
        here = slice(start, start + len(products))
        cosines = cosines_of(products, lengths[here, None], lengths[start:])
        agreement = directions[here] @ directions[start:].T
        rows = zip(products.cpu().numpy(), cosines.cpu().numpy(), agreement.cpu().numpy(), strict=True)
        for row, (row_products, row_cosines, row_agreement) in enumerate(rows):
            after = slice(row + 1, None)  # only pairs with later points: each pair once, none with itself
            into = slice(done, done + n - start - row - 1)
            inner[into], cosine[into] = row_products[after], row_cosines[after]
            residual[into], second[into] = row_agreement[after], numbers[start + row + 1 :]
            done = into.stop
    first = np.repeat(numbers, numbers[::-1])
    zero = (lengths == 0).cpu().numpy()
    return Confusion(first, second, inner, cosine, residual.clip(-1, 1), zero[first] | zero[second])


def _groups(
    network: Network,
    points: Float[Tensor, "n d"],
    targets: Float[Tensor, "n c"],
    first: Int[Tensor, " pairs"],
    second: Int[Tensor, " pairs"],
    loss: Loss,
) -> Iterator[tuple[PointGradients, Float[Tensor, "m c"], Int[Tensor, " some"], Int[Tensor, " some"]]]:
    """Pairs in groups whose points' gradients fit in memory: gradients, slopes of the loss, indices of them."""
    most_points = max(2, GROUP_BYTES // bytes_per_point(network))
    size = max(1, len(first)) if len(points) <= most_points else most_points // 2
    for start in range(0, max(1, len(first)), size):
        members = torch.cat([first[start : start + size], second[start : start + size]])
        used, index = torch.unique(members, return_inverse=True)
        used, index = used.to(points.device), index.to(points.device)
        gradients = loss_gradients(network, points[used], targets[used], loss=loss)
        yield gradients, loss_slopes(loss, gradients.outputs, targets[used]), *index.chunk(2)


def _measured(
    gradients: PointGradients, slopes: Float[Tensor, "m c"], i: Int[Tensor, " pairs"], j: Int[Tensor, " pairs"]
) -> tuple[
    Float[np.ndarray, " pairs"],
    Float[np.ndarray, " pairs"],
    Float[np.ndarray, " pairs"],
    Bool[np.ndarray, " pairs"],
]:
    """Inner products, cosines, cosines of residuals, and where a gradient is zero, of pairs of a group's points."""
    lengths, directions = lengths_of(gradients), _directions(slopes)
    inner = gradients.inner_products(i, j)[0]
    agreement = (directions[i] * directions[j]).sum(-1).clamp(-1, 1)
    zero = (lengths[i] == 0) | (lengths[j] == 0)
    cosine = cosines_of(inner, lengths[i], lengths[j])
    return inner.cpu().numpy(), cosine.cpu().numpy(), agreement.cpu().numpy(), zero.cpu().numpy()


def lengths_of(gradients: PointGradients) -> Float[Tensor, " n"]:
    return gradients.squared_norms()[0].sqrt()


def _directions(slopes: Float[Tensor, "n c"]) -> Float[Tensor, "n c"]:
    """Rows scaled to length 1, or 0 where all is zero; by their largest entry first, as squares underflow."""
    largest = slopes.abs().amax(1, keepdim=True)
    scaled = slopes / torch.where(largest > 0, largest, 1.0)
    length = scaled.norm(dim=1, keepdim=True)
    return scaled / torch.where(length > 0, length, 1.0)


def cosines_of(
    products: Float[Tensor, "*pairs"], first: Float[Tensor, "*#pairs"], second: Float[Tensor, "*#pairs"]
) -> Float[Tensor, "*pairs"]:
    """Cosines from inner products and lengths, 0 where a length is 0; divided one after the other, as a product of two
    small lengths underflows."""
    one = first.new_ones(())
    return (products / torch.where(first > 0, first, one)).div_(torch.where(second > 0, second, one)).clamp_(-1.0, 1.0)


def _as_indices(points: Int[Tensor, " pairs"]) -> Int[np.ndarray, " pairs"]:
    return points.to(torch.int32).cpu().numpy()


def _distribution(cosines: Float[np.ndarray, " pairs"]) -> Distribution:
    if not len(cosines):
        return Distribution(0.0, 0.0, (0.0,) * len(QUANTILES), 0.0, 0.0)
    quantiles = tuple(map(float, np.quantile(cosines, QUANTILES)))
    return Distribution(
        mean=float(cosines.mean(dtype=np.float64)),
        standard_deviation=float(cosines.std(dtype=np.float64)),
        quantiles=quantiles,
        half_width=(quantiles[-1] - quantiles[0]) / 2,
        negative_share=float(np.mean(cosines < 0)),
    )
