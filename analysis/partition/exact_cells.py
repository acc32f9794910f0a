"""Exact cells of a network of raw coordinates: the polygons on each of which it is one affine function.

Without an encoding that curves them, creases are straight within each cell of the layers before. So the window is cut
layer by layer: by the first layer's creases into convex polygons, each of these by the second layer's, and so on. All
is in float64. For the last layer the cells can be counted without being made.

Numba, which compiles the work (`arrangement`), takes a while to import, and most who import `analysis` do
without: the functions here import it when they are called.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt64

from fieldlens.configs.errors import InputError

from ..networks.plane import in_double
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress
from .subdivision import Window, cut, merging_distance, uncut, unpacked, window_corners


@dataclass(frozen=True, eq=False)
class Layers:
    """Layers of a (leaky) ReLU network in float64; the output layer is the last and has no activation."""

    weights: tuple[Float[np.ndarray, "_ _"], ...]
    """(outputs, inputs) of each layer."""
    biases: tuple[Float[np.ndarray, " _"], ...]
    negative_slope: float = 0.0
    """Slope of the activation where z <= 0: 0 for ReLU."""

    def __post_init__(self) -> None:
        shapes = [weight.shape for weight in self.weights]
        fit = all(len(bias) == rows for bias, (rows, _) in zip(self.biases, shapes, strict=True)) and all(
            before[0] == after[1] for before, after in pairwise(shapes)
        )
        if len(shapes) < 2 or not fit:
            raise InputError(f"cells need layers that fit onto each other, a hidden one at least; got shapes {shapes}")
        if not all(np.isfinite(values).all() for values in (*self.weights, *self.biases)):
            raise InputError("the network has weights that are not finite, so it has no cells; its fit has diverged")

    @property
    def hidden(self) -> int:
        """How many layers have creases."""
        return len(self.weights) - 1

    @property
    def inputs(self) -> int:
        """How many numbers the first layer takes: two coordinates where cells are wanted."""
        return self.weights[0].shape[1]


@dataclass(frozen=True)
class CellCounts:
    """How many cells a window has, and how long the creases between them are, layer by layer."""

    count: int
    """Cells of the whole network."""
    count_per_layer: tuple[int, ...]
    """Cells of the network's first layer, first two layers, and so on up to all hidden layers."""
    length_per_layer: tuple[float, ...]
    """Length of the creases that each hidden layer adds, in units of the window's coordinates. Where several creases
    lie on one another they count once, for the first layer that has one there."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a window as convex polygons that share vertices, anticlockwise where y points up."""

    layers: Layers
    """The network they are of, from coordinates to output."""
    window: Window
    """What they cover."""
    counts: CellCounts
    """Numbers of cells and lengths of creases; of all hidden layers, whether built or not."""
    built_layers: int
    """Hidden layers by whose creases the polygons are cut: all, or all but the last."""
    vertices: Float[np.ndarray, "v 2"]
    """Coordinates of the corners."""
    offsets: Int[np.ndarray, " bounds"]
    """Cell k has the corners `corners[offsets[k]:offsets[k + 1]]`."""
    corners: Int[np.ndarray, " sides"]
    """Indices into `vertices`, cell after cell."""
    areas: Float[np.ndarray, " cells"]
    """Areas in square units of the coordinates; they sum to the window's."""
    centroids: Float[np.ndarray, "cells 2"]
    """Inside their cells, as cells are convex."""
    parts: Int[np.ndarray, " cells"]
    """Cells of the whole network that each polygon holds: 1, or more where the last layer was not built."""
    patterns: tuple[UInt64[np.ndarray, "cells _"], ...]
    """For each built layer the neurons that are on (z > 0) inside each cell, as bits: neuron i is bit i % 64 of word
    i // 64."""

    def __len__(self) -> int:
        """How many polygons there are."""
        return len(self.areas)

    def on(self, layer: int, cells: Int[np.ndarray, " chosen"] | None = None) -> Bool[np.ndarray, "chosen width"]:
        """Which neurons of a built hidden layer are on in each of some cells, or in all."""
        words = self.patterns[layer] if cells is None else self.patterns[layer][cells]
        return unpacked(words, len(self.layers.biases[layer]))

    def affine(
        self, cells: Int[np.ndarray, " chosen"]
    ) -> tuple[Float[np.ndarray, "chosen outputs 2"], Float[np.ndarray, "chosen outputs"]]:
        """A and b of the output layer's A x + b on each of some cells; before the sigmoid, where the output has one.

        Raises:
            ValueError: when the last layer was not built: its neurons then change inside the polygons.
        """
        if self.built_layers < self.layers.hidden:
            raise ValueError("the network is not affine on cells whose last layer was not built")
        pieces = np.zeros((len(cells), 2, 3))  # rows of [A b], from the coordinates to each layer
        pieces[:, 0, 0] = pieces[:, 1, 1] = 1
        for layer, (weight, bias) in enumerate(zip(self.layers.weights, self.layers.biases, strict=True)):
            pieces = weight @ pieces
            pieces[:, :, 2] += bias
            if layer < self.layers.hidden:
                pieces *= np.where(self.on(layer, cells), 1.0, self.layers.negative_slope)[:, :, None]
        return pieces[:, :, :2], pieces[:, :, 2]

    def inscribed_circles(
        self, cells: Int[np.ndarray, " chosen"] | None = None
    ) -> tuple[Float[np.ndarray, "chosen 2"], Float[np.ndarray, " chosen"]]:
        """Centre and radius of the largest circle in each of some cells, or in all (Chebyshev centre)."""
        from . import polygons

        chosen = np.arange(len(self)) if cells is None else cells
        return polygons.inscribed(self.offsets, self.corners, self.vertices, chosen)

    @property
    def edges(self) -> Int[np.ndarray, "edges 2"]:
        """The two vertices of each edge between cells or on the window's border."""
        return self._edges[0]

    @property
    def neighbours(self) -> Int[np.ndarray, "pairs 2"]:
        """The pairs of cells that share an edge."""
        beside = self._edges[1]
        return beside[beside[:, 1] >= 0]

    @property
    def edge_layers(self) -> Int[np.ndarray, " edges"]:
        """The hidden layer, from 0, whose crease each edge is; -1 on the window's border.

        Where several creases lie on one another it is the first layer that has one there.
        """
        return first_layer_that_differs(self.patterns, self._edges[1])

    @cached_property
    def _edges(self) -> tuple[Int[np.ndarray, "edges 2"], Int[np.ndarray, "edges 2"]]:
        from . import arrangement

        _, ends, beside = arrangement.edges(self.offsets, self.corners, len(self.vertices))
        return ends, beside


