"""What weights alone say: norms of matrices, angles between neurons, and sizes of cells in the layers' own spaces.

These are the quantities in which Lazzari & Liu (arXiv 2301.05816) describe a network. None of them is measured in the
picture: a spectral norm leaves the encoding out, a distance divided by |W_i| is one in the space of the layer before,
and points drawn from the cube of all features lie off the surface on which an encoding puts the picture. Lengths in
the picture are in `nearest_crease` and slopes in `slopes`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import linprog
from torch import Tensor

from fieldlens.configs.errors import InputError

from ..detail.statistics import QUANTILES
from .relu_network import ReluNetwork
from .sampling import Progress, centre_chunks, chunk_points, map_shape


def spectral_norms(network: ReluNetwork) -> Float[np.ndarray, " layers"]:
    """Largest singular value of each weight matrix, the output layer's last.

    Their product bounds how much the output changes per unit of change in the features, loosely: each layer would have
    to stretch most in just the direction in which the one before it does. Of fourier:L a unit of the picture is a way
    of up to 2^(L-1) pi in feature space, which the product does not know.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    return np.array([float(torch.linalg.matrix_norm(weight.double(), ord=2)) for weight in network.weights])


def stable_ranks(network: ReluNetwork) -> Float[np.ndarray, " layers"]:
    """|W|_F^2 / |W|_2^2 of each weight matrix, the output layer's last; NaN for a matrix of zeros.

    It lies between 1 and the rank, and unlike the rank it is not moved by directions that are there and do nothing
    (Rudelson & Vershynin 2007, arXiv math/0503442).

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    values = [torch.linalg.svdvals(weight.double()).square() for weight in network.weights]
    return np.array([float(squares.sum() / squares[0]) for squares in values])


@dataclass(frozen=True)
class Angles:
    """Cosines between the weight rows of the pairs of different neurons of one hidden layer."""

    mean: float
    """Mean over pairs; 0 for independent directions, 1 where all are parallel. NaN without a pair."""
    quantiles: tuple[float, ...]
    """Quantiles of the pairs' cosines, at `QUANTILES`; NaN without a pair."""
    zero_rows: int
    """Neurons without any weight, which have no direction and are left out."""


def neuron_angles(network: ReluNetwork) -> tuple[Angles, ...]:
    """Angles within each hidden layer; between layers there are none, as their rows live in different spaces.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    return tuple(_angles(neuron_cosines(network, layer)) for layer in range(len(network.width_per_layer)))


def neuron_cosines(network: ReluNetwork, layer: int) -> Float[np.ndarray, "width width"]:
    """Cosines between the weight rows of all neurons of a hidden layer, from 0; NaN where a row is zero.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    weight = network.weights[:-1][layer].double()
    # first by the largest number: squares of very small ones would vanish
    rows = weight / weight.abs().amax(1, keepdim=True)
    rows = rows / rows.norm(dim=1, keepdim=True)
    return (rows @ rows.T).clamp(-1, 1).cpu().numpy()


def _angles(cosines: Float[np.ndarray, "width width"]) -> Angles:
    directed = ~np.isnan(np.diagonal(cosines))
    kept = cosines[directed][:, directed]
    pairs = kept[np.triu_indices(len(kept), 1)]
    if not pairs.size:
        return Angles(float("nan"), (float("nan"),) * len(QUANTILES), int((~directed).sum()))
    return Angles(float(pairs.mean()), tuple(float(q) for q in np.quantile(pairs, QUANTILES)), int((~directed).sum()))


@dataclass(frozen=True, eq=False)
class Narrowness:
    """Mean over pixels of the least |z_i| / |W_i|: how near the nearest hyperplane is, in the layers' input spaces."""

    per_layer: Float[np.ndarray, " layers"]
    """Over the neurons of each hidden layer; infinite where all its weights are zero."""
    overall: float
    """The least over all layers at each pixel, as Lazzari & Liu plot it. It compares lengths of different spaces."""


