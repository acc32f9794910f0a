"""Bounds on neurons with a crease in a tile: against dense samples, exact cells, and drawings on paper."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from fieldlens.analysis import ReluNetwork, crease_bounds, relu_network
from fieldlens.analysis.partition.crease_bounds import _sine_range
from fieldlens.analysis.partition.exact_cells import cells
from fieldlens.configs.errors import InputError
from tests.support.small_networks import centres, drawn, network_of


def raw(*layers: tuple[list[list[float]], list[float]]) -> ReluNetwork:
    """A network drawn on paper, on coordinates in [0, 1]."""
    plain = drawn(*layers)
    encoding = network_of("raw:0..1", "1x1").encode
    return replace(plain, encode=encoding)


@pytest.mark.parametrize("network", ["3x24", "2x24,leaky_relu"])
@pytest.mark.parametrize(
    "encoding",
    [
        "raw",
        "fourier:1",
        "fourier:4",
        "fourier:3,include_input=true",
        "fourier:2,include_input=true,interval=-1..0.5",
        "gaussian:2,features=16",
        "basic",
    ],
)
@pytest.mark.parametrize("refine", [1, 2])
def test_no_dense_sample_finds_more_than_the_upper_bound(encoding: str, network: str, refine: int) -> None:
    seen_by = network_of(encoding, network)
    bounds = crease_bounds(seen_by, 24, 24, tile_px=6, refine=refine)
    fine = centres(240, 240)  # a hundred samples a pixel
    for layer, z in enumerate(seen_by.preactivations(fine)):
        on = (z > 0).numpy().reshape(4, 60, 4, 60, -1)
        seen = (on.any((1, 3)) & ~on.all((1, 3))).sum(-1)
        assert (seen <= bounds.upper[layer]).all()
    assert (bounds.lower <= bounds.upper).all()
    assert (bounds.upper <= bounds.neurons[:, None, None]).all()


@pytest.mark.parametrize("encoding", ["raw", "raw:0..1"])
def test_of_raw_coordinates_the_exact_number_is_between(encoding: str) -> None:
    network = network_of(encoding, "3x24")
    bounds = crease_bounds(network, 8, 8, tile_px=2)
    for row in range(4):
        for column in range(4):
            exact = cells(network, (column / 4, row / 4, (column + 1) / 4, (row + 1) / 4))
            for layer in range(3):
                on = exact.on(layer)
                number = (on.any(0) & ~on.all(0)).sum()
                assert bounds.lower[layer, row, column] <= number <= bounds.upper[layer, row, column]
    first = bounds.upper[0] - bounds.lower[0]
    assert (first == 0).mean() > 0.5  # affine in x: only a crease that cuts off a corner between samples is not sure


def test_creases_on_paper_are_counted_where_they_run() -> None:
    # x = 0.3, x + y = 1.5 and a neuron that is always on, in tiles of a quarter
    network = raw(([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]], [-0.3, -1.45, 5.0]), ([[1.0] * 3], [0.0]))
    bounds = crease_bounds(network, 8, 8, tile_px=2)
    expected = [[0, 1, 0, 0], [0, 1, 0, 1], [0, 1, 1, 1], [0, 2, 1, 0]]
    np.testing.assert_array_equal(bounds.lower[0], expected)
    np.testing.assert_array_equal(bounds.upper[0], expected)
    np.testing.assert_array_equal(bounds.width, 0)


def test_neurons_that_move_together_do_not_fool_the_linear_form() -> None:
    # h1 = x + 1 and h2 = x + 2 are on; z = h1 - h2 = -1 everywhere, though their intervals alone allow for 0
    network = raw(([[1.0, 0.0], [1.0, 0.0]], [1.0, 1.2]), ([[1.0, -1.0]], [0.0]), ([[1.0]], [0.0]))
    assert not crease_bounds(network, 4, 4, tile_px=4).upper.any()


def test_refining_narrows_the_bounds_of_an_encoded_network() -> None:
    network = network_of("fourier:3", "2x32")
    coarse, fine = (crease_bounds(network, 64, 64, tile_px=8, refine=refine) for refine in (1, 8))
    assert (fine.upper <= coarse.upper).all()
    assert (fine.lower >= coarse.lower).all()
    assert fine.width.sum() < 0.25 * coarse.width.sum()


def test_sines_are_bounded_exactly_in_the_first_layer() -> None:
    # a single neuron that is cos(pi x) - 0.5 on [0, 1]: one crease at x = 1/3, between 2/8 and 3/8
    network = network_of("fourier:1", "1x1")
    network = replace(
        network,
        weights=(torch.tensor([[0.0, 0.0, 1.0, 0.0]]), network.weights[1]),
        biases=(torch.tensor([-0.5]), network.biases[1]),
    )
    bounds = crease_bounds(network, 8, 8, tile_px=1)
    np.testing.assert_array_equal(bounds.upper[0], np.tile([0, 0, 1, 0, 0, 0, 0, 0], (8, 1)))
    np.testing.assert_array_equal(bounds.lower, bounds.upper)


def test_the_range_of_sines_is_that_of_dense_samples() -> None:
    generator = torch.Generator().manual_seed(0)
    low = (torch.rand(1000, 1, generator=generator, dtype=torch.float64) - 0.5) * 100
    high = low + 8 * torch.rand(1000, 1, generator=generator, dtype=torch.float64) ** 3
    least, most = _sine_range(low, high)
    samples = torch.lerp(low, high, torch.linspace(0, 1, 4001, dtype=torch.float64)).sin()
    torch.testing.assert_close(least, samples.amin(1, keepdim=True), rtol=0, atol=1e-5)
    torch.testing.assert_close(most, samples.amax(1, keepdim=True), rtol=0, atol=1e-5)
    assert (least <= samples).all()
    assert (most >= samples).all()


def test_it_says_where_it_decides_nothing() -> None:
    bounds = crease_bounds(network_of("fourier:8", "3x64"), 32, 32, tile_px=8)
    assert (bounds.ruled_out[1:] < 0.05).all()
    _, *deep = bounds.sentences()
    assert all("decides nothing" in sentence and "of 64 neurons" in sentence for sentence in deep)
    shallow = crease_bounds(network_of("raw", "3x64"), 32, 32, tile_px=2)
    assert not any("decides nothing" in sentence for sentence in shallow.sentences())
    assert (shallow.ruled_out > 0.9).all()


def test_the_last_tiles_are_smaller_and_chunks_do_not_matter() -> None:
    network = network_of("fourier:2", "2x128")
    bounds, top = crease_bounds(network, 70, 130, tile_px=4), crease_bounds(network, 8, 130, tile_px=4)
    assert bounds.lower.shape == (2, 18, 33)
    np.testing.assert_array_equal(bounds.lower[:, :2], top.lower)
    np.testing.assert_array_equal(bounds.upper[:, :2], top.upper)
    # the last column is 2 px wide and the last row 2 px high: no more creases than in whole tiles, on the whole
    assert bounds.lower[..., -1].mean() < bounds.lower[..., :-1].mean()


def test_neurons_without_weights_have_no_crease() -> None:
    network = raw(
        ([[0.0, 0.0], [0.0, 0.0]], [0.0, 1.0]), ([[0.0, 0.0], [1.0, -1.0]], [0.0, 0.0]), ([[1.0, 1.0]], [0.0])
    )
    bounds = crease_bounds(network, 4, 4)
    assert not bounds.upper.any()
    np.testing.assert_array_equal(bounds.ruled_out, 1)


def test_what_cannot_be_bounded_is_refused() -> None:
    with pytest.raises(InputError, match="HashGridEncoding"):
        crease_bounds(network_of("hashgrid:3,finest=32", "1x8"), 4, 4)
    with pytest.raises(InputError, match="at least 1 px"):
        crease_bounds(network_of("raw", "1x8"), 4, 4, tile_px=0)
    network = network_of("raw", "1x1")
    with pytest.raises(InputError, match="not finite"):
        crease_bounds(replace(network, biases=(torch.tensor([math.nan]), network.biases[1])), 4, 4)


@pytest.mark.parametrize("slope", [-0.5, 1.7])
def test_an_activation_that_is_not_convex_and_rising_is_refused(slope: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        crease_bounds(replace(network_of("raw", "2x8"), negative_slope=slope), 16, 16)


def test_a_plain_network_of_raw_coordinates_has_the_bounds_of_a_field() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 12), torch.nn.ReLU(), torch.nn.Linear(12, 1))
    ours = replace(network_of("raw:0..1", "1x12"), weights=relu_network(module).weights)
    ours = replace(ours, biases=relu_network(module).biases)
    theirs, expected = (crease_bounds(network, 24, 16) for network in (relu_network(module), ours))
    np.testing.assert_array_equal(theirs.lower, expected.lower)
    np.testing.assert_array_equal(theirs.upper, expected.upper)
