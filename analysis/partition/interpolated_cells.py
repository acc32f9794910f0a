"""Cells of networks whose encoding curves their creases, by way of the encoding's piecewise-linear interpolant.

The window is covered by a mesh of triangles, and on each the encoding g is replaced by the affine function g_h that
agrees with it at the corners. As g_h is continuous, f o g_h is a continuous piecewise affine network whose cells
`subdivision` finds exactly, beginning with the triangles. The mesh's own lines are seams and no creases:
pieces on both sides of one at which the same neurons are on are one cell. A crease crosses a seam without a jump.

A wave with wave vector w differs from its interpolant on right triangles with legs h by at most

    |g - g_h| <= (|w_x| + |w_y|)^2 h^2 / 8

which for `fourier:L` is (2^(L-1) pi)^2 h^2 / 8. That chooses the first pitch h; from there on h is halved until the
number of cells settles. In a hash grid's squares g is bilinear, and so linear along every line that is parallel to
an axis: with the lines of all levels among those of the mesh, f o g_h is f on all lines of it but the diagonals.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt64
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fieldlens.configs.errors import InputError

from ..creases.density import crease_density
from ..detail.verdicts import percent
from ..networks.plane import Plane, in_double, on_plane
from ..networks.relu_network import ReluNetwork
from ..networks.sampling import Progress
from .exact_cells import (
    CellCounts,
    Layers,
    check_coordinates,
    first_layer_that_differs,
    is_affine,
    layers_behind_encoding,
)
from .subdivision import Subdivision, Window, cut, merging_distance, uncut, unpacked, window_corners

FEATURE_ERROR = 0.01
"""How far a feature, a wave between -1 and 1, may be from its interpolant on the first mesh."""

MAX_CELLS = 100_000
"""Cells of a window by default: some ten seconds for 4x256 on two cores, and a gigabyte."""

HALVINGS = 4
"""How often the first pitch is halved at most: 256 times as many triangles."""

SAMPLES = 48
"""Points along the longer side of a window at which its crease density is measured to foresee its number of cells."""


class TooManyCellsError(InputError):
    """A window that would hold more cells than the limit."""

    def __init__(self, sentence: str, foreseen: float, shrink: float) -> None:
        super().__init__(sentence)
        self.foreseen = foreseen
        """About how many it would hold, or how many triangles to begin with."""
        self.shrink = shrink
        """A window around the same middle, with sides this many times as long, would do."""


@dataclass(frozen=True, eq=False)
class SurrogateCells:
    """Cells of a network composed with its encoding's interpolant, as unions of convex pieces that share vertices."""

    layers: Layers
    """The network behind its encoding, from features to output."""
    window: Window
    """What the cells cover."""
    counts: CellCounts
    """Numbers of cells and lengths of creases, without the mesh's seams."""
    tolerance: float
    """The change at which refining ended."""
    pitches: tuple[float, ...]
    """Widest legs of the meshes that were tried, each half the one before; the cells are of the last."""
    count_per_pitch: tuple[int, ...]
    """How many cells each of them gave."""
    vertices: Float[np.ndarray, "v 2"]
    """Coordinates of the pieces' corners."""
    offsets: Int[np.ndarray, " bounds"]
    """Piece k has the corners `corners[offsets[k]:offsets[k + 1]]`."""
    corners: Int[np.ndarray, " sides"]
    """Indices into `vertices`, piece after piece."""
    cell: Int[np.ndarray, " pieces"]
    """The cell that each piece is of."""
    areas: Float[np.ndarray, " cells"]
    """Areas in square units of the coordinates; they sum to the window's."""
    points: Float[np.ndarray, "cells 2"]
    """A point in each cell, the centroid of its largest piece: cells need not be convex."""
    patterns: tuple[UInt64[np.ndarray, "cells _"], ...]
    """For each layer the neurons that are on in each cell, as bits: neuron i is bit i % 64 of word i // 64."""
    edges: Int[np.ndarray, "edges 2"]
    """The two vertices of each edge between different cells or on the window's border: what is to be drawn."""
    edge_layers: Int[np.ndarray, " edges"]
    """The hidden layer, from 0, whose crease each edge is, the first if there are several; -1 on the border."""
    neighbours: Int[np.ndarray, "pairs 2"]
    """The pairs of cells that share an edge, the lower index first, each pair once."""

    def __len__(self) -> int:
        """How many cells there are."""
        return len(self.areas)

    @property
    def pitch(self) -> float:
        """Widest legs of the triangles of the mesh."""
        return self.pitches[-1]

    @property
    def change(self) -> float:
        """By what share the last halving of the pitch changed the number of cells; infinite where there was none."""
        return _change(self.count_per_pitch)

    def on(self, layer: int, cells: Int[np.ndarray, " chosen"] | None = None) -> Bool[np.ndarray, "chosen width"]:
        """Which neurons of a hidden layer are on in each of some cells, or in all."""
        words = self.patterns[layer] if cells is None else self.patterns[layer][cells]
        return unpacked(words, len(self.layers.biases[layer]))


