"""Local complexity: against sign flips of neighbours, a loop over points, and drawings on paper."""

import math

import numpy as np
import pytest
import torch

from fieldlens.analysis import local_complexity
from fieldlens.analysis.patterns.local_complexity import _corners
from fieldlens.configs.errors import InputError
from tests.support.small_networks import centres, drawn, network_of


@pytest.mark.parametrize("encoding", ["raw", "fourier:3", "hashgrid:3,finest=32"])
def test_at_one_pixel_it_is_whether_any_neighbour_differs(encoding: str) -> None:
    network = network_of(encoding, "2x20")
    side = 24
    found = local_complexity(network, side, side).neurons
    for layer, z in enumerate(network.preactivations(centres(side, side))):
        on = (z > 0).numpy().reshape(side, side, -1)
        left, right, up, down = on[1:-1, :-2], on[1:-1, 2:], on[:-2, 1:-1], on[2:, 1:-1]
        differ = (left != right) | (left != up) | (left != down)
        np.testing.assert_array_equal(found[layer, 1:-1, 1:-1], differ.sum(-1))


def test_a_crease_counts_where_it_parts_the_corners() -> None:
    # at x = 0.5 of 10 pixels; the corners are 2 px from pixel centres, so it parts those of the pixels 3 to 6
    network = drawn(([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [-0.5, 0.0, 1.0]), ([[1.0] * 3], [0.0]))
    found = local_complexity(network, 10, 10, radius_px=2.0)
    np.testing.assert_array_equal(found.neurons[0], np.tile([0, 0, 0, 1, 1, 1, 1, 0, 0, 0], (10, 1)))
    assert found.radius_px == 2


def test_a_turned_frame_has_its_corners_on_the_circle_evenly() -> None:
    # a crease at the distance d from a point parts the corners if the nearest of them is beyond it, that is, if the
    # angle between its normal and that corner, which is even in 0 to 45 degrees, has a cosine above d / r
    network = drawn(([[1.0, 0.0]], [-10 / 2000]), ([[1.0]], [0.0]))  # at 10 pixels of 2000
    found = local_complexity(network, 2000, 10, radius_px=5.0, generator=torch.Generator().manual_seed(0))
    shares = found.neurons[0].mean(0)
    distances = 10 - (np.arange(10) + 0.5)
    expected = np.where(distances < 5, np.arccos(np.minimum(distances / 5, 1)) / (math.pi / 4), 0)
    np.testing.assert_allclose(shares, np.minimum(expected, 1), atol=0.04)


def test_frames_are_square_and_point_everywhere_alike() -> None:
    corners = _corners(4000, torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(corners.norm(dim=-1), torch.ones(4, 4000).double())
    torch.testing.assert_close((corners[0] * corners[1]).sum(-1), torch.zeros(4000).double(), rtol=0, atol=1e-6)
    torch.testing.assert_close(corners[2:], -corners[:2])
    angles = torch.atan2(corners[..., 1], corners[..., 0]).flatten().sort().values
    torch.testing.assert_close(angles, torch.linspace(-math.pi, math.pi, 16000).double(), rtol=0, atol=0.05)


def test_the_frame_is_random_only_by_its_generator() -> None:
    network = network_of("fourier:4", "2x32")

    def turned(seed: int) -> np.ndarray:
        return local_complexity(network, 16, 16, generator=torch.Generator().manual_seed(seed)).neurons

    np.testing.assert_array_equal(turned(1), turned(1))
    assert (turned(1) != turned(2)).any()


def test_it_never_counts_a_neuron_that_a_larger_sample_of_the_disc_does_not() -> None:
    network = network_of("fourier:4", "2x32")
    side, radius = 12, 0.7
    found = local_complexity(network, side, side, radius_px=radius).neurons
    grid = torch.linspace(-radius, radius, 15)
    offsets = torch.cartesian_prod(grid, grid)
    offsets = offsets[offsets.norm(dim=1) <= radius + 1e-6] / side
    x = (centres(side, side)[:, None] + offsets).flatten(0, 1)
    for layer, z in enumerate(network.preactivations(x)):
        on = (z > 0).unflatten(0, (side * side, -1))
        seen = (on.any(1) & ~on.all(1)).sum(-1).reshape(side, side).numpy()
        assert (found[layer] <= seen).all()
        assert found[layer].sum() > 0.5 * seen.sum()


def test_a_stride_leaves_out_pixels() -> None:
    network = network_of("fourier:3", "2x128")
    every, some = local_complexity(network, 60, 90), local_complexity(network, 60, 90, stride=4)
    np.testing.assert_allclose(some.neurons, every.neurons[:, 2::4, [*range(2, 90, 4), 89]], atol=1)


@pytest.mark.parametrize("radius", [0.0, -1.0, math.nan, math.inf])
def test_a_radius_that_is_none_is_refused(radius: float) -> None:
    with pytest.raises(InputError, match="radius"):
        local_complexity(network_of("raw", "1x4"), 4, 4, radius_px=radius)
