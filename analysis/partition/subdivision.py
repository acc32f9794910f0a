"""A window cut into convex polygons on which the layers so far are affine, and the cut by one more layer.

What `exact_cells` and `interpolated_cells` have in common: they begin with different polygons. Layers are told apart
by what they say at the corners alone, so a polygon may be any convex one on which the inputs of the layer are affine.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from fieldlens.configs.errors import InputError

Window = tuple[float, float, float, float]
"""Lowest x and y, highest x and y."""

AT_CREASE = 1e-13
"""A vertex is on a neuron's crease when its pre-activation is at most this share of the sizes that were summed for it:
a few hundred times rounding, and far less than distances between creases."""

MERGED = 1e-12
"""Creases that meet an edge closer to each other than this share of the window's size meet it at one vertex."""

CHUNK_ROWS = 2048

DIRECT = 12
"""A vertex's pre-activations are found from those at the two vertices around it where fewer than one in this many of
the neurons change their sign between them; else as a product of all, which is faster by so much a neuron."""

NO_PAIRS = np.empty((0, 2), np.int64)


@dataclass(frozen=True, eq=False)
class Subdivision:
    """The cells of a network's first layers, and what these layers say at their corners."""

    points: Float[np.ndarray, "v 2"]
    offsets: Int[np.ndarray, " bounds"]
    corners: Int[np.ndarray, " sides"]
    h: Float[np.ndarray, "v inputs"]
    """Inputs of the next layer."""
    patterns: tuple[UInt64[np.ndarray, "cells _"], ...]
    """For each layer the neurons that are on in each polygon, as bits: neuron i is bit i % 64 of word i // 64."""
    positive: UInt64[np.ndarray, "v words"]
    """Where the last layer's neurons are positive, as bits; no words before the first layer."""
    negative: UInt64[np.ndarray, "v words"]
    """Where they are negative: neither is at a crease."""
    between: Int[np.ndarray, "new 2"]
    """The two vertices that each vertex which the last layer added, the last ones, lies between."""
    share: Float[np.ndarray, " new"]
    """How far along from the first to the second it lies."""
    negative_slope: float = 0.0
    """Slope of the last layer's activation where it is off."""


def uncut(
    points: Float[np.ndarray, "v 2"],
    offsets: Int[np.ndarray, " bounds"],
    corners: Int[np.ndarray, " sides"],
    inputs: Float[np.ndarray, "v inputs"],
) -> Subdivision:
    """Convex polygons before the first layer, on each of which its inputs are affine."""
    no_bits = np.empty((len(points), 0), np.uint64)
    return Subdivision(points, offsets, corners, inputs, (), no_bits, no_bits, NO_PAIRS, np.empty(0))


def window_corners(window: Window) -> Float[np.ndarray, "4 2"]:
    """The corners of a window.

    Raises:
        InputError: when it has no area.
    """
    left, top, right, bottom = window
    if not (np.isfinite(window).all() and left < right and top < bottom):
        raise InputError(f"a window is given by its lowest x and y and its highest x and y; got {window}")
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def unpacked(words: UInt64[np.ndarray, "cells _"], width: int) -> Bool[np.ndarray, "cells {width}"]:
    """Which of a layer's neurons are on, from the bits of a pattern."""
    # byte by byte, lowest bit first, in the order of neurons on any machine
    bits = np.ascontiguousarray(words, "<u8").view(np.uint8)
    return np.unpackbits(bits, axis=1, count=width, bitorder="little").astype(bool)


def merging_distance(window: Window) -> float:
    """How close to each other creases meet an edge of a window's cells at one vertex."""
    corners = window_corners(window)
    return MERGED * float(np.abs(corners).max() + np.ptp(corners, axis=0).max())