def surrogate_cells(
    network: ReluNetwork,
    window: Window,
    *,
    tolerance: float = 0.02,
    max_cells: int = MAX_CELLS,
    progress: Progress | None = None,
) -> SurrogateCells:
    """The cells of a network with sin/cos features or a hash grid in a window, with the encoding interpolated.

    The mesh is refined until halving its pitch changes the number of cells by at most `tolerance`, a share.

    Args:
        window: in the network's own coordinates: image coordinates for a field's.
        max_cells: windows that would hold more are refused before anything is cut.

    Raises:
        TooManyCellsError: an `InputError`, for a window that would hold more, as its crease density foresees.
        InputError: when the count does not settle, for an encoding of unknown frequency, or as `cells` does.
    """
    window_corners(window)  # what is no window, or no network, is refused before it is measured
    check_coordinates(network)
    if not tolerance > 0:
        raise InputError(f"the tolerance of a number of cells is a share above 0; got {tolerance}")
    if max_cells < 10:
        raise InputError(f"the limit of cells (--max-cells) is at least 10; got {max_cells}")
    _refuse_too_many(network, window, max_cells)
    axes = mesh_axes(network, window)
    counts: list[int] = []
    pitches: list[float] = []
    for _ in range(HALVINGS + 1):
        found = interpolated_cells(network, axes)
        counts.append(len(found))
        pitches.append(found.pitch)
        if progress is not None:
            progress(min(0.9, 1 - 0.5 ** len(counts)))
        if _change(counts) <= tolerance:
            if progress is not None:
                progress(1.0)
            return replace(found, tolerance=tolerance, pitches=tuple(pitches), count_per_pitch=tuple(counts))
        if 2 * len(axes[0]) * len(axes[1]) > 4 * max_cells:
            break
        axes = _halved(axes[0]), _halved(axes[1])
    raise InputError(
        f"the number of cells still changes by {percent(_change(counts))} at a pitch of {pitches[-1]:.3g} "
        f"({', '.join(f'{count:,}' for count in counts)} cells), more than the tolerance of {percent(tolerance)}: "
        "choose a smaller window or a larger tolerance"
    )


