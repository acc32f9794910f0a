"""What speed is made of: sizes against autograd, and the formulas of gates and of cells, pair of pixels by pair."""

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.analysis import Detail, ReluNetwork, detail_speed, gradient_size, kernel, relu_network
from fieldlens.analysis.detail.windows import windows_of_side
from tests.support.gradient_fields import ENCODINGS, NETWORKS, InDouble, autograd_gradients
from tests.support.small_networks import centres, drawn, field_of, network_of

SIDE = 12


def noise() -> Detail:
    """A single window."""
    values = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    return Detail(values, windows_of_side(SIDE, SIDE, SIDE), "some")


def pushed(network: ReluNetwork, detail: Detail) -> float:
    (found,) = detail_speed(network, [detail], dtype=torch.float64)
    return found.push.item()


def gated(network: ReluNetwork) -> tuple[list[Tensor], list[Tensor]]:
    """Inputs of all layers in fp64, and what comes back to them through the gates of each pixel alone."""
    weights = [weight.double() for weight in network.weights]
    inputs, gates = [network.encode(centres(SIDE, SIDE)).double()], []
    for weight, bias in zip(weights[:-1], network.biases[:-1], strict=True):
        z = inputs[-1] @ weight.T + bias.double()
        gates.append((z > 0).double())
        inputs.append(gates[-1] * z)
    back = [torch.ones(SIDE**2, 1, dtype=torch.float64)]
    for weight, gate in zip(weights[:0:-1], gates[::-1], strict=True):
        back.append(gate * (back[-1] @ weight))
    return inputs, back[::-1]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_size_is_the_kernels_of_a_pixel_with_itself(encoding: str, network: str) -> None:
    field = field_of(encoding, network)
    expected = kernel(field, centres(9, 14, stride=2), "luma").matrix.diagonal()
    np.testing.assert_allclose(gradient_size(field, 9, 14, stride=2).ravel(), expected, rtol=1e-4)


def test_a_size_is_the_squared_length_of_the_gradient_that_autograd_finds() -> None:
    field, points = field_of("fourier:3", "3x12", channels=1), centres(5, 7)
    # of (f - t)^2 with t half below f it is that of f itself
    gradients = autograd_gradients(InDouble(field), points, field(points).detach() - 0.5)
    np.testing.assert_allclose(gradient_size(field, 5, 7).ravel(), gradients.square().sum(1), rtol=1e-4)


@pytest.mark.parametrize("encoding", ["raw", "fourier:4"])
def test_a_push_is_the_sum_over_layers_and_pairs_of_inputs_alike_times_what_comes_back_through_the_gates_of_both(
    encoding: str,
) -> None:
    field = field_of(encoding, "3x10", channels=1)
    network, y = relu_network(field), torch.from_numpy(noise().values).flatten()
    inputs, back = gated(network)
    pairs = sum((a @ a.T + 1) * (d @ d.T) for a, d in zip(inputs, back, strict=True))
    assert pushed(network, noise()) == pytest.approx(float(y @ pairs @ y), rel=1e-10)


@pytest.mark.parametrize("encoding", ["raw", "fourier:4"])
def test_of_detail_without_a_mean_only_differences_of_gradients_count(encoding: str) -> None:
    field, points = field_of(encoding, "3x10", channels=1), centres(SIDE, SIDE)
    gradients = autograd_gradients(InDouble(field), points, field(points).detach() - 0.5)
    detail = noise().levelled()
    y = torch.from_numpy(detail.values).flatten()
    apart = torch.cdist(gradients, gradients).square()
    assert pushed(relu_network(field), detail) == pytest.approx(float(-y @ apart @ y / 2), rel=1e-4)


def test_noise_is_moved_by_the_mean_size_of_gradients_on_average() -> None:
    network = network_of("raw", "2x16")
    rng, windows = np.random.default_rng(0), windows_of_side(SIDE, SIDE, SIDE)
    details = [Detail(rng.normal(size=(SIDE, SIDE)), windows, "") for _ in range(800)]
    pushes = [found.push.item() for found in detail_speed(network, details)]
    assert np.mean(pushes) / SIDE**2 == pytest.approx(gradient_size(network, SIDE, SIDE).mean(), rel=0.15)


ONE_CELL = drawn(
    ([[0.3, -0.2], [0.1, 0.4], [-0.5, -0.5]], [1.0, 0.5, 2.0]), ([[0.4, 0.3, 0.2]] * 2, [0.1, 0.2]), ([[1, 2.0]], [0.3])
)
"""All neurons are on all over the picture."""


def test_within_a_cell_detail_without_mean_and_slope_is_not_moved_at_all() -> None:
    size = gradient_size(ONE_CELL, SIDE, SIDE).mean()
    detail = noise().levelled()
    assert pushed(ONE_CELL, detail) < 1e-12 * size * detail.energy.item()
    assert pushed(ONE_CELL, noise()) > 1e-3 * size * detail.energy.item(), "its mean and slope are"


def test_one_crease_through_the_window_moves_detail_by_what_lies_on_its_side() -> None:
    """f = c relu(n . x + b): the gradient is (c x, c, relu, 1) on one side and (0, 0, 0, 1) on the other."""
    network, detail = drawn(([[3.0, 1.0]], [-2.0]), ([[2.0]], [0.0])), noise().levelled()
    x = centres(SIDE, SIDE).double().numpy()
    z = x @ [3.0, 1.0] - 2
    y = np.where(z > 0, detail.values.ravel(), 0)
    expected = 4 * (np.square(y @ x).sum() + y.sum() ** 2) + (y @ z) ** 2
    assert expected > 0.1
    assert pushed(network, detail) == pytest.approx(expected, rel=1e-6)
