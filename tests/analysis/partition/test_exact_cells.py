"""Exact cells: drawn on paper, counted by others, and checked against the network that they are of."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import regioncam
import scipy.optimize
import shapely
import torch
from torch import nn

from fieldlens.analysis import ReluNetwork, crease_density, refined_crossings, relu_network
from fieldlens.analysis.partition.exact_cells import CellCounts, Cells, Layers, Window, cells, count_cells, layers_of
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import parse_network
from fieldlens.fields import build

SQUARE: Window = (-1.0, -1.0, 1.0, 1.0)


def drawn(*layers: tuple[Sequence[Sequence[float]], Sequence[float]], negative_slope: float = 0.0) -> Layers:
    """Hidden layers as (weights, biases), and an output layer that adds up the last."""
    weights = [np.array(weight, np.float64) for weight, _ in layers]
    biases = [np.array(bias, np.float64) for _, bias in layers]
    return Layers((*weights, np.ones((1, len(biases[-1])))), (*biases, np.zeros(1)), negative_slope)


def random_layers(width: int, depth: int = 4, negative_slope: float = 0.0, outputs: int = 1) -> Layers:
    """A network with PyTorch's default initialisation after manual_seed(0), as the known counts are of."""
    torch.manual_seed(0)
    linears = [nn.Linear(a, b) for a, b in pairwise([2, *[width] * depth, outputs])]
    weights = tuple(linear.weight.detach().double().numpy() for linear in linears)
    return Layers(weights, tuple(linear.bias.detach().double().numpy() for linear in linears), negative_slope)


def preactivations(layers: Layers, x: np.ndarray) -> list[np.ndarray]:
    """What each layer computes, the output's last."""
    found, h = [], x
    for weight, bias in zip(layers.weights, layers.biases, strict=True):
        found.append(h @ weight.T + bias)
        h = np.where(found[-1] > 0, found[-1], layers.negative_slope * found[-1])
    return found


def polygon(found: Cells, cell: int | np.integer) -> np.ndarray:
    return found.vertices[found.corners[found.offsets[cell] : found.offsets[cell + 1]]]


def polygons(found: Cells) -> list[np.ndarray]:
    return [polygon(found, cell) for cell in range(len(found))]


def check(found: Cells) -> None:
    """What holds for the cells of any network."""
    left, top, right, bottom = found.window
    area = (right - left) * (bottom - top)
    assert found.areas.sum() == pytest.approx(area, rel=1e-12)
    assert found.areas.min() > 0
    assert len(found) == found.counts.count == found.counts.count_per_layer[-1]
    assert len(found) == len(found.edges) - len(found.vertices) + 1  # Euler
    assert list(found.counts.count_per_layer) == sorted(found.counts.count_per_layer)
    assert (found.parts == 1).all()
    # each polygon is convex, and none has a corner of another inside a side: the other would not end there
    for cell in range(min(len(found), 500)):
        corners = polygon(found, cell)
        e = np.roll(corners, -1, 0) - corners
        f = np.roll(e, -1, 0)
        assert (e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0] > -1e-12).all()
    assert count_cells(found.layers, found.window).count_per_layer == found.counts.count_per_layer
    assert count_cells(found.layers, found.window).length_per_layer == pytest.approx(found.counts.length_per_layer)


def lengths_of_edges(found: Cells) -> float:
    """Length of all edges inside the window, by their polygons."""
    left, top, right, bottom = found.window
    a, b = found.vertices[found.edges[:, 0]], found.vertices[found.edges[:, 1]]
    border = 2 * (right - left) + 2 * (bottom - top)
    return float(np.linalg.norm(a - b, axis=1).sum()) - border


# Drawn on paper.


def test_two_creases_that_cross_make_four_cells() -> None:
    found = cells(drawn(([[1, 0], [0, 1]], [-0.25, 0.5])), SQUARE)
    check(found)
    # x = 1/4 and y = -1/2 cut the square into pieces 5/4 and 3/4 wide, 1/2 and 3/2 high
    assert sorted(found.areas) == pytest.approx(sorted([1.25 * 0.5, 0.75 * 0.5, 1.25 * 1.5, 0.75 * 1.5]))
    assert found.counts == CellCounts(4, (4,), (4.0,))
    assert len(found.vertices) == 9
    assert len(found.neighbours) == 4
    right_bottom = int(np.argmin(np.abs(found.centroids - [0.625, 0.25]).sum(1)))
    assert found.on(0)[right_bottom].tolist() == [True, True]
    assert found.affine(np.array([right_bottom]))[0].tolist() == [[[1.0, 1.0]]]
    assert found.affine(np.array([right_bottom]))[1].tolist() == [[0.25]]