@torch.inference_mode()
def region_narrowness(
    network: ReluNetwork, height: int, width: int, *, stride: int = 1, progress: Progress | None = None
) -> Narrowness:
    """The authors' distance to the nearest border of a region, over the pixels of a picture of that size.

    It is no length in the picture: in the first layer it is one in feature space, later one in the space of the layer
    before. `nearest_crease` has the distance in the picture, which can order encodings the other way round.

    Raises:
        InputError: when the network has weights that are not finite.
    """
    network.require_finite()
    norms = [weight.norm(dim=1) for weight in network.weights[:-1]]
    pixels, sums, overall = int(np.prod(map_shape(height, width, stride))), np.zeros(len(norms)), 0.0
    points = chunk_points(max(network.width_per_layer))
    for _, x in centre_chunks(height, width, stride, points, network.device, progress):
        nearest = torch.stack(
            [_least_ratio(z, norm) for z, norm in zip(network.preactivations(x), norms, strict=True)]
        ).double()
        sums += nearest.sum(1).cpu().numpy()
        overall += float(nearest.amin(0).sum())
    return Narrowness(sums / pixels, overall / pixels)


def _least_ratio(z: Float[Tensor, "n width"], norm: Float[Tensor, " width"]) -> Float[Tensor, " n"]:
    # a neuron without weights has no hyperplane, not even where z = 0
    return torch.where(norm > 0, z.abs() / norm, torch.inf).amin(-1)


def first_layer_inspheres(
    network: ReluNetwork, points: int, generator: torch.Generator, *, progress: Progress | None = None
) -> Float[np.ndarray, " points"]:
    """Radii of the largest balls in first-layer cells around random points of feature space, as the authors measure it.

    A point is drawn evenly from the cube [-1, 1]^f of all features. Its cell is what the first layer's hyperplanes
    leave of the cube around it, and the ball (Chebyshev's) is found by a linear programme:

        maximise r  where  s_i (W_i . c + b_i) >= |W_i| r  for each neuron,  |c_j| <= 1 - r  for each feature

    with s_i the sign of z_i at the point. The points are off the surface of encoded pixels, where each sine and cosine
    of an angle have squares that sum to 1, and they fill the whole cube even where an encoding fills a part of it. A
    radius in f dimensions grows with f all by itself.

    Args:
        generator: of the random points, on the CPU.

    Raises:
        InputError: for a hash grid, or raw coordinates on a wider interval, whose features are not within [-1, 1]; or
            when the network has weights that are not finite.
    """
    network.require_finite()
    corners = torch.cartesian_prod(*[torch.linspace(0, 1, 9, device=network.device)] * 2)
    if network.grid_resolutions or network.encode(corners).abs().max() > 1 + 1e-5:
        raise InputError("inspheres are of features within [-1, 1], such as sines and cosines; this encoding's are not")
    weight, bias = (tensors[0].double().cpu().numpy() for tensors in (network.weights, network.biases))
    norms = np.linalg.norm(weight, axis=1)
    features = weight.shape[1]
    cube = np.concatenate([np.eye(features), -np.eye(features)])
    samples = torch.rand(points, features, generator=generator, dtype=torch.float64).numpy() * 2 - 1
    radii = np.empty(points)
    for index, sample in enumerate(samples):
        signs = np.where(weight @ sample + bias > 0, 1.0, -1.0)
        walls = np.concatenate([-signs[:, None] * weight, cube])
        radii[index] = _chebyshev_radius(
            np.column_stack([walls, np.concatenate([norms, np.ones(2 * features)])]),
            np.concatenate([signs * bias, np.ones(2 * features)]),
        )
        if progress is not None:
            progress((index + 1) / points)
    return radii


def _chebyshev_radius(walls: Float[np.ndarray, "walls variables"], reach: Float[np.ndarray, " walls"]) -> float:
    """Largest r with walls @ (c, r) <= reach."""
    objective = np.zeros(walls.shape[1])
    objective[-1] = -1
    solved = linprog(objective, walls, reach, bounds=(None, None), method="highs")
    if not solved.success:
        raise RuntimeError(f"the linear programme of an insphere has no solution: {solved.message}")
    return max(0.0, float(-solved.fun))