def interpolated_cells(
    network: ReluNetwork, axes: tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " rows"]]
) -> SurrogateCells:
    """The cells of a network whose encoding is interpolated on the mesh with lines at given, rising x and y.

    Each rectangle of the mesh is two triangles. Exact for the interpolant, whatever the mesh.

    Raises:
        InputError: as `surrogate_cells` does, but for the number of cells.
    """
    from . import arrangement, polygons

    x, y = axes
    window = (float(x[0]), float(y[0]), float(x[-1]), float(y[-1]))
    check_coordinates(network)
    layers = layers_behind_encoding(network)
    state = _triangles(network, axes)
    counts, lengths = [], []
    cell = np.zeros(len(state.offsets) - 1, np.int64)
    ends = beside = np.empty((0, 2), np.int64)
    for layer in range(layers.hidden):
        state, _, _ = cut(
            state,
            layers.weights[layer],
            layers.biases[layer],
            layers.negative_slope,
            merging_distance(window),
            build=True,
        )
        _, ends, beside = arrangement.edges(state.offsets, state.corners, len(state.points))
        cell = _without_seams(state, beside)
        counts.append(int(cell.max()) + 1)
        lengths.append(_length_between(state, cell, ends, beside))
    pieces, centroids = polygons.areas_and_centroids(state.offsets, state.corners, state.points)
    largest = np.lexsort((pieces, cell))[np.cumsum(np.bincount(cell)) - 1]
    inside = beside[:, 1] >= 0
    apart = ~inside | (cell[beside[:, 0]] != cell[beside[:, 1]])
    return SurrogateCells(
        layers=layers,
        window=window,
        counts=CellCounts(counts[-1], tuple(counts), tuple(np.diff(lengths, prepend=0.0).clip(0).tolist())),
        tolerance=math.inf,
        pitches=(float(max(np.diff(x).max(), np.diff(y).max())),),
        count_per_pitch=(counts[-1],),
        vertices=state.points,
        offsets=state.offsets,
        corners=state.corners,
        cell=cell,
        areas=np.bincount(cell, pieces),
        points=centroids[largest],
        patterns=tuple(words[largest] for words in state.patterns),
        edges=ends[apart],
        edge_layers=first_layer_that_differs(state.patterns, beside[apart]),
        neighbours=np.unique(np.sort(cell[beside[apart & inside]], axis=1), axis=0),
    )


def mesh_axes(network: ReluNetwork, window: Window) -> tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " rows"]]:
    """The lines of the first mesh of a window: of the pitch at which features are right to 1 %, or of a hash grid.

    Raises:
        InputError: for an encoding that is not affine and does not tell its highest frequency.
    """
    left, top, right, bottom = window
    if network.grid_resolutions:
        return _grid_lines(network, left, right), _grid_lines(network, top, bottom)
    steep = largest_wave_number(network)
    if steep == 0 and not is_affine(network):
        raise InputError(
            "this network's encoding does not tell how fast its waves are: give the ReluNetwork its highest_frequency, "
            "in cycles per unit"
        )
    pitch = math.sqrt(8 * FEATURE_ERROR) / steep if steep else math.inf
    return _even(left, right, pitch), _even(top, bottom, pitch)


def largest_wave_number(network: ReluNetwork) -> float:
    """|w_x| + |w_y| of the features' fastest wave, in radians per unit; for encodings not our own a bound."""
    form = network.closed_form
    if form is None:
        return 2 * math.pi * math.sqrt(2) * network.highest_frequency
    return max(form.rates.abs().sum(1).tolist(), default=0.0)


def foreseen_cells(network: ReluNetwork, window: Window) -> tuple[float, float]:
    """How many creases enter a window and how often they meet in it, were they straight lines thrown at random.

    Lines of length lambda per area enter a convex window lambda P / pi times for a border of length P, and two of them
    meet lambda^2 / pi times per area; a window has one cell more than the sum. lambda is the mean co-area density.
    """
    left, top, right, bottom = window
    wide, high = right - left, bottom - top
    side = max(wide, high)
    rows, columns = (max(1, round(SAMPLES * length / side)) for length in (high, wide))
    plane = Plane(origin=(left, top), u=(side, 0.0), v=(0.0, side))
    # seen from as near as this, the window is a picture of SAMPLES pixels; the band must be flat for the fastest wave
    zoomed = on_plane(replace(network, grid_resolutions=()), plane)
    half_width = min(0.5, 0.25 * SAMPLES / max(largest_wave_number(network) * side, 1e-9))
    density = crease_density(zoomed, rows, columns, half_width_px=half_width)
    per_unit = float(density.length.sum(0).mean()) * max(rows, columns) / side
    return per_unit * 2 * (wide + high) / math.pi, per_unit**2 * wide * high / math.pi