def first_layer_that_differs(
    patterns: tuple[UInt64[np.ndarray, "cells _"], ...], beside: Int[np.ndarray, "edges 2"]
) -> Int[np.ndarray, " edges"]:
    """The first layer whose pattern is another on both sides of an edge; -1 where there is nothing on one side."""
    layers = np.full(len(beside), -1, np.int64)
    inside = np.flatnonzero(beside[:, 1] >= 0)
    a, b = beside[inside].T
    for layer in reversed(range(len(patterns))):
        layers[inside[(patterns[layer][a] != patterns[layer][b]).any(1)]] = layer
    return layers


def cells(
    network: ReluNetwork | Layers,
    window: Window = (0.0, 0.0, 1.0, 1.0),
    *,
    build_last_layer: bool = True,
    progress: Progress | None = None,
) -> Cells:
    """The cells of a network in a window, exactly.

    A cell is a connected set of points at which the same neurons are on; it is convex. A neuron that is zero all over
    a cell is off there, and whatever is flat along a crease makes no further one.

    Args:
        window: in the network's own coordinates: image coordinates for a `ReluNetwork`.
        build_last_layer: False leaves the last layer's creases out of the polygons and counts its cells only, which
            takes less time and memory.

    Raises:
        InputError: when the network curves its creases by an encoding, takes other than two coordinates, has weights
            that are not finite or overflow; or for a window without area.
    """
    from . import polygons

    layers = network if isinstance(network, Layers) else layers_of(network)
    if layers.inputs != 2:
        raise InputError(f"cells are of networks of two coordinates, and this one takes {layers.inputs}")
    corner_points = window_corners(window)
    state = uncut(corner_points, np.array([0, 4]), np.arange(4), corner_points)
    merge = merging_distance(window)
    counts, lengths = [], []
    parts = np.ones(1, np.int64)
    for layer in range(layers.hidden):
        build = build_last_layer or layer < layers.hidden - 1
        state, parts, length = cut(
            state, layers.weights[layer], layers.biases[layer], layers.negative_slope, merge, build=build
        )
        counts.append(int(parts.sum()))
        lengths.append(length)
        if progress is not None:
            progress((layer + 1) / layers.hidden)
    if build_last_layer:
        counts[-1] = len(state.offsets) - 1
        parts = np.ones(counts[-1], np.int64)
    areas, centroids = polygons.areas_and_centroids(state.offsets, state.corners, state.points)
    return Cells(
        layers=layers,
        window=window,
        counts=CellCounts(counts[-1], tuple(counts), tuple(lengths)),
        built_layers=layers.hidden if build_last_layer else layers.hidden - 1,
        vertices=state.points,
        offsets=state.offsets,
        corners=state.corners,
        areas=areas,
        centroids=centroids,
        parts=parts,
        patterns=state.patterns,
    )


