"""Gate overlap: against all pairs one by one, drawings on paper, and the kernel that it is a factor of."""

import itertools

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float

from fieldlens.analysis import PackedPatterns, ReluNetwork, gate_overlap, kernel, packed_patterns
from fieldlens.analysis.detail.windows import Windows, windows_of_side
from fieldlens.configs.errors import InputError
from tests.support.small_networks import centres, drawn, network_of, pattern_bits


def overlap(a: Bool[np.ndarray, " neurons"], b: Bool[np.ndarray, " neurons"]) -> float:
    """Cosine of two vectors of gates; two empty ones are equal."""
    if not (a.any() and b.any()):
        return float(a.any() == b.any())
    return (a & b).sum() / np.sqrt(a.sum() * b.sum())


def over_pairs(bits: Bool[np.ndarray, "h w neurons"], windows: Windows, *, near: bool) -> Float[np.ndarray, "r c"]:
    """Means over all pairs of each window, or over those at distance 1, all of them formed."""
    means = np.empty(windows.shape)
    for row, column in np.ndindex(windows.shape):
        places = itertools.product(
            range(*windows.row_edges[row : row + 2]), range(*windows.column_edges[column : column + 2])
        )
        pairs = itertools.combinations(places, 2)
        chosen = [(p, q) for p, q in pairs if not near or abs(p[0] - q[0]) + abs(p[1] - q[1]) == 1]
        means[row, column] = np.mean([overlap(bits[p], bits[q]) for p, q in chosen])
    return means


def found_in(network: ReluNetwork, height: int, width: int, side: int):
    return gate_overlap(packed_patterns(network, height, width), windows_of_side(height, width, side))


# in both layers of this one there are pixels with no neuron on, and pixels with one
SPARSE = drawn(
    ([[4.0, 0.0], [0.0, 4.0]], [-1.7, -2.1]), ([[1.0, -1.0], [-1.0, 1.0]], [-0.2, -0.3]), ([[1, 1.0]], [0.0])
)


@pytest.mark.parametrize(("height", "width", "side"), [(9, 11, 4), (8, 8, 8), (1, 7, 3), (6, 5, 1000)])
@pytest.mark.parametrize("network", [network_of("raw", "3x9"), network_of("fourier:4", "2x13"), SPARSE])
def test_means_are_over_all_pairs_and_over_all_neighbours_of_each_window(
    network: ReluNetwork, height: int, width: int, side: int
) -> None:
    found, bits = found_in(network, height, width, side), pattern_bits(network, height, width)
    for layer, on in enumerate(bits):
        np.testing.assert_allclose(found.within[layer], over_pairs(on, found.windows, near=False), atol=1e-12)
        np.testing.assert_allclose(found.of_neighbours[layer], over_pairs(on, found.windows, near=True), atol=1e-12)


def test_a_crease_drawn_on_paper() -> None:
    """One neuron is always on, one on the right of the middle: pairs across overlap by 1 of sqrt(1 x 2)."""
    network = drawn(([[0.0, 0.0], [1.0, 0.0]], [1.0, -0.5]), ([[1.0, 1.0]], [0.0]))
    found = found_in(network, 4, 4, 4)
    across = 1 / np.sqrt(2)
    assert found.within.item() == pytest.approx((64 * across + 56) / 120, abs=1e-12)
    assert found.of_neighbours.item() == pytest.approx((4 * across + 20) / 24, abs=1e-12)
    assert found.change_per_pixel.item() == pytest.approx(4 * (1 - across) / 24, abs=1e-12)


@pytest.mark.parametrize("bias", [1.0, -1.0])
def test_without_creases_overlap_is_1_everywhere(bias: float) -> None:
    network = drawn(([[0.1, 0.2]] * 3, [bias] * 3), ([[0.1] * 3] * 2, [bias] * 2), ([[1.0, 1.0]], [0.0]))
    found = found_in(network, 12, 17, 5)
    np.testing.assert_array_equal(found.within, np.ones((2, 2, 3)))
    np.testing.assert_array_equal(found.change_per_pixel, np.zeros((2, 2, 3)))


def test_where_equally_many_are_on_the_change_is_the_hamming_distance_over_twice_that_number() -> None:
    half = [[3.0, 1.0], [-2.0, 5.0], [1.0, -1.5]]
    shift = [-1.03, -1.22, 0.11]
    paired = [*half, *([-x, -y] for x, y in half)], [*shift, *(-b for b in shift)]  # each with its opposite: 3 are on
    patterns = packed_patterns(drawn(paired, ([[1.0] * 6], [0.0])), 10, 10)
    pixels = torch.arange(100).view(10, 10)
    one = torch.cat([pixels[:, :-1].flatten(), pixels[:-1].flatten()])
    other = torch.cat([pixels[:, 1:].flatten(), pixels[1:].flatten()])
    distance = patterns.hamming(one, other).mean()
    assert distance > 0
    found = gate_overlap(patterns, windows_of_side(10, 10, 10))
    assert found.change_per_pixel.item() == pytest.approx(distance / (2 * 3), abs=1e-12)


def test_behind_output_weights_of_one_size_the_hidden_layers_part_of_the_kernel_is_the_overlap() -> None:
    """K_ij = (x_i . x_j + 1) (d_i . d_j) + (h_i . h_j + 1), and the cosine of d_i and d_j is the overlap."""
    generator = torch.Generator().manual_seed(0)
    weight, bias = 4 * torch.randn(12, 2, generator=generator), torch.randn(12, generator=generator)
    signs = torch.where(torch.rand(1, 12, generator=generator) > 0.5, 0.3, -0.3)
    network = drawn((weight.tolist(), bias.tolist()), (signs.tolist(), [0.0]))
    x = centres(5, 6).double()
    hidden = (x @ weight.double().T + bias).relu()
    products = (kernel(network, x.float(), 0).matrix - (hidden @ hidden.T + 1).numpy()) / (x @ x.T + 1).numpy()
    cosines = products / np.sqrt(products.diagonal()[:, None] * products.diagonal())
    assert found_in(network, 5, 6, 6).within.item() == pytest.approx(cosines[np.triu_indices(30, 1)].mean(), abs=1e-5)


def test_in_wide_layers_at_initialisation_cosines_of_what_is_propagated_back_are_products_of_overlaps() -> None:
    network = network_of("fourier:4", "3x1024")
    x = centres(8, 8)
    preactivations, h = [], network.encode(x).requires_grad_()
    for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
        preactivations.append(torch.addmm(bias, h, weight.T))
        h = preactivations[-1].relu()
    output = h @ network.weights[-1][0]
    product = np.ones((64, 64))
    for z in reversed(preactivations):
        (d,) = torch.autograd.grad(output.sum(), z, retain_graph=True)
        product *= [[overlap(a, b) for b in (z > 0).numpy()] for a in (z > 0).numpy()]
        cosines = torch.nn.functional.normalize(d) @ torch.nn.functional.normalize(d).T
        assert np.sqrt(np.square(cosines.numpy() - product).mean()) < 0.04
    assert product.mean() < 0.5  # they do differ


def test_windows_of_another_picture_or_of_one_sample_are_refused() -> None:
    patterns: PackedPatterns = packed_patterns(network_of("raw", "2x8"), 8, 12)
    with pytest.raises(InputError, match="12x9 samples were given for patterns of 12x8"):
        gate_overlap(patterns, windows_of_side(9, 12, 4))
    with pytest.raises(InputError, match="single sample"):
        gate_overlap(patterns, windows_of_side(8, 12, 1))