def _refuse_too_many(network: ReluNetwork, window: Window, max_cells: int) -> None:
    """Raise for a window that would hold too many cells, and name one around the same middle that would not."""
    shrink, first = 1.0, None
    for _ in range(30):
        smaller = _around_middle(window, shrink)
        x, y = mesh_axes(network, smaller)
        entering, meeting = foreseen_cells(network, smaller)
        cells, triangles = 1 + entering + meeting, 2.0 * (len(x) - 1) * (len(y) - 1)
        if not math.isfinite(cells):
            return  # float32 overflows; whether float64 does too, cutting tells
        first = first or max(cells, triangles)
        if max(cells, triangles) <= max_cells:
            break
        # a window s times as long and wide holds about 1 + s entering + s^2 meeting cells
        fits = (math.sqrt(entering**2 + 4 * meeting * max_cells) - entering) / (2 * meeting) if meeting else 1.0
        shrink *= 0.95 * min(fits, math.sqrt(max_cells / triangles), 1.0)
    if shrink < 1:
        left, top, right, bottom = _around_middle(window, shrink)
        raise TooManyCellsError(
            f"this window would hold about {first:,.0f} cells and the limit is {max_cells:,}: "
            f"choose one of about {right - left:.2g} x {bottom - top:.2g}, or raise max_cells",
            first or math.inf,
            shrink,
        )


def _around_middle(window: Window, share: float) -> Window:
    left, top, right, bottom = window
    dx, dy = (right - left) * (1 - share) / 2, (bottom - top) * (1 - share) / 2
    return left + dx, top + dy, right - dx, bottom - dy


def _triangles(
    network: ReluNetwork, axes: tuple[Float[np.ndarray, " columns"], Float[np.ndarray, " rows"]]
) -> Subdivision:
    """The mesh, with the features at its points."""
    x, y = axes
    points = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    with torch.inference_mode():
        features = in_double(network.encode)(torch.from_numpy(points).to(network.device)).cpu().numpy()
    index = np.arange(len(points)).reshape(len(y), len(x))
    a, b, c, d = (part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    corners = np.stack([a, b, c, a, c, d], 1).ravel()
    return uncut(points, np.arange(0, len(corners) + 1, 3), corners, np.ascontiguousarray(features))


def _without_seams(state: Subdivision, beside: Int[np.ndarray, "edges 2"]) -> Int[np.ndarray, " pieces"]:
    """The cell of each piece: pieces with an edge in common at which no neuron changes are one."""
    one, other = beside[beside[:, 1] >= 0].T
    alike = np.ones(len(one), bool)
    for words in state.patterns:
        alike &= (words[one] == words[other]).all(1)
    pieces = len(state.offsets) - 1
    joined = coo_array((np.ones(alike.sum(), np.int8), (one[alike], other[alike])), shape=(pieces, pieces))
    return connected_components(joined, directed=False)[1].astype(np.int64)


def _length_between(
    state: Subdivision,
    cell: Int[np.ndarray, " pieces"],
    ends: Int[np.ndarray, "edges 2"],
    beside: Int[np.ndarray, "edges 2"],
) -> float:
    """Length of all edges between different cells."""
    apart = (beside[:, 1] >= 0) & (cell[beside[:, 0]] != cell[beside[:, 1]])
    steps = state.points[ends[apart, 1]] - state.points[ends[apart, 0]]
    return float(np.linalg.norm(steps, axis=1).sum())


def _change(counts: list[int] | tuple[int, ...]) -> float:
    return abs(counts[-1] - counts[-2]) / counts[-1] if len(counts) > 1 else math.inf


def _even(low: float, high: float, pitch: float) -> Float[np.ndarray, " lines"]:
    return np.linspace(low, high, 1 + max(1, math.ceil((high - low) / pitch)))


def _grid_lines(network: ReluNetwork, low: float, high: float) -> Float[np.ndarray, " lines"]:
    """A hash grid's lines of all levels that lie between two ends, and the ends."""
    lines = [np.arange(math.floor(low * r), math.ceil(high * r) + 1) / r for r in network.grid_resolutions]
    inner = np.unique(np.concatenate(lines))
    apart = 1e-9 * (high - low)  # levels share lines, which rounding may tell apart
    inner = inner[(inner > low + apart) & (inner < high - apart)]
    return np.concatenate([[low], inner[np.diff(inner, prepend=low) > apart], [high]])


def _halved(lines: Float[np.ndarray, " lines"]) -> Float[np.ndarray, " more"]:
    return np.sort(np.concatenate([lines, (lines[1:] + lines[:-1]) / 2]))
