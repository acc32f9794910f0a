"""Creases on a line: where two neurons switch by hand, and where a brute search finds them."""

import numpy as np
import pytest
import torch

from fieldlens.analysis import ReluNetwork, relu_network
from fieldlens.analysis.creases.on_line import line_creases, refined_line_creases
from fieldlens.configs.encoding import Encoding, Fourier, Raw
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import Network
from fieldlens.fields import build


def hand_made(weights: list[list[list[float]]], biases: list[list[float]]) -> ReluNetwork:
    """A network of raw coordinates whose numbers are written out."""
    return ReluNetwork(
        encode=lambda x: x,
        encode_with_tangents=lambda x: (x, torch.ones(len(x), 1, 1)),
        weights=tuple(torch.tensor(weight) for weight in weights),
        biases=tuple(torch.tensor(bias) for bias in biases),
    )


def trained_looking(encoding: Encoding, seed: int = 0) -> ReluNetwork:
    """A network of one input whose biases are spread so that it switches often."""
    field = build(encoding, Network(width=24, depth=3), 1, 1, torch.Generator().manual_seed(seed))
    return relu_network(field)


def test_a_tent_and_its_echo_are_where_paper_says():
    # h1 = relu(x - 0.3), h2 = relu(0.8 - x); the second layer is on where h1 + h2 > 0.55: z is 0.8 - x - 0.55 up to
    # 0.3, the constant -0.05 up to 0.8 and x - 0.3 - 0.55 beyond
    network = hand_made([[[1.0], [-1.0]], [[1.0, 1.0]], [[1.0]]], [[-0.3, 0.8], [-0.55], [0.0]])
    for refine in (1, 5):
        found = line_creases(network, 16, refine=refine, polish=8)
        np.testing.assert_allclose(found.position, [0.25, 0.3, 0.8, 0.85], atol=2e-7)
        assert found.layer.tolist() == [1, 0, 0, 1]
        assert found.dead.tolist() == [0, 0]
    assert [np.flatnonzero(row).tolist() for row in found.per_sample(7)] == [[2, 5], [1, 5]]


@pytest.mark.parametrize("encoding", [Raw(), Fourier(3)])
def test_creases_are_those_of_a_brute_search(encoding):
    network = trained_looking(encoding)
    x = torch.linspace(0, 1, 200_001, dtype=torch.float64)
    brute = []
    for layer, z in enumerate(network.preactivations(x[:, None].float())):
        step, _ = torch.nonzero((z > 0)[:-1] != (z > 0)[1:], as_tuple=True)
        brute += [(float(x[i] + x[i + 1]) / 2, layer) for i in step]
    found = refined_line_creases(network, 64)
    assert len(found.position) > 20
    assert found.undercount == 0
    places, layers = zip(*sorted(brute), strict=True)
    np.testing.assert_allclose(found.position, places, atol=5e-6)
    assert found.layer.tolist() == list(layers)
    assert (np.diff(found.position) >= 0).all()


def test_polishing_brings_a_place_to_its_root():
    network = trained_looking(Fourier(2))
    exact = line_creases(network, 4096, polish=8)
    rough, polished = line_creases(network, 128), line_creases(network, 128, polish=8)
    assert len(rough.position) == len(polished.position) == len(exact.position)
    assert np.abs(rough.position - exact.position).max() > 1e-5
    assert np.abs(polished.position - exact.position).max() < 2e-6


def test_networks_that_do_nothing_have_no_creases():
    network = hand_made([[[0.0]] * 3, [[0.0] * 3] * 2, [[0.0] * 2]], [[0.0] * 3, [0.0] * 2, [0.0]])
    found = refined_line_creases(network, 32)
    assert len(found.position) == 0
    assert found.undercount == 0
    assert found.dead.tolist() == [3, 2]
    assert not found.per_sample(32).any()


def test_a_network_that_has_diverged_has_no_creases_to_count():
    network = hand_made([[[1.0]] * 3, [[float("nan")] * 3] * 2, [[1.0] * 2]], [[0.0] * 3, [0.0] * 2, [0.0]])
    with pytest.raises(InputError, match="not finite"):
        line_creases(network, 32)


def test_duplicate_neurons_count_each():
    network = hand_made([[[1.0], [1.0]], [[1.0, 1.0]]], [[-0.5, -0.5], [0.0]])
    np.testing.assert_allclose(refined_line_creases(network, 9).position, [0.5, 0.5], atol=1e-7)
