"""Exact cells of a network of raw coordinates: the polygons on each of which it is one affine function.

Without an encoding that curves them, creases are straight within each cell of the layers before. So the window is cut
layer by layer: by the first layer's creases into convex polygons, each of these by the second layer's, and so on. All
is in float64. For the last layer the cells can be counted without being made.

Numba, which compiles the work (`analysis.arrangement`), takes a while to import, and most who import `analysis` do
without: the functions here import it when they are called.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt64

from configs.errors import InputError
from fields.encodings import RawEncoding

from .network import ReluNetwork
from .sampling import Progress

Window = tuple[float, float, float, float]
"""Lowest x and y, highest x and y."""

AT_CREASE = 1e-13
"""A vertex is on a neuron's crease when its pre-activation is at most this share of the sizes that were summed for it:
a few hundred times rounding, and far less than distances between creases."""

MERGED = 1e-12
"""Creases that meet an edge closer to each other than this share of the window's size meet it at one vertex."""

CHUNK_ROWS = 2048


@dataclass(frozen=True, eq=False)
class Layers:
    """Layers of a (leaky) ReLU network on the plane, in float64; the output layer is the last and has no activation."""

    weights: tuple[Float[np.ndarray, "_ _"], ...]
    """(outputs, inputs) of each layer; the first has two inputs."""
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
        if shapes[0][1] != 2:
            raise InputError(f"cells are of networks of two coordinates, and this one takes {shapes[0][1]}")
        if not all(np.isfinite(values).all() for values in (*self.weights, *self.biases)):
            raise InputError("the network has weights that are not finite, so it has no cells; its fit has diverged")

    @property
    def hidden(self) -> int:
        """How many layers have creases."""
        return len(self.weights) - 1


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
    """In square units of the coordinates; they sum to the window's."""
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
        # byte by byte, lowest bit first, in the order of neurons on any machine
        return np.unpackbits(
            np.ascontiguousarray(words, "<u8").view(np.uint8),
            axis=1,
            count=len(self.layers.biases[layer]),
            bitorder="little",
        ).astype(bool)

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
        from . import arrangement

        chosen = np.arange(len(self)) if cells is None else cells
        return arrangement.inscribed(self.offsets, self.corners, self.vertices, chosen)

    @property
    def edges(self) -> Int[np.ndarray, "edges 2"]:
        """The two vertices of each edge between cells or on the window's border."""
        return self._edges[0]

    @property
    def neighbours(self) -> Int[np.ndarray, "pairs 2"]:
        """The pairs of cells that share an edge."""
        beside = self._edges[1]
        return beside[beside[:, 1] >= 0]

    @cached_property
    def _edges(self) -> tuple[Int[np.ndarray, "edges 2"], Int[np.ndarray, "edges 2"]]:
        from . import arrangement

        _, ends, beside = arrangement.edges(self.offsets, self.corners, len(self.vertices))
        return ends, beside


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
    from . import arrangement

    layers = network if isinstance(network, Layers) else layers_of(network)
    corner_points = _corners(window)
    state = _State(corner_points, np.array([0, 4]), np.arange(4), corner_points, ())
    size = float(np.abs(corner_points).max() + np.ptp(corner_points, axis=0).max())
    counts, lengths = [], []
    parts = np.ones(1, np.int64)
    for layer in range(layers.hidden):
        last = layer == layers.hidden - 1
        state, parts, length = _cut(state, layers, layer, MERGED * size, build=build_last_layer or not last)
        counts.append(int(parts.sum()))
        lengths.append(length)
        if progress is not None:
            progress((layer + 1) / layers.hidden)
    if build_last_layer:
        counts[-1] = len(state.offsets) - 1
        parts = np.ones(counts[-1], np.int64)
    areas, centroids = arrangement.areas_and_centroids(state.offsets, state.corners, state.points)
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
    """The layers of a network of raw coordinates in float64, the interval of its coordinates made part of the first.

    Raises:
        InputError: when its encoding is not affine.
    """
    scale, shift = _affine_encoding(network)
    weights = [weight.detach().cpu().double().numpy() for weight in network.weights]
    biases = [bias.detach().cpu().double().numpy() for bias in network.biases]
    return Layers(
        weights=(weights[0] @ scale, *weights[1:]),
        biases=(biases[0] + weights[0] @ shift, *biases[1:]),
        negative_slope=network.negative_slope,
    )


def _affine_encoding(network: ReluNetwork) -> tuple[Float[np.ndarray, "f d"], Float[np.ndarray, " f"]]:
    """S and s of an encoding that is x -> S x + s."""
    if isinstance(network.encode, RawEncoding):
        low, high = network.encode.config.interval
        return (high - low) * np.eye(network.encode.features), np.full(network.encode.features, float(low))
    # Not one of ours: what it does to the corners and to points in between tells.
    x = torch.tensor([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5], [0.31, 0.83], [0.92, 0.17]], device=network.device)
    value = network.encode(x).detach().cpu().double().numpy()
    shift = value[0]
    scale = (value[1:3] - shift).T
    wrong = np.abs(x.cpu().double().numpy() @ scale.T + shift - value).max()
    if network.grid_resolutions or network.highest_frequency or not wrong <= 1e-5 * np.abs(value).max():
        raise InputError(
            "exact cells need straight creases, and this network's encoding curves them: use a run of raw coordinates "
            "(--encoding raw), or the densities of creases, which hold for any encoding"
        )
    return scale, shift


