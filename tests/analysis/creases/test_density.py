"""Co-area and bend density: against lengths drawn on paper, second differences, and crossings of the same network."""

import math

import numpy as np
import pytest
import torch

from fieldlens.analysis import ReluNetwork, crease_density, crossings, relu_network
from fieldlens.configs.encoding import parse_encoding
from fieldlens.configs.network import parse_network
from fieldlens.fields import Field, build


def field_of(encoding: str, network: str, seed: int = 0) -> Field:
    return build(parse_encoding(encoding), parse_network(network), 2, 3, torch.Generator().manual_seed(seed))


def single_crease(
    angle: float,
    steepness: float,
    outputs: list[float],
    *,
    shift: float = 0.001,
    negative_slope: float = 0.0,
    sigmoid_output: bool = False,
) -> ReluNetwork:
    """One neuron with its gradient at that angle, its crease `shift` beyond (0.5, 0.5)."""
    normal = torch.tensor([[math.cos(angle), math.sin(angle)]]) * steepness
    return ReluNetwork(
        encode=lambda x: x,
        encode_with_tangents=lambda x: (x, torch.eye(2).expand(len(x), 2, 2)),
        weights=(normal, torch.tensor(outputs)[:, None]),
        biases=(-normal.sum(1) / 2 - shift * steepness, torch.zeros(len(outputs))),
        negative_slope=negative_slope,
        sigmoid_output=sigmoid_output,
    )


@pytest.mark.parametrize(
    ("angle", "period_px"), [(0.0, 1.0), (0.3, 1.0), (math.pi / 4, 1 / math.sqrt(2)), (1.2, 1.0), (2.5, 1.0)]
)
@pytest.mark.parametrize("half_width_px", [0.5, 2.0])
def test_a_straight_crease_has_its_length_on_average_over_where_it_falls_between_pixels(
    angle: float, period_px: float, half_width_px: float
) -> None:
    side, shifts = 100, 40
    found = [
        crease_density(
            single_crease(angle, 3.0, [1.0], shift=((k + 0.5) / shifts - 0.5) * period_px / side),
            side,
            side,
            half_width_px=half_width_px,
        ).length.sum()
        for k in range(shifts)
    ]
    # the chord of the picture through its centre, in pixels
    chord = side / max(abs(math.cos(angle)), abs(math.sin(angle)))
    assert np.mean(found) == pytest.approx(chord, rel=0.02)


def test_bend_is_the_length_times_the_jump_of_the_outputs_slope() -> None:
    # |D^2 f| of (3, 4) relu(2 n . x): a jump of 2 * 5 per unit, so 10 / 100 per pixel, along 100 pixels
    density = crease_density(single_crease(0.0, 2.0, [3.0, 4.0]), 100, 100, bend=True)
    assert density.bend is not None
    assert density.bend.sum() == pytest.approx(100 * 10 / 100, rel=0.02)


def test_a_leaky_crease_bends_less_and_is_as_long() -> None:
    plain = crease_density(single_crease(0.3, 2.0, [1.0]), 50, 50, bend=True)
    leaky = crease_density(single_crease(0.3, 2.0, [1.0], negative_slope=0.25), 50, 50, bend=True)
    np.testing.assert_array_equal(leaky.length, plain.length)
    assert leaky.bend is not None
    assert plain.bend is not None
    np.testing.assert_allclose(leaky.bend, 0.75 * plain.bend, rtol=1e-5)


def test_a_sigmoid_output_scales_the_bend_by_its_own_slope() -> None:
    linear = crease_density(single_crease(0.3, 2.0, [1.0]), 50, 50, bend=True)
    # along the crease the output is sigmoid(0), whose slope is 1/4
    squashed = crease_density(single_crease(0.3, 2.0, [1.0], sigmoid_output=True), 50, 50, bend=True)
    assert linear.bend is not None
    assert squashed.bend is not None
    np.testing.assert_allclose(squashed.bend, linear.bend / 4, rtol=0.02)


