"""A field as plain arrays."""

import numpy as np
import pytest
import torch

from fieldlens.configs.encoding import Basic, Encoding, Fourier, Gaussian, HashGrid, Positional, Raw
from fieldlens.configs.network import Network
from fieldlens.fields.plain import PlainFormulas, PlainGrid, half_rounding, plain_field
from tests.support.small_fits import start

FORMULAS: list[Encoding] = [Raw(), Fourier(5, include_input=True), Basic(), Positional(5, features=8), Gaussian(3, 7)]

POINTS = np.random.default_rng(0).random((50, 2)).astype(np.float32)


@pytest.mark.parametrize("encoding", FORMULAS, ids=str)
@pytest.mark.parametrize("network", [Network(9, 2), Network(9, 3, "leaky_relu", "sigmoid"), Network(9, 1, "sine")])
def test_its_arrays_alone_give_the_fields_values(encoding: Encoding, network: Network):
    field = start(3, encoding, network).field
    plain = plain_field(field)
    assert isinstance(plain.encoding, PlainFormulas)
    waves = np.sin(POINTS @ plain.encoding.rates.T + plain.encoding.phases)
    h = np.concatenate([POINTS @ plain.encoding.scale.T + plain.encoding.shift, waves], 1)
    for number, (weight, bias) in enumerate(zip(plain.weights, plain.biases, strict=True), 1):
        h = h @ weight.T + bias
        if number < len(plain.weights):
            h = np.sin(30 * h) if plain.activation == "sine" else np.where(h > 0, h, plain.negative_slope * h)
    h = 1 / (1 + np.exp(-h)) if plain.output == "sigmoid" else h
    assert np.abs(h - field(torch.from_numpy(POINTS)).detach().numpy()).max() < 1e-5


def test_a_hash_grids_table_goes_along_with_the_shape_of_its_levels():
    field = start(0, HashGrid(levels=3, features=2, log2_size=5, base=2, finest=8), Network(4, 1)).field
    plain = plain_field(field)
    assert isinstance(plain.encoding, PlainGrid)
    assert (plain.encoding.resolutions, plain.encoding.sizes) == ((2, 4, 8), (9, 25, 32))
    assert plain.learnt[-1].shape == (9 + 25 + 32, 2)
    assert sum(part.size for part in plain.learnt) == sum(parameter.numel() for parameter in field.parameters())


def test_its_arrays_stay_as_they_were_when_the_field_is_trained_on():
    field = start().field
    plain = plain_field(field)
    before = plain.weights[0].copy()
    with torch.no_grad():
        field.mlp.linears[0].weight.add_(1)
    assert np.array_equal(plain.weights[0], before)


def test_rounding_to_halves_is_nothing_for_weights_that_halves_have_and_infinite_where_they_overflow():
    field = start(0, Raw(), Network(4, 1)).field
    with torch.no_grad():
        for parameter in field.parameters():
            parameter.copy_(parameter.half().float())
    assert half_rounding(field) == 0
    with torch.no_grad():
        field.mlp.linears[-1].bias[0] = 1 + 2**-12  # halfway between two halves
    assert half_rounding(field) == pytest.approx(2**-12, rel=1e-3)
    with torch.no_grad():
        field.mlp.linears[-1].bias[0] = 1e6
    assert half_rounding(field) == float("inf")
