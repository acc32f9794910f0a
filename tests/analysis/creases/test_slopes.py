"""Norms of the Jacobian: by autograd and singular values, and drawn on paper."""

import dataclasses

import numpy as np
import pytest
import torch

from fieldlens.analysis import relu_network, slopes
from tests.support.small_networks import centres, drawn, field_of, network_of


@pytest.mark.parametrize("network", ["3x24", "2x16,leaky_relu", "2x16,sigmoid"])
@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "gaussian:2,features=16", "hashgrid:3,finest=32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_norms_are_those_of_autograds_jacobian(encoding: str, network: str, channels: int) -> None:
    field = field_of(encoding, network, channels=channels)
    found = slopes(relu_network(field), 9, 15)
    leaf = centres(9, 15).requires_grad_()
    values = field(leaf)
    rows = [torch.autograd.grad(values[:, c].sum(), leaf, retain_graph=True)[0] for c in range(channels)]
    jacobian = torch.stack(rows, 1).double() / 15
    largest = torch.linalg.svdvals(jacobian)[:, 0].reshape(9, 15).numpy()
    np.testing.assert_allclose(found.frobenius.ravel(), jacobian.norm(dim=(1, 2)).numpy(), rtol=1e-3)
    np.testing.assert_allclose(found.spectral, largest, rtol=1e-3)


def test_a_plane_is_as_steep_as_it_is_drawn() -> None:
    # f = (3 x, 4 y) where both are on
    network = drawn(([[1.0, 0.0], [0.0, 1.0]], [1.0, 1.0]), ([[3.0, 0.0], [0.0, 4.0]], [0.0, 0.0]))
    found = slopes(network, 5, 10, stride=4)
    np.testing.assert_allclose(found.frobenius, np.full((2, 3), 0.5), rtol=1e-6)
    np.testing.assert_allclose(found.spectral, np.full((2, 3), 0.4), rtol=1e-6)


def test_a_flat_field_has_no_slope() -> None:
    network = network_of("fourier:3", "2x8")
    flat = dataclasses.replace(network, weights=(*network.weights[:-1], torch.zeros(3, 8)))
    assert not slopes(flat, 4, 4).frobenius.any()
    assert not slopes(flat, 4, 4).spectral.any()


def test_chunks_and_strides_do_not_matter() -> None:
    network = network_of("fourier:5", "2x128")
    every, some = slopes(network, 80, 120), slopes(network, 80, 120, stride=4)
    np.testing.assert_allclose(some.spectral, every.spectral[2::4, 2::4], rtol=1e-3)