def test_two_creases_that_do_not_cross_make_three_cells() -> None:
    found = cells(drawn(([[1, 0], [2, 0]], [-0.5, 1.0])), SQUARE)
    check(found)
    assert sorted(found.areas) == pytest.approx([1.0, 1.0, 2.0])
    middle = int(np.argmin(np.abs(found.centroids[:, 0])))
    assert [middle in pair for pair in found.neighbours.tolist()] == [True, True]
    assert found.counts.length_per_layer == (4.0,)


def test_three_creases_in_general_position_make_seven_cells_and_through_one_point_six() -> None:
    triangle = drawn(([[1, 0], [0, 1], [1, 1]], [0.2, 0.2, 0.0]))
    star = drawn(([[1, 0], [0, 1], [1, 1]], [0.2, 0.2, 0.4]))
    for layers, count in ((triangle, 7), (star, 6)):
        found = cells(layers, SQUARE)
        check(found)
        assert found.counts.count == count


def test_a_second_layer_bends_its_crease_at_the_first_layers() -> None:
    # relu(x) + relu(-x) = |x| and relu(y + 1) = y + 1, so the second layer's crease is the V y = |x| - 1/4
    found = cells(drawn(([[1, 0], [-1, 0], [0, 1]], [0, 0, 1]), ([[1, 1, -1]], [0.75])), SQUARE)
    check(found)
    # the third neuron's crease y = -1 is the window's border; x = 0 is that of both others
    assert found.counts.count_per_layer == (2, 4)
    assert found.counts.length_per_layer == pytest.approx((2.0, 2 * math.sqrt(2)))
    above = 1.0 + 0.25 - 0.5  # of each half: the mean of 1 - (x - 1/4)
    assert sorted(found.areas) == pytest.approx(sorted([above, above, 2 - above, 2 - above]))


def test_the_window_is_respected_wherever_it_lies() -> None:
    layers = drawn(([[1, 0], [0, 1]], [-0.25, 0.5]))
    assert cells(layers, (0.3, -1, 1, 1)).counts.count == 2
    assert cells(layers, (0.3, 0, 5, 7)).counts.count == 1
    check(cells(layers, (0.2, -0.51, 0.26, -0.4)))
    check(cells(random_layers(16), (0.31, -0.2, 0.32, 0.7)))


# What is degenerate has a right answer too.


def test_creases_through_corners_and_vertices_add_no_slivers() -> None:
    # both diagonals of the window and the line through its middle: all through (0, 0)
    star = drawn(([[1, 1], [1, -1], [0, 1]], [0, 0, 0]))
    found = cells(star, SQUARE)
    check(found)
    assert found.counts.count == 6
    # the second layer's crease x = y goes through the vertex where the first layer's two meet, and through a corner
    found = cells(drawn(([[1, 0], [0, 1]], [1, 1]), ([[1, -1]], [0])), SQUARE)
    assert found.counts.count_per_layer == (1, 2)
    through = drawn(([[1, 0], [0, 1], [1, 0], [0, 1]], [0, 0, 1, 1]), ([[0, 0, 1, -1]], [0]))
    found = cells(through, SQUARE)
    check(found)
    assert found.counts.count_per_layer == (4, 6)
    assert sorted(found.areas) == pytest.approx([0.5, 0.5, 0.5, 0.5, 1, 1])


@pytest.mark.parametrize("lines", [3, 7, 40])
def test_many_creases_through_one_point_inside_make_a_fan(lines: int) -> None:
    angle = np.arange(lines) * math.pi / lines + 0.1
    normal = np.stack([np.cos(angle), np.sin(angle)], 1)
    found = cells(drawn((normal.tolist(), (normal @ [-0.3, 0.2]).tolist())), SQUARE)
    check(found)
    assert found.counts.count == 2 * lines


def test_creases_along_the_windows_border_make_no_cell() -> None:
    found = cells(drawn(([[1, 0], [0, 1], [1, 0]], [1, 1, -1])), SQUARE)
    check(found)
    assert found.counts == CellCounts(1, (1,), (0.0,))


