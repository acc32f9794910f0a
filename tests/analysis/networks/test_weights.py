"""Norms, angles and cells of weights: by singular values, plain loops, geometry on paper, and exact cells."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch

from fieldlens.analysis import (
    first_layer_inspheres,
    neuron_angles,
    neuron_cosines,
    region_narrowness,
    slopes,
    spectral_norms,
    stable_ranks,
)
from fieldlens.analysis.partition.exact_cells import cells
from fieldlens.configs.errors import InputError
from tests.support.small_networks import centres, drawn, network_of


def test_spectral_norms_are_the_largest_singular_values() -> None:
    network = network_of("fourier:4", "3x24")
    expected = [np.linalg.svd(weight.double().numpy(), compute_uv=False)[0] for weight in network.weights]
    np.testing.assert_allclose(spectral_norms(network), expected, rtol=1e-10)


def test_stable_ranks_count_directions_of_equal_length_and_those_that_are_weak_by_the_square_of_their_share() -> None:
    network = network_of("raw", "4x6")
    turned = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(0)).double())[0]
    first, *rest = network.weights
    row = torch.arange(1.0, 7.0)
    weights = [
        turned.float(),
        row[:, None] * row[None, :],
        (turned @ torch.tensor([2.0, 1, 1, 0, 0, 0]).double().diag()).float(),
    ]
    network = dataclasses.replace(network, weights=(first, *weights, rest[-1]))
    assert stable_ranks(network)[1:4] == pytest.approx([6, 1, 1 + 2 / 4], rel=1e-5)


def test_a_matrix_of_zeros_has_no_stable_rank() -> None:
    network = network_of("raw", "1x4")
    network = dataclasses.replace(network, weights=(network.weights[0], torch.zeros_like(network.weights[1])))
    assert np.isnan(stable_ranks(network)[1])


def test_the_product_of_norms_bounds_the_slope_of_a_raw_field() -> None:
    network = network_of("raw:0..1", "3x24")
    steepest = slopes(network, 32, 32).spectral.max() * 32
    assert 0 < steepest <= spectral_norms(network).prod()


def test_cosines_are_those_of_each_pair() -> None:
    network = network_of("fourier:2", "2x12")
    for layer in range(2):
        rows = network.weights[layer].double().numpy()
        pairs = [a @ b / math.sqrt((a @ a) * (b @ b)) for a, b in itertools.combinations(rows, 2)]
        found = neuron_angles(network)[layer]
        assert found.mean == pytest.approx(np.mean(pairs))
        assert found.quantiles == pytest.approx(np.quantile(pairs, [0.05, 0.25, 0.5, 0.75, 0.95]))
        cosines = neuron_cosines(network, layer)
        np.testing.assert_allclose(cosines[np.triu_indices(12, 1)], pairs)
        np.testing.assert_allclose(np.diagonal(cosines), 1)


def test_parallel_neurons_have_cosine_one_and_opposite_ones_minus_one() -> None:
    network = drawn(([[1.0, 1.0], [3.0, 3.0], [-1e-30, -1e-30]], [0.0] * 3), ([[1.0] * 3], [0.0]))
    np.testing.assert_allclose(neuron_cosines(network, 0), [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    assert neuron_angles(network)[0].mean == pytest.approx(-1 / 3)


def test_neurons_without_weights_are_left_out_and_one_neuron_makes_no_pair() -> None:
    zero = drawn(([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0] * 3), ([[1.0] * 3], [0.0]))
    (found,) = neuron_angles(zero)
    assert (found.zero_rows, found.mean) == (1, 0)
    (alone,) = neuron_angles(drawn(([[0.0, 0.0], [1.0, 0.0]], [0.0] * 2), ([[1.0] * 2], [0.0])))
    assert alone.zero_rows == 1
    assert math.isnan(alone.mean)
    assert all(math.isnan(q) for q in alone.quantiles)


@pytest.mark.parametrize("encoding", ["raw", "fourier:3"])
def test_narrowness_is_the_mean_of_the_least_ratio(encoding: str) -> None:
    network = network_of(encoding, "3x128")
    x = centres(70, 90, 2)
    ratios = []
    for z, weight in zip(network.preactivations(x), network.weights, strict=False):
        ratios.append((z.double().abs() / weight.double().norm(dim=1)).numpy().min(1))
    found = region_narrowness(network, 70, 90, stride=2)
    np.testing.assert_allclose(found.per_layer, np.mean(ratios, 1), rtol=1e-5)
    assert found.overall == pytest.approx(np.min(ratios, 0).mean(), rel=1e-5)


def test_narrowness_leaves_out_neurons_without_weights() -> None:
    network = drawn(([[0.0, 0.0], [2.0, 0.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0]))
    assert region_narrowness(network, 1, 4).overall == pytest.approx(0.5)  # mean of x
    silent = dataclasses.replace(network, weights=(torch.zeros(2, 2), network.weights[1]))
    assert math.isinf(region_narrowness(silent, 1, 4).overall)


def test_inspheres_in_two_dimensions_are_the_circles_of_the_exact_cells() -> None:
    network = network_of("raw", "1x12")  # raw over [-1, 1]: image coordinates are half its features
    exact = cells(network)
    _, radii = exact.inscribed_circles()
    found = first_layer_inspheres(network, 120, torch.Generator().manual_seed(0))
    for radius in found:
        assert np.abs(2 * radii - radius).min() < 1e-7
    # cells are met as often as they are large
    assert found.mean() == pytest.approx(np.average(2 * radii, weights=exact.areas), rel=0.15)


def test_an_insphere_is_cut_off_by_planes_drawn_on_paper() -> None:
    # the cube of two features cut at x = 0.5: a circle of radius 0.75 on the left, 0.25 on the right
    network = drawn(([[4.0, 0.0], [0.0, 0.0]], [-2.0, 0.0]), ([[1.0, 1.0]], [0.0]))
    found = first_layer_inspheres(network, 200, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(np.unique(found.round(9)), [0.25, 0.75])
    assert (found > 0.5).mean() == pytest.approx(0.75, abs=0.08)
    uncut = drawn(([[0.0, 0.0]], [0.0]), ([[1.0]], [0.0]))
    np.testing.assert_allclose(first_layer_inspheres(uncut, 2, torch.Generator()), 1)


def test_inspheres_of_the_papers_network_have_the_papers_size() -> None:
    # Lazzari & Liu's histograms have their modes at about 0.021 for four octaves
    found = first_layer_inspheres(network_of("fourier:4", "1x512"), 24, torch.Generator().manual_seed(0))
    assert np.median(found) == pytest.approx(0.021, rel=0.25)


def test_a_hash_grid_has_no_cube_of_features() -> None:
    for encoding in ("hashgrid:3,finest=32", "raw:-3..3"):
        with pytest.raises(InputError, match="within"):
            first_layer_inspheres(network_of(encoding, "1x8"), 1, torch.Generator())


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_weights_that_are_no_numbers_are_refused(broken: float) -> None:
    network = drawn(([[broken, 0.0]], [0.0]), ([[1.0]], [0.0]))
    with pytest.raises(InputError, match="not finite"):
        spectral_norms(network)
    with pytest.raises(InputError, match="not finite"):
        neuron_angles(network)
    with pytest.raises(InputError, match="not finite"):
        region_narrowness(network, 4, 4)
    with pytest.raises(InputError, match="not finite"):
        first_layer_inspheres(network, 1, torch.Generator())