@torch.no_grad()
def test_bend_of_a_random_raw_network_is_all_of_its_second_derivative() -> None:
    field = field_of("raw", "3x24")
    density = crease_density(relu_network(field), 256, 256, bend=True)
    assert density.bend is not None
    # Independently: jumps of autograd's gradient along fine lines in four directions, through the disc in the picture
    steps = 2048
    centre = (torch.arange(steps, dtype=torch.float64) + 0.5) / steps
    lines = (torch.arange(64, dtype=torch.float64) + 0.5) / 64
    total = []
    for direction in ([1, 0], [0, 1], [1, 1], [1, -1]):
        unit = torch.tensor(direction, dtype=torch.float64) / math.hypot(*direction)
        # lines through the disc of radius 1/2 inscribed in the picture, weighted by their length in it
        offset = lines - 0.5
        half = (0.25 - offset**2).sqrt()
        normal = torch.tensor([-unit[1], unit[0]])
        along = (centre * 2 - 1)[None, :, None] * half[:, None, None] * unit
        points = 0.5 + offset[:, None, None] * normal + along
        with torch.enable_grad():
            x = points.flatten(0, 1).float().requires_grad_()
            y = field(x)
            gradient = torch.stack([torch.autograd.grad(y[:, c].sum(), x, retain_graph=True)[0] for c in range(3)], 1)
        gradient = gradient.unflatten(0, (64, steps))
        jumps = (gradient[:, 1:] - gradient[:, :-1]).flatten(2).norm(dim=-1).sum()
        total.append(float(jumps) / 64)  # the integral over the offset of the variation of grad f along each line
    # Crofton: the length is pi/2 times the mean over directions of the crossings; each crossing weighs |jump|
    expected = math.pi / 2 * np.mean(total)
    y, x = np.mgrid[:256, :256] / 256 + 0.5 / 256 - 0.5
    inside = np.hypot(x, y) < 0.5
    assert density.bend[:, inside].sum() == pytest.approx(expected, rel=0.03)  # (value/px) * px = value per unit * unit


@pytest.mark.parametrize(
    ("encoding", "side", "refine"), [("raw:0..1", 160, 1), ("raw", 160, 1), ("fourier:2", 128, 2), ("fourier:4", 96, 4)]
)
def test_crofton_and_coarea_agree_on_the_same_network(encoding: str, side: int, refine: int) -> None:
    network = relu_network(field_of(encoding, "4x128"))
    crofton = crossings(network, side, side, refine=refine).crofton
    coarea = crease_density(network, side, side).length
    assert crofton.sum() == pytest.approx(coarea.sum(), rel=0.02)
    np.testing.assert_allclose(crofton.mean((1, 2)), coarea.mean((1, 2)), rtol=0.1)


def test_length_per_unit_area_is_known_for_the_papers_network_at_initialisation() -> None:
    # science 3.4: 668 per unit for raw 4x512 on [0, 1], 8.9e3 for four octaves
    def mean_length(encoding: str) -> float:
        networks = [relu_network(field_of(encoding, "4x512", seed)) for seed in range(8)]
        return float(np.mean([crease_density(n, 24, 24).length.sum(0).mean() * 24 for n in networks]))

    assert mean_length("raw:0..1") == pytest.approx(668, rel=0.10)
    assert mean_length("fourier:4") == pytest.approx(8.9e3, rel=0.10)


def test_density_without_bend_is_the_same_and_stride_leaves_out_pixels() -> None:
    network = relu_network(field_of("fourier:3", "2x32"))
    both, length = crease_density(network, 21, 34, bend=True), crease_density(network, 21, 34)
    assert length.bend is None
    np.testing.assert_allclose(both.length, length.length)
    some = crease_density(network, 21, 34, stride=8)
    np.testing.assert_allclose(some.length, length.length[:, [4, 12, 20]][..., [4, 12, 20, 28, 33]], atol=1.01)
    assert length.crossings_per_pixel.shape == (21, 34)


def test_a_hash_grids_own_lines_are_told_apart_from_creases() -> None:
    density = crease_density(relu_network(field_of("hashgrid:3,finest=64", "2x8")), 32, 32)
    # grids of 16, 32 and 64 squares: twice as many units of line in a unit square, over 32 pixels
    assert density.grid_length == pytest.approx(2 * (16 + 32 + 64) / 32)
    assert crease_density(relu_network(field_of("raw", "2x8")), 8, 8).grid_length == 0


def test_a_network_without_slope_has_no_crease_even_at_zero() -> None:
    flat = single_crease(0.0, 0.0, [1.0])
    density = crease_density(flat, 8, 8, bend=True)
    assert density.length.sum() == 0
    assert density.bend is not None
    assert density.bend.sum() == 0
