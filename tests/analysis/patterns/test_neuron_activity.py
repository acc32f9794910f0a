"""Where neurons work: drawn on paper, against a plain count, and against crossings' own states."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from fieldlens.analysis import crossings, neuron_activity, neuron_states
from fieldlens.configs.errors import InputError
from tests.support.small_networks import centres, drawn, network_of


def test_a_neuron_that_is_on_in_a_corner_has_its_share_centre_and_spread() -> None:
    # on where x > 0.5, and where x > 0.5 and y > 0.75, in a picture of 8 x 4 pixels (so y ends at 0.5)
    network = drawn(
        ([[1.0, 0.0], [0.0, 1.0]], [-0.5, -0.25]), ([[1.0, 0.0], [1.0, 1.0]], [0.0, -9.0]), ([[1.0] * 2], [0.0])
    )
    first, second = neuron_activity(network, 4, 8)
    np.testing.assert_allclose(first.on_share, [0.5, 0.5])
    np.testing.assert_allclose(first.centre, [[6.0, 2.0], [4.0, 3.0]])
    np.testing.assert_allclose(first.spread[0], [math.sqrt(15 / 12), math.sqrt(15 / 12)])  # of four pixels in a row
    np.testing.assert_allclose(first.spread[1], [math.sqrt(63 / 12), math.sqrt(3 / 12)])
    np.testing.assert_array_equal(first.on_count[0], [0] * 4 + [1] * 4)
    np.testing.assert_array_equal(first.on_count[3], [1] * 4 + [2] * 4)
    assert (first.live, first.dead, first.always_on) == (2, 0, 0)
    assert (second.live, second.dead, second.always_on) == (1, 1, 0)
    assert np.isnan(second.centre[1]).all()
    assert np.isnan(second.spread[1]).all()


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("encoding", ["raw", "fourier:4", "hashgrid:3,finest=32"])
def test_activity_is_what_a_plain_count_over_all_pixels_gives(encoding: str, stride: int) -> None:
    network = network_of(encoding, "2x128")
    x = centres(80, 120, stride)
    for layer, (found, z) in enumerate(
        zip(neuron_activity(network, 80, 120, stride=stride), network.preactivations(x), strict=True)
    ):
        on = (z > 0).numpy()
        np.testing.assert_allclose(found.on_share, on.mean(0), rtol=1e-12)
        np.testing.assert_array_equal(found.on_count.ravel(), on.sum(1))
        for neuron in np.flatnonzero(on.any(0))[:20]:
            where = x.double().numpy()[on[:, neuron]] * 120
            np.testing.assert_allclose(found.centre[neuron], where.mean(0), rtol=1e-5, err_msg=f"layer {layer}")
            np.testing.assert_allclose(found.spread[neuron], where.std(0), rtol=1e-5, atol=1e-5)


def test_dead_and_always_on_neurons_are_those_that_crossings_counts() -> None:
    network = network_of("raw:0..1", "3x64")
    found, counted = neuron_activity(network, 64, 64), crossings(network, 64, 64)
    # crossings looks at pixels' corners, the picture's border among them: a neuron may be live only there
    assert [layer.live for layer in found] == pytest.approx(counted.live.tolist(), abs=3)
    assert sum(layer.dead for layer in found) > 20
    assert sum(layer.always_on for layer in found) > 10


def test_a_network_without_weights_is_dead_or_always_on() -> None:
    (found,) = neuron_activity(drawn(([[0.0, 0.0], [0.0, 0.0]], [0.0, 1.0]), ([[1.0, 1.0]], [0.0])), 3, 5)
    assert (found.dead, found.always_on, found.live) == (1, 1, 0)
    np.testing.assert_allclose(found.centre[1], [2.5, 1.5])
    np.testing.assert_allclose(found.spread[1], [math.sqrt(2), math.sqrt(2 / 3)])


def test_weights_that_are_no_numbers_are_refused() -> None:
    network = network_of("raw", "2x4")
    broken = dataclasses.replace(network, biases=(torch.full((4,), math.nan), *network.biases[1:]))
    with pytest.raises(InputError, match="not finite"):
        neuron_activity(broken, 4, 4)
    with pytest.raises(InputError, match="not finite"):
        neuron_states(broken, torch.zeros(1, 2))


def test_over_a_part_of_a_volume_fewer_neurons_are_live_than_over_all_of_it() -> None:
    network = network_of("raw:0..1", "3x64", dim=3)
    points = torch.rand(40_000, 3, generator=torch.Generator().manual_seed(0))
    part = points[(points - 0.5).norm(dim=1) < 0.2]
    everywhere, there = neuron_states(network, points), neuron_states(network, part)
    for found, x in ((everywhere, points), (there, part)):
        bits = [(z > 0) for z in network.preactivations(x)]
        assert found.dead.tolist() == [int((~on.any(0)).sum()) for on in bits]
        assert found.always_on.tolist() == [int(on.all(0).sum()) for on in bits]
        assert found.neurons.tolist() == [64, 64, 64]
        assert (found.live == found.neurons - found.dead - found.always_on).all()
    assert (there.live < everywhere.live).all()


def test_over_pixels_corners_states_are_those_that_crossings_counts() -> None:
    network = network_of("fourier:2", "2x64")
    counted = crossings(network, 20, 20)
    corners = torch.cartesian_prod(torch.arange(21) / 20, torch.arange(21) / 20)
    found = neuron_states(network, corners)
    assert (found.dead.tolist(), found.always_on.tolist()) == (counted.dead.tolist(), counted.always_on.tolist())


def test_over_no_points_no_neuron_is_called_dead() -> None:
    with pytest.raises(InputError, match="no"):
        neuron_states(network_of("raw", "2x4", dim=3), torch.zeros(0, 3))