def test_duplicate_neurons_change_nothing() -> None:
    once = random_layers(12, depth=2)
    first, second, output = once.weights
    twice = Layers(
        (np.repeat(first, 2, 0), np.repeat(np.repeat(second, 2, 0), 2, 1) / 2, np.repeat(output, 2, 1) / 2),
        tuple(np.repeat(bias, 2) for bias in once.biases[:2]) + once.biases[2:],
    )
    found = cells(twice, SQUARE)
    check(found)
    assert found.counts.count_per_layer == count_cells(once, SQUARE).count_per_layer
    assert found.counts.length_per_layer == pytest.approx(count_cells(once, SQUARE).length_per_layer)


def test_opposite_and_scaled_neurons_share_their_crease() -> None:
    found = cells(drawn(([[1, 2], [-3, -6], [0.1, 0.2]], [0.3, -0.9, 0.03])), SQUARE)
    check(found)
    assert found.counts.count == 2


def test_a_layer_that_repeats_the_one_before_makes_no_crease() -> None:
    first = ([[1, 0.3], [0.2, -1]], [0.1, 0.2])
    found = cells(drawn(first, ([[1, 0], [0, 1]], [0, 0])), SQUARE)
    check(found)
    assert found.counts.count_per_layer == (4, 4)
    # where the first layer is off the second is zero, and off
    assert (found.on(0) == found.on(1)).all()


@pytest.mark.parametrize("bias", [-1.0, 0.0, 1.0])
def test_without_weights_there_is_one_cell(bias: float) -> None:
    flat = drawn((np.zeros((5, 2)).tolist(), [bias] * 5), (np.zeros((4, 5)).tolist(), [bias] * 4))
    found = cells(flat, SQUARE)
    check(found)
    assert found.counts == CellCounts(1, (1, 1), (0.0, 0.0))
    assert found.on(0).tolist() == [[bias > 0] * 5]


def test_a_dead_layer_leaves_the_cells_before_it() -> None:
    found = cells(drawn(([[1, 0], [0, 1]], [0, 0]), ([[-1, -1]], [-1]), ([[1], [2]], [0, 1])), SQUARE)
    check(found)
    assert found.counts.count_per_layer == (4, 4, 4)
    assert found.counts.length_per_layer == (4.0, 0.0, 0.0)


def test_width_one_and_depth_one_work() -> None:
    for width, depth in ((1, 1), (1, 5), (9, 1), (2, 3)):
        check(cells(random_layers(width, depth), SQUARE))
    assert cells(drawn(([[1, 0]], [0])), SQUARE).counts.count == 2


def test_whole_numbers_as_weights_put_creases_on_creases_and_all_still_holds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        width, depth, largest = (int(rng.integers(1, high)) for high in (9, 4, 4))
        shapes = [(width, 2)] + [(width, width)] * (depth - 1)
        hidden = [
            (rng.integers(-largest, largest + 1, shape), rng.integers(-largest, largest + 1, width)) for shape in shapes
        ]
        layers = drawn(*((w.tolist(), b.tolist()) for w, b in hidden), negative_slope=float(rng.choice([0, 0.25])))
        found = cells(layers, SQUARE)
        check(found)
        for layer, z in enumerate(preactivations(layers, found.centroids)[:-1]):
            np.testing.assert_array_equal(found.on(layer), z > 1e-12)


# Random networks.

KNOWN = {32: 1385, 64: 7920, 128: 29584}
"""Cells of four layers on [-1, 1]^2, found alike by edge subdivision, by sequential clipping, and by regioncam."""


@pytest.fixture(scope="module", params=[0.0, 0.1], ids=["relu", "leaky_relu"])
def found(request: pytest.FixtureRequest) -> Cells:
    return cells(random_layers(32, 3, request.param, outputs=2), SQUARE)


@pytest.mark.parametrize(("width", "count"), KNOWN.items())
def test_the_number_of_cells_is_the_known_one(width: int, count: int) -> None:
    assert count_cells(random_layers(width), SQUARE).count == count
    assert cells(random_layers(width), SQUARE).counts.count == count


def test_cells_tile_the_window(found: Cells) -> None:
    check(found)