def cut(
    state: Subdivision,
    weight: Float[np.ndarray, "width inputs"],
    bias: Float[np.ndarray, " width"],
    negative_slope: float,
    merge: float,
    *,
    build: bool,
) -> tuple[Subdivision, Int[np.ndarray, " cells"], float]:
    """The cells cut by one more layer if they are to be built, how many each is cut into, and the cuts' length.

    Raises:
        InputError: when pre-activations overflow.
    """
    from . import arrangement

    layer = len(state.patterns)
    with np.errstate(over="ignore", invalid="ignore"):
        sizes = np.abs(weight) @ np.maximum(state.h.max(0), -state.h.min(0)) + np.abs(bias)
    if not (sizes < np.finfo(np.float64).max / 4).all():  # nor does NaN pass
        raise InputError(f"pre-activations of hidden layer {layer + 1} overflow, so the network has no cells")
    tolerance = AT_CREASE * sizes
    old = len(state.h)
    # memory that is never written to costs nothing, so there is room for vertices to come
    room = np.empty((4 * old + 1024, len(bias)))
    z = _preactivations(state, weight, bias, room[:old])
    positive, negative = arrangement.classified(z, tolerance)
    edge_of_side, ends, _ = arrangement.edges(state.offsets, state.corners, len(state.points))
    start, neuron, vertex, new_points, share, edge = arrangement.crossings_of_edges(
        ends, state.points, z, positive, negative, merge
    )
    points = np.concatenate([state.points, new_points])
    outlines = state.offsets, state.corners, edge_of_side, ends, start
    parts, length, chords, meetings = arrangement.count_parts(
        outlines, neuron, vertex, points, positive, negative, len(bias), merge
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
        between, shares = np.empty((len(z), 2), np.int64), np.empty(len(z))
        between[old : old + crossings], shares[old : old + crossings] = ends[edge], share
        arrangement.place_crossings(z, tolerance, positive, negative, ends, neuron, vertex, share, edge, old)
        written = points, z, positive, negative, between, shares
        offsets, corners, parent, pattern, vertices = arrangement.split(
            outlines, vertex, *written, old + crossings, tolerance, spare * expected + 1024
        )
        if vertices >= 0:
            break
    else:
        raise RuntimeError(f"the cells of hidden layer {layer + 1} do not close: rounding outweighs the weights")
    z = z[:vertices]
    h = np.maximum(z, 0, out=z) if negative_slope == 0 else np.where(z > 0, z, negative_slope * z)
    patterns = (*(earlier[parent] for earlier in state.patterns), pattern)
    cut_further = Subdivision(
        points[:vertices].copy(),
        offsets,
        corners,
        h,
        patterns,
        positive[:vertices].copy(),
        negative[:vertices].copy(),
        between[old:vertices].copy(),
        shares[old:vertices].copy(),
        negative_slope,
    )
    return cut_further, parts, length


def _preactivations(
    state: Subdivision,
    weight: Float[np.ndarray, "width inputs"],
    bias: Float[np.ndarray, " width"],
    out: Float[np.ndarray, "v width"],
) -> Float[np.ndarray, "v width"]:
    """What a layer computes at all vertices: by products, and for most new ones from what it says on both sides."""
    from . import arrangement

    known = len(state.h) - len(state.between)
    changes = arrangement.changes_between(state.positive, state.negative, state.between)
    few = changes * DIRECT < state.h.shape[1]
    columns = np.ascontiguousarray(weight.T)
    live = _live(state)
    _products(state.h[:known], live, columns, bias, out[:known])
    direct = known + np.flatnonzero(~few)
    out[direct] = _products(state.h[direct], live, columns, bias, np.empty((len(direct), len(bias))))
    arrangement.product_between(
        out, columns, state.h, state.positive, state.negative, state.between, state.share, known, np.flatnonzero(few)
    )
    return out


def _live(state: Subdivision) -> Int[np.ndarray, " live"]:
    """The inputs of the next layer that are not zero all over: after training, often fewer than half."""
    inputs = state.h.shape[1]
    if not state.patterns or state.negative_slope:
        return np.arange(inputs)
    return np.flatnonzero(unpacked(np.bitwise_or.reduce(state.positive, axis=0)[None], inputs)[0])


def _products(
    h: Float[np.ndarray, "n inputs"],
    live: Int[np.ndarray, " live"],
    columns: Float[np.ndarray, "inputs width"],
    bias: Float[np.ndarray, " width"],
    out: Float[np.ndarray, "n width"],
) -> Float[np.ndarray, "n width"]:
    """h W^T + b in chunks, so that the bias is added while they are in cache."""
    all_live = len(live) > 0.9 * h.shape[1]  # then picking them out costs more than it saves
    columns = columns if all_live else columns[live]
    for first in range(0, len(h), CHUNK_ROWS):
        rows, inputs = out[first : first + CHUNK_ROWS], h[first : first + CHUNK_ROWS]
        np.matmul(inputs if all_live else inputs.take(live, axis=1), columns, out=rows)
        rows += bias
    return out


def _with_room(array: np.ndarray, rows: int) -> np.ndarray:
    """A copy with room for more rows at the end."""
    larger = np.empty((rows, *array.shape[1:]), array.dtype)
    kept = min(rows, len(array))
    larger[:kept] = array[:kept]
    return larger