def count_cells(network: ReluNetwork | Layers, window: Window = (0.0, 0.0, 1.0, 1.0)) -> CellCounts:
    """How many cells a network has in a window, exactly, in all and layer by layer, and the lengths of its creases.

    Chords of a convex polygon cut it into 1 + chords + points inside at which they meet (counted once for each chord
    through it but the first), so the last layer, the largest, is not built. Raises `InputError` as `cells` does.
    """
    return cells(network, window, build_last_layer=False).counts


def layers_of(network: ReluNetwork) -> Layers:
    """The layers of a network of two coordinates in float64, an affine encoding made part of the first.

    Raises:
        InputError: when its encoding is not affine.
    """
    check_coordinates(network)
    scale, shift = _needed_affine_encoding(network)
    behind = layers_behind_encoding(network)
    return Layers(
        weights=(behind.weights[0] @ scale, *behind.weights[1:]),
        biases=(behind.biases[0] + behind.weights[0] @ shift, *behind.biases[1:]),
        negative_slope=network.negative_slope,
    )


def check_coordinates(network: ReluNetwork) -> None:
    """Raise for a network that does not take two coordinates, or whose weights are not finite.

    Raises:
        InputError: for either.
    """
    features = in_double(network.encode)(torch.zeros(1, 2, dtype=torch.float64, device=network.device)).shape[1]
    if features != layers_behind_encoding(network).inputs:
        raise InputError(
            "cells are of networks of two coordinates; look at this one on a plane (fieldlens.analysis.on_plane)"
        )


def layers_behind_encoding(network: ReluNetwork) -> Layers:
    """The layers of a network in float64, from its features to its output."""
    return Layers(
        weights=tuple(weight.detach().cpu().double().numpy() for weight in network.weights),
        biases=tuple(bias.detach().cpu().double().numpy() for bias in network.biases),
        negative_slope=network.negative_slope,
    )


def is_affine(network: ReluNetwork) -> bool:
    """Whether a network of two coordinates has an encoding that leaves its creases straight."""
    return affine_encoding(network) is not None


def _needed_affine_encoding(network: ReluNetwork) -> tuple[Float[np.ndarray, "f 2"], Float[np.ndarray, " f"]]:
    affine = affine_encoding(network)
    if affine is None:
        raise InputError(
            "exact cells need straight creases, and this network's encoding curves them: use a run of raw coordinates "
            "(--encoding raw), surrogate_cells, or the densities of creases, which hold for any encoding"
        )
    return affine


def affine_encoding(network: ReluNetwork) -> tuple[Float[np.ndarray, "f 2"], Float[np.ndarray, " f"]] | None:
    """S and s of an encoding of two coordinates that is x -> S x + s: what it does to a few points tells."""
    if network.grid_resolutions or network.highest_frequency:
        return None
    x = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5], [0.31, 0.83], [0.92, 0.17]], dtype=torch.float64)
    value = in_double(network.encode)(x.to(network.device)).detach().cpu().numpy()
    shift = value[0]
    scale = (value[1:3] - shift).T
    wrong = np.abs(x.numpy() @ scale.T + shift - value).max()
    return (scale, shift) if wrong <= 1e-5 * np.abs(value).max() else None