def test_patterns_at_centroids_are_those_of_the_forward_pass(found: Cells) -> None:
    for layer, z in enumerate(preactivations(found.layers, found.centroids)[:-1]):
        np.testing.assert_array_equal(found.on(layer), z > 0)


def test_neighbours_differ_in_one_neuron_and_no_two_cells_are_alike(found: Cells) -> None:
    on = np.concatenate([found.on(layer) for layer in range(3)], 1)
    assert ((on[found.neighbours[:, 0]] != on[found.neighbours[:, 1]]).sum(1) == 1).all()
    assert len({row.tobytes() for row in np.packbits(on, axis=1)}) == len(found)


def test_affine_pieces_are_the_network_at_random_points(found: Cells) -> None:
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, len(found), 500)
    a, b = found.affine(chosen)
    corners = [polygon(found, cell) for cell in chosen]
    x = np.stack([rng.dirichlet(np.ones(len(points))) @ points for points in corners])
    np.testing.assert_allclose((a @ x[:, :, None])[:, :, 0] + b, preactivations(found.layers, x)[-1], atol=1e-12)


def test_crease_lengths_are_those_of_the_edges(found: Cells) -> None:
    assert sum(found.counts.length_per_layer) == pytest.approx(lengths_of_edges(found), rel=1e-9)


def test_each_edge_is_of_the_layer_whose_creases_are_as_long(found: Cells) -> None:
    a, b = found.vertices[found.edges[:, 0]], found.vertices[found.edges[:, 1]]
    length = np.bincount(found.edge_layers + 1, np.linalg.norm(b - a, axis=1), found.layers.hidden + 1)
    np.testing.assert_allclose(length[1:], found.counts.length_per_layer, rtol=1e-9, atol=1e-12)
    left, top, right, bottom = found.window
    assert length[0] == pytest.approx(2 * (right - left + bottom - top)), "the border"


