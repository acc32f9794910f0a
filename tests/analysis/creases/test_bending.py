"""Bending between creases: by second differences in fp64, by autograd, and where it must be none or all."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from fieldlens.analysis import Plane, bending, crease_density, on_plane, relu_network
from fieldlens.configs.errors import InputError
from fieldlens.fields import Field
from tests.support.small_networks import centres, drawn, field_of, network_of


def values_in_double(field: Field, octaves: int, x: np.ndarray) -> np.ndarray:
    """A field of octaves at points (n, 2), all in fp64, features too."""
    angles = [math.pi * 2.0**octave * x for octave in range(octaves)]
    h = np.concatenate([wave for angle in angles for wave in (np.sin(angle), np.cos(angle))], 1)
    *hidden, last = [(layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy())
                     for layer in field.mlp.linears]  # fmt: skip
    for weight, bias in hidden:
        h = np.maximum(h @ weight.T + bias, 0)
    values = h @ last[0].T + last[1]
    return 1 / (1 + np.exp(-values)) if field.mlp.output == "sigmoid" else values


@pytest.mark.parametrize("network", ["3x24", "2x24,sigmoid"])
@pytest.mark.parametrize("octaves", [1, 3])
def test_both_parts_add_up_to_the_variation_of_the_slope_along_rows_and_columns(octaves: int, network: str) -> None:
    field = field_of(f"fourier:{octaves}", network)
    found = bending(relu_network(field), 128, 128)
    lines, steps = 48, 8192
    # steps so short that few hold two creases, whose jumps may cancel
    across, along = (np.arange(lines) + 0.5) / lines, np.arange(steps) / (steps - 1)
    expected = 0.0
    for axis in range(2):
        x = np.stack(np.meshgrid(along, across), -1).reshape(-1, 2)[:, :: 1 - 2 * axis]
        value = values_in_double(field, octaves, x).reshape(lines, steps, -1)
        slope = np.diff(value, axis=1) * (steps - 1)
        expected += float(np.linalg.norm(np.diff(slope, axis=1), axis=-1).sum(1).mean())
    # the variation is value per unit of length and unit of width; the maps are value per square pixel of 1/128
    assert (found.smooth + found.kinks).mean() * 128**2 == pytest.approx(expected, rel=0.03)
    assert 0.1 < found.smooth_share < 0.9  # so that neither part is lost in the other's tolerance


@pytest.mark.parametrize("network", ["3x24", "2x16,leaky_relu", "2x16,sigmoid"])
@pytest.mark.parametrize(
    "encoding",
    ["raw:0..1", "fourier:4", "fourier:2,include_input=true", "gaussian:2,features=16"],
)
def test_the_smooth_part_is_autograds_second_derivative(encoding: str, network: str) -> None:
    field = field_of(encoding, network)
    x = centres(9, 13)
    expected = torch.zeros(2, len(x), 3)
    for channel in range(3):
        leaf = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(field(leaf)[:, channel].sum(), leaf, create_graph=True)
        for axis in range(2):
            if slope.requires_grad:
                (curved,) = torch.autograd.grad(slope[:, axis].sum(), leaf, retain_graph=True, materialize_grads=True)
                expected[axis, :, channel] = curved[:, axis]
    total = (expected.norm(dim=-1).sum(0) / 13**2).reshape(9, 13).numpy()
    found = bending(relu_network(field), 9, 13)
    np.testing.assert_allclose(found.smooth, total, rtol=1e-3, atol=1e-4 * max(total.max(), 1e-30))


def test_raw_coordinates_bend_at_creases_only() -> None:
    network = network_of("raw", "3x24")
    found = bending(network, 40, 30)
    assert found.smooth_share == 0
    bend = crease_density(network, 40, 30, bend=True).bend
    assert bend is not None
    np.testing.assert_array_equal(found.kinks, bend.sum(0))
    assert not np.nan_to_num(found.smooth_share_map).any()
    assert np.isnan(found.smooth_share_map[found.kinks == 0]).all()


def test_a_wave_alone_bends_smoothly_by_its_own_second_derivative() -> None:
    # one neuron that is on everywhere: f = 2 sin(pi x) + const, so that the mean of |f''| is 2 pi^2 * 2 / pi
    network = network_of("fourier:1", "1x1")
    network = dataclasses.replace(
        network,
        weights=(torch.tensor([[2.0, 0.0, 0.0, 0.0]]), torch.tensor([[1.0]])),
        biases=(torch.tensor([9.0]), torch.tensor([0.0])),
    )
    found = bending(network, 100, 100)
    assert found.smooth_share == 1
    assert found.smooth.mean() * 100**2 == pytest.approx(4 * math.pi, rel=1e-3)


def test_a_hash_grids_bends_at_its_own_lines_are_in_neither_part() -> None:
    network = network_of("hashgrid:3,finest=64", "2x8")
    found = bending(network, 32, 32)
    assert found.smooth_share == 0
    assert found.grid_length == crease_density(network, 32, 32).grid_length > 0


def test_a_field_that_does_not_bend_has_no_share() -> None:
    network = network_of("fourier:2", "2x8")
    dead = dataclasses.replace(network, biases=(torch.full((8,), -9.0), torch.full((8,), -9.0), torch.zeros(3)))
    silent = dataclasses.replace(network, weights=(*network.weights[:-1], torch.zeros(3, 8)))
    for straight in (dead, silent):
        assert math.isnan(bending(straight, 8, 8).smooth_share)
        assert np.isnan(bending(straight, 8, 8).smooth_share_map).all()


def test_the_bending_is_that_of_pixels_wherever_they_are_sampled() -> None:
    network = network_of("fourier:4", "2x128")
    told: list[float] = []
    every, some = bending(network, 70, 90, progress=told.append), bending(network, 70, 90, stride=8)
    np.testing.assert_allclose(some.smooth, every.smooth[4::8, [*range(4, 90, 8), 89]], rtol=1e-3)
    assert told == sorted(told)
    assert told[-1] == 1


def test_an_encoding_without_second_derivatives_is_refused() -> None:
    with pytest.raises(InputError, match="encode_second_derivatives"):
        bending(drawn(([[1.0, 0.0]], [0.0]), ([[1.0]], [0.0])), 4, 4)


def test_on_a_plane_the_smooth_part_is_refused_rather_than_that_of_other_points() -> None:
    near = on_plane(network_of("fourier:4", "2x16"), Plane((0.3, 0.2), (0.5, 0.0), (0.0, 0.5)))
    with pytest.raises(InputError):
        bending(near, 8, 8)
