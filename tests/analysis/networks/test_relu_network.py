"""The network the analysis sees: the field's own numbers, exact gradients, and no SIREN."""

import pytest
import torch

from fieldlens.analysis import relu_network
from fieldlens.analysis.networks.scratch import Scratch
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.errors import InputError
from fieldlens.configs.network import parse_network
from fieldlens.fields import Field, build

WORDS = [
    "raw",
    "fourier:4",
    "fourier:3,include_input=true",
    "fourier:3,interval=-1..0.5",
    "gaussian:3,features=16",
    "basic",
    "hashgrid:4,finest=40",
]


def field_of(encoding: str, network: str, seed: int = 0, channels: int = 3) -> Field:
    generator = torch.Generator().manual_seed(seed)
    return build(parse_encoding(encoding), parse_network(network), 2, channels, generator)


def some_points(n: int = 50) -> torch.Tensor:
    return torch.rand(n, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("network", ["3x24", "2x16,leaky_relu"])
@pytest.mark.parametrize("encoding", WORDS)
def test_preactivations_are_the_fields_own(encoding: str, network: str) -> None:
    field = field_of(encoding, network)
    x = some_points()
    seen = [z.clone() for z in relu_network(field).preactivations(x)]
    for z, expected in zip(seen, field.preactivations(x), strict=True):
        torch.testing.assert_close(z, expected)


@torch.no_grad()
@pytest.mark.parametrize("network", ["3x24", "2x16,leaky_relu"])
@pytest.mark.parametrize("encoding", WORDS)
def test_tangents_are_the_gradients_autograd_finds(encoding: str, network: str) -> None:
    field = field_of(encoding, network)
    x = some_points()
    layers = relu_network(field).preactivations_with_tangents(x, Scratch(x.device))
    seen = [(layer.z.clone(), layer.tangents.clone()) for layer in layers]
    for index, (z, tangents) in enumerate(seen):
        with torch.enable_grad():
            points = x.clone().requires_grad_()
            expected = list(field.preactivations(points))[index]
            gradients = [
                torch.autograd.grad(expected[:, neuron].sum(), points, retain_graph=True)[0]
                for neuron in range(expected.shape[1])
            ]
        torch.testing.assert_close(z, expected)
        torch.testing.assert_close(tangents, torch.stack(gradients, 1).permute(2, 0, 1), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("encoding", WORDS)
def test_tangents_along_given_directions_are_sums_of_those_along_the_axes(encoding: str) -> None:
    network = relu_network(field_of(encoding, "3x24"))
    x = some_points()
    directions = torch.randn(len(x), 3, 2, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        along, axes = (
            [layer.tangents.clone() for layer in network.preactivations_with_tangents(x, Scratch(x.device), given)]
            for given in (directions, None)
        )
        for found, expected in zip(along, axes, strict=True):
            torch.testing.assert_close(found, torch.einsum("nka,anw->knw", directions, expected), rtol=1e-3, atol=1e-3)


def test_a_smooth_network_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match=r"'sine' is smooth and has no creases"):
        relu_network(field_of("raw", "2x16,sine"))


def test_a_networks_widths_are_those_of_its_hidden_layers() -> None:
    assert relu_network(field_of("raw", "3x24")).width_per_layer == (24, 24, 24)


def test_only_a_hash_grid_brings_lines_of_its_own() -> None:
    assert relu_network(field_of("fourier:4", "2x8")).grid_resolutions == ()
    assert relu_network(field_of("hashgrid:3,finest=64", "2x8")).grid_resolutions == (16, 32, 64)