def test_the_largest_circle_is_that_of_a_linear_programme(found: Cells) -> None:
    chosen = np.arange(0, len(found), len(found) // 20)
    centres, radii = found.inscribed_circles(chosen)
    for cell, centre, radius in zip(chosen, centres, radii, strict=True):
        corners = polygon(found, cell)
        e = np.roll(corners, -1, 0) - corners
        normals = np.stack([e[:, 1], -e[:, 0]], 1) / np.linalg.norm(e, axis=1)[:, None]
        levels = (normals * corners).sum(1)
        best = scipy.optimize.linprog([0, 0, -1], np.c_[normals, np.ones(len(e))], levels, bounds=[(None, None)] * 3)
        assert radius == pytest.approx(best.x[2], rel=1e-6, abs=1e-9)
        assert (levels - normals @ centre).min() == pytest.approx(radius, rel=1e-6, abs=1e-12)


def test_without_the_last_layer_its_cells_are_counted_within_the_others() -> None:
    layers = random_layers(24, 3)
    whole, part = cells(layers, SQUARE), cells(layers, SQUARE, build_last_layer=False)
    assert part.counts == whole.counts
    assert len(part) == whole.counts.count_per_layer[1]
    # each cell of the whole lies in one polygon of the part: as many as that says
    tree = shapely.STRtree([shapely.Polygon(corners) for corners in polygons(part)])
    inside = tree.query(shapely.points(whole.centroids), predicate="within")[1]
    np.testing.assert_array_equal(np.bincount(inside, minlength=len(part)), part.parts)
    with pytest.raises(ValueError, match="not affine"):
        part.affine(np.array([0]))


@pytest.mark.parametrize("width", [5, 20, 70])
def test_one_layer_gives_the_arrangement_that_shapely_finds(width: int) -> None:
    layers = random_layers(width, 1)
    found = cells(layers, SQUARE)
    check(found)
    lines = []
    for (a, b), c in zip(layers.weights[0], layers.biases[0], strict=True):
        foot = -c * np.array([a, b]) / (a * a + b * b)
        along = 4 * np.array([-b, a]) / math.hypot(a, b)
        lines.append(shapely.LineString([foot - along, foot + along]))
    faces = shapely.polygonize([shapely.unary_union([*lines, shapely.box(*SQUARE).exterior])]).geoms
    inside = [face for face in faces if shapely.box(*SQUARE).buffer(1e-9).contains(face)]
    assert sorted(found.areas) == pytest.approx(sorted(face.area for face in inside), abs=1e-12)


@pytest.mark.parametrize("negative_slope", [0.0, 0.2])
def test_regioncam_finds_as_many_cells(negative_slope: float) -> None:
    layers = random_layers(40, 3, negative_slope)
    other = regioncam.Regioncam(size=1)  # type: ignore[attr-defined]  # compiled, without stubs
    for weight, bias in zip(layers.weights[:-1], layers.biases[:-1], strict=True):
        other.linear(weight.T.astype(np.float32), bias.astype(np.float32))
        if negative_slope:
            other.leaky_relu(negative_slope)
        else:
            other.relu()
    found = cells(layers, SQUARE)
    check(found)
    assert len(found) == len(other.faces)
    ours, theirs = np.sort(found.areas), np.sort([face.area for face in other.faces])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


# Fields, and densities of the same network.


def field_network(encoding: str, network: str = "3x48") -> ReluNetwork:
    generator = torch.Generator().manual_seed(0)
    return relu_network(build(parse_encoding(encoding), parse_network(network), 2, 3, generator))


@pytest.mark.parametrize("encoding", ["raw", "raw:0..1", "raw:-0.5..3"])
def test_a_fields_interval_is_folded_in(encoding: str) -> None:
    network = field_network(encoding)
    found = cells(network)
    check(found)
    on = [z > 0 for z in network.preactivations(torch.from_numpy(found.centroids).float())]
    for layer, bits in enumerate(on):  # in fp32 a few points of the smallest cells fall on the other side
        assert (found.on(layer) != bits.numpy()).mean() < 1e-4
    hand_made = ReluNetwork(
        lambda x: network.encode(x) + 0.0, lambda x: (x, x[:, None]), network.weights, network.biases
    )
    assert cells(hand_made).counts.count == found.counts.count


def test_crease_length_is_that_of_the_densities() -> None:
    network = field_network("raw:-2..2", "3x64")
    exact = np.array(count_cells(network).length_per_layer)
    side = 192
    coarea = crease_density(network, side, side).length.mean((1, 2)) * side
    crofton = refined_crossings(network, side, side).crofton.mean((1, 2)) * side
    # pixels sample the co-area density; four directions see a straight crease 5 % too short to 3 % too long
    np.testing.assert_allclose(coarea.sum(), exact.sum(), rtol=0.01)
    np.testing.assert_allclose(crofton.sum(), exact.sum(), rtol=0.02)
    np.testing.assert_allclose(coarea, exact, rtol=0.03)
    np.testing.assert_allclose(crofton, exact, rtol=0.05)


def test_progress_ends_at_one() -> None:
    shares: list[float] = []
    cells(random_layers(4, 3), SQUARE, progress=shares.append)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1])


# Mistakes.


@pytest.mark.parametrize("encoding", ["fourier:1", "gaussian:0.001", "hashgrid:2", "basic", "positional:1"])
def test_an_encoding_that_curves_creases_is_refused(encoding: str) -> None:
    with pytest.raises(InputError, match="straight creases"):
        cells(field_network(encoding))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    network = field_network("raw")
    network.weights[1][3, 2] = value
    with pytest.raises(InputError, match="not finite"):
        count_cells(network)


def test_layers_that_overflow_are_refused() -> None:
    huge = drawn(([[1e200, 0]], [0]), ([[1e200]], [0]))
    with pytest.raises(InputError, match="hidden layer 2 overflow"):
        cells(huge, SQUARE)


@pytest.mark.parametrize("window", [(0, 0, 0, 1), (0, 1, 1, 0), (0, 0, math.inf, 1), (math.nan, 0, 1, 1)])
def test_a_window_without_area_is_refused(window: Window) -> None:
    with pytest.raises(InputError, match="window"):
        cells(random_layers(2, 1), window)


def test_layers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="fit onto each other"):
        drawn(([[1, 0]], [0]), ([[1, 1]], [0]))
    with pytest.raises(InputError, match="two coordinates"):
        cells(drawn(([[1, 0, 0]], [0])))


def test_layers_of_a_network_compute_what_it_does() -> None:
    network = field_network("raw:0.25..0.75")
    x = np.random.default_rng(0).random((50, 2))
    z = [layer.numpy().copy() for layer in network.preactivations(torch.from_numpy(x).float())]
    for ours, theirs in zip(preactivations(layers_of(network), x)[:-1], z, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
