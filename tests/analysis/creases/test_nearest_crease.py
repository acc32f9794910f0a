"""Distance to the nearest crease: drawn on paper, against exact cells, and against a search along directions."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import shapely
import torch

from fieldlens.analysis import nearest_crease
from fieldlens.analysis.partition.exact_cells import cells
from fieldlens.configs.errors import InputError
from tests.support.small_networks import centres, drawn, network_of


def test_the_distance_to_one_crease_is_that_to_its_line() -> None:
    # 3 x + 4 y = 2.5 has the unit normal (0.6, 0.8)
    found = nearest_crease(drawn(([[3.0, 4.0]], [-2.5]), ([[1.0]], [0.0])), 10, 20)
    x, y = (centres(10, 20).double().numpy() * 20).T
    np.testing.assert_allclose(found.px.ravel(), np.abs(0.6 * x + 0.8 * y - 10), atol=1e-5)
    assert (found.layer == 0).all()
    assert found.mean_px == pytest.approx(np.abs(0.6 * x + 0.8 * y - 10).mean())
    assert found.median_px == pytest.approx(np.median(np.abs(0.6 * x + 0.8 * y - 10)))


def test_a_deeper_crease_is_nearest_only_where_the_layer_before_lets_it_be() -> None:
    # h = relu(x - 0.5); z2 = h - 0.2: a crease at x = 0.7, and left of 0.5 z2 = -0.2 is flat and has none
    found = nearest_crease(drawn(([[1.0, 0.0]], [-0.5]), ([[1.0]], [-0.2]), ([[1.0]], [0.0])), 10, 10)
    np.testing.assert_allclose(found.px[0], [4.5, 3.5, 2.5, 1.5, 0.5, 0.5, 0.5, 0.5, 1.5, 2.5], atol=1e-5)
    np.testing.assert_array_equal(found.layer[0], [0, 0, 0, 0, 0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize("network", ["1x8", "3x24", "2x16,leaky_relu"])
@pytest.mark.parametrize("encoding", ["raw", "raw:0..1"])
def test_of_raw_coordinates_it_is_the_distance_to_the_border_of_the_exact_cell(encoding: str, network: str) -> None:
    raw = network_of(encoding, network)
    side = 24
    window = (-8.0, -8.0, 9.0, 9.0)  # so large that its own border is no pixel's nearest
    exact = cells(raw, window)
    polygons = np.array(
        [shapely.Polygon(exact.vertices[exact.corners[a:b]]) for a, b in itertools.pairwise(exact.offsets)]
    )
    points = np.asarray(shapely.points(centres(side, side).double().numpy()))
    tree = shapely.STRtree(polygons)
    which, cell = tree.query(points, predicate="within")
    assert len(which) == side * side  # each point lies in one cell
    expected = np.empty(side * side)
    expected[which] = shapely.distance(points[which], shapely.boundary(polygons[cell]))
    assert expected.max() < 8
    np.testing.assert_allclose(nearest_crease(raw, side, side).px.ravel(), expected * side, rtol=1e-3, atol=1e-4)


def test_under_an_encoding_it_is_right_to_first_order() -> None:
    network, side = network_of("fourier:3", "2x24"), 256
    found = nearest_crease(network, side, side, stride=8)
    near = found.px < 0.5
    assert near.sum() > 100
    # Independently: the sign patterns on circles around each point; the first circle that is not all alike
    middle = centres(side, side, stride=8)
    turn = torch.arange(64) * (2 * math.pi / 64)
    ring = torch.stack([turn.cos(), turn.sin()], 1) / side

    def at(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([z > 0 for z in network.preactivations(x)], 1)

    inside = at(middle)
    radii = torch.arange(1, 61) * 0.01
    reached = torch.full((len(middle),), math.inf)
    for radius in radii.flip(0):
        around = at((middle[:, None] + radius * ring).flatten(0, 1)).unflatten(0, (-1, 64))
        reached[(around != inside[:, None]).any(-1).any(-1)] = radius
    np.testing.assert_allclose(reached.numpy()[near.ravel()], found.px[near], atol=0.02)


def test_the_layer_is_that_of_the_neuron_whose_crease_it_is() -> None:
    network = network_of("fourier:2", "3x16")
    both = nearest_crease(network, 30, 20)
    first = dataclasses.replace(network, weights=network.weights[:2], biases=network.biases[:2])
    alone = nearest_crease(first, 30, 20)
    assert set(np.unique(both.layer)) == {0, 1, 2}
    np.testing.assert_array_equal(both.px[both.layer == 0], alone.px[both.layer == 0])
    assert (alone.px[both.layer > 0] > both.px[both.layer > 0]).all()


def test_a_stride_leaves_out_pixels_and_chunks_do_not_matter() -> None:
    network = network_of("fourier:4", "2x128")
    every = nearest_crease(network, 70, 150)  # more than one chunk
    some = nearest_crease(network, 70, 150, stride=8)
    np.testing.assert_allclose(some.px, every.px[4::8, 4::8], rtol=1e-4)


def test_without_gradients_the_distance_is_infinite_and_no_layers() -> None:
    found = nearest_crease(drawn(([[0.0, 0.0], [0.0, 0.0]], [0.0, 1.0]), ([[1.0, 1.0]], [0.0])), 4, 4)
    assert np.isinf(found.px).all()
    assert (found.layer == -1).all()
    assert math.isnan(found.mean_px)
    assert math.isnan(found.median_px)


def test_on_a_crease_the_distance_is_zero_and_duplicates_change_nothing() -> None:
    once = drawn(([[1.0, 0.0]], [-0.125]), ([[1.0]], [0.0]))
    twice = drawn(([[1.0, 0.0], [-2.0, 0.0]], [-0.125, 0.25]), ([[1.0, 1.0]], [0.0]))
    found = nearest_crease(once, 4, 4)
    np.testing.assert_allclose(found.px[0], [0, 1, 2, 3], atol=1e-12)
    np.testing.assert_allclose(nearest_crease(twice, 4, 4).px, found.px, atol=1e-12)


def test_weights_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        nearest_crease(drawn(([[math.nan, 0.0]], [0.0]), ([[1.0]], [0.0])), 4, 4)


def test_progress_ends_at_one() -> None:
    told: list[float] = []
    nearest_crease(network_of("raw", "2x128"), 100, 100, progress=told.append)
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == 1