def _corners(window: Window) -> Float[np.ndarray, "4 2"]:
    left, top, right, bottom = window
    if not (np.isfinite(window).all() and left < right and top < bottom):
        raise InputError(f"a window is given by its lowest x and y and its highest x and y; got {window}")
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


@dataclass(frozen=True, eq=False)
class _State:
    """The cells of a network's first layers, and what these layers say at their corners."""

    points: Float[np.ndarray, "v 2"]
    offsets: Int[np.ndarray, " bounds"]
    corners: Int[np.ndarray, " sides"]
    h: Float[np.ndarray, "v inputs"]
    """Inputs of the next layer."""
    patterns: tuple[UInt64[np.ndarray, "cells _"], ...]


def _cut(
    state: _State, layers: Layers, layer: int, merge: float, *, build: bool
) -> tuple[_State, Int[np.ndarray, " cells"], float]:
    """The cells cut by one more layer if they are to be built, how many each is cut into, and the cuts' length."""
    from . import arrangement

    weight, bias = layers.weights[layer], layers.biases[layer]
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.abs(weight) @ np.maximum(state.h.max(0), -state.h.min(0)) + np.abs(bias)
    if not (sizes < np.finfo(np.float64).max / 4).all():  # nor does NaN pass
        raise InputError(f"pre-activations of hidden layer {layer + 1} overflow, so the network has no cells")
    tolerance = AT_CREASE * sizes
    old = len(state.h)
    # memory that is never written to costs nothing, so there is room for vertices to come
    room = np.empty((4 * old + 1024, len(bias)))
    z = _preactivations(state.h, weight, bias, room[:old])
    positive, negative = arrangement.classified(z, tolerance)
    edge_of_side, ends, _ = arrangement.edges(state.offsets, state.corners, len(state.points))
    start, neuron, vertex, new_points, share, edge = arrangement.crossings_of_edges(
        ends, state.points, z, positive, negative, merge
    )
    points = np.concatenate([state.points, new_points])
    parts, length, chords, meetings = arrangement.count_parts(
        state.offsets,
        state.corners,
        edge_of_side,
        ends,
        start,
        neuron,
        vertex,
        points,
        positive,
        negative,
        len(bias),
        merge,
    )
    if not build:
        return state, parts, length
    # Each cut adds a polygon and at most four corners, and each crossing is a corner of two polygons. Only rounding in
    # next to degenerate places could ask for more.
    cuts, crossings = chords + meetings, len(share)
    expected = np.array([len(parts) + cuts, len(state.corners) + 2 * crossings + 4 * cuts, 1024 + 16 * len(bias)])
    for spare in (1, 4, 16, 64):
        wanted = old + crossings + spare * (meetings + 1024)
        z = room if wanted <= len(room) else _with_room(z[:old], wanted)
        positive, negative, points = (_with_room(array, len(z)) for array in (positive, negative, points))
        arrangement.place_crossings(z, tolerance, positive, negative, ends, neuron, vertex, share, edge, old)
        offsets, corners, parent, pattern, vertices = arrangement.split(
            state.offsets,
            state.corners,
            edge_of_side,
            ends,
            start,
            vertex,
            points,
            z,
            positive,
            negative,
            old + crossings,
            tolerance,
            spare * expected + 1024,
        )
        if vertices >= 0:
            break
    else:
        raise RuntimeError(f"the cells of hidden layer {layer + 1} do not close: rounding outweighs the weights")
    z = z[:vertices]
    h = np.maximum(z, 0, out=z) if layers.negative_slope == 0 else np.where(z > 0, z, layers.negative_slope * z)
    patterns = (*(earlier[parent] for earlier in state.patterns), pattern)
    return _State(points[:vertices].copy(), offsets, corners, h, patterns), parts, length


def _preactivations(
    h: Float[np.ndarray, "v inputs"],
    weight: Float[np.ndarray, "width inputs"],
    bias: Float[np.ndarray, " width"],
    out: Float[np.ndarray, "v width"],
) -> Float[np.ndarray, "v width"]:
    """What a layer computes at some points, in chunks, so that the bias is added while they are in cache."""
    for first in range(0, len(h), CHUNK_ROWS):
        rows = out[first : first + CHUNK_ROWS]
        np.matmul(h[first : first + CHUNK_ROWS], weight.T, out=rows)
        rows += bias
    return out


def _with_room(array: np.ndarray, rows: int) -> np.ndarray:
    """A copy with room for more rows at the end."""
    larger = np.empty((rows, *array.shape[1:]), array.dtype)
    kept = min(rows, len(array))
    larger[:kept] = array[:kept]
    return larger
