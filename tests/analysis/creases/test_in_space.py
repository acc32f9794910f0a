"""Creases in space: planes and a sphere whose area is known, lines thrown at random, and pictures of surfaces.

The oracle for what a picture shows is the picture itself: patterns at the points of a surface that a camera sees
through ever finer parts of its pixels, compared with those beside them.
"""

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor, nn

from fieldlens.analysis import (
    Plane,
    count_cells,
    crease_area_density,
    crease_density,
    crease_slice,
    crossings,
    crossings_along,
    footprint_density,
    on_plane,
    per_diagonal,
    relu_network,
)
from fieldlens.configs.errors import InputError
from fieldlens.render.camera import Camera, looking_at, perspective
from tests.support.pictured_surfaces import Surface, picture_of, plane_through, seen, sphere
from tests.support.small_networks import drawn, network_of


def random_points(n: int, low: float = 0.0, high: float = 1.0, seed: int = 0) -> Float[Tensor, "n 3"]:
    return low + (high - low) * torch.rand(n, 3, generator=torch.Generator().manual_seed(seed))


def directions(n: int, seed: int = 0) -> Float[Tensor, "n 3"]:
    return nn.functional.normalize(torch.randn(n, 3, generator=torch.Generator().manual_seed(seed)), dim=1)


# Area per volume.


@pytest.mark.parametrize("half_width", [0.002, 0.03])
def test_parallel_planes_at_a_distance_have_one_over_it_of_area_per_volume(half_width: float) -> None:
    spacing, planes = 0.05, 9
    normal = directions(1)[0]
    offsets = [spacing * (k - planes // 2) for k in range(planes)]
    steepness = [1.0 + k for k in range(planes)]  # how steep a neuron is does not matter
    network = drawn(
        (
            [(s * normal).tolist() for s in steepness],
            [-s * (0.5 * float(normal.sum()) + o) for s, o in zip(steepness, offsets, strict=True)],
        ),
        ([[1.0] * planes], [0.0]),
    )
    # over three whole periods, at places spread evenly along the normal and at random beside it
    along = (torch.arange(3000) + 0.5) / 3000 * 3 * spacing - 1.5 * spacing
    beside = torch.linalg.cross(directions(3000, 1) * 0.2, normal.expand(3000, 3))
    found = crease_area_density(network, 0.5 + along[:, None] * normal + beside, half_width=half_width)
    assert float(found.mean()) == pytest.approx(1 / spacing, rel=2e-3)


def test_a_spherical_crease_has_the_area_of_the_sphere_and_errs_as_the_square_of_the_band() -> None:
    radius, half_width = 0.3, 0.05
    crease = nn.Linear(1, 1)
    with torch.no_grad():
        crease.weight.fill_(2.0)
        crease.bias.fill_(-2.0 * radius)
    model = nn.Sequential(crease, nn.ReLU(), nn.Linear(1, 1))
    network = relu_network(model, lambda x: (x - 0.5).norm(dim=1, keepdim=True), dim=3)
    side = 48
    grid = (torch.cartesian_prod(*[torch.arange(side)] * 3) + 0.5) / side
    points = grid + (random_points(side**3) - 0.5) / side
    found = crease_area_density(network, points, half_width=half_width).mean()
    # the shell |r - R| < w, over 2 w
    expected = 4 * math.pi * (radius**2 + half_width**2 / 3)
    assert float(found) == pytest.approx(expected, rel=3e-3)


def test_layers_are_told_apart() -> None:
    # x = 0.2 and y = 0.5; then, where x > 0.2 only, x = 0.6, and a neuron that is always on
    network = drawn(
        ([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [-0.2, -0.5]),
        ([[1.0, 0.0], [0.0, 1.0]], [-0.4, 1.0]),
        ([[1.0] * 2], [0.0]),
    )
    points = torch.tensor([[0.2, 0.1, 0.3], [0.6, 0.1, 0.9], [0.6, 0.5, 0.9], [0.2, 0.5, 0.0], [0.4, 0.3, 0.2]])
    found = crease_area_density(network, points, half_width=0.01)
    assert (found * 0.02).round().tolist() == [[1, 0, 1, 2, 0], [0, 1, 1, 0, 0]]


@torch.no_grad()
@pytest.mark.parametrize("encoding", ["raw", "fourier:3", "gaussian:2,features=16", "hashgrid:3,finest=64"])
def test_it_counts_the_neurons_whose_tangent_plane_is_near_by_autograds_gradients(encoding: str) -> None:
    network = network_of(encoding, "2x24", dim=3)
    points = random_points(40, seed=3)
    half_width = 0.02
    with torch.enable_grad():
        x = points.clone().requires_grad_()
        h, expected = network.encode(x), []
        for weight, bias in zip(network.weights[:-1], network.biases[:-1], strict=True):
            z = h @ weight.T + bias
            slopes = torch.stack([torch.autograd.grad(one.sum(), x, retain_graph=True)[0] for one in z.T], 1).norm(
                dim=2
            )
            expected.append((z.abs() < half_width * slopes).sum(1) / (2 * half_width))
            h = z.relu()
    found = crease_area_density(network, points, half_width=half_width)
    assert float(found.sum()) > 0
    torch.testing.assert_close(found, torch.stack(expected))


@pytest.mark.parametrize(("encoding", "steps"), [("raw:0..1", 500), ("raw", 500), ("fourier:3", 2000)])
def test_it_is_twice_the_crossings_per_length_of_isotropic_random_lines(encoding: str, steps: int) -> None:
    network = network_of(encoding, "3x128", dim=3)
    # lines that hit a ball, uniform and isotropic: a direction, and a place in the disc across it
    lines, radius = 400, 0.5
    along = directions(lines)
    across = nn.functional.normalize(torch.linalg.cross(along, directions(lines, 1)), dim=1)
    offset = radius * torch.rand(lines, 1, generator=torch.Generator().manual_seed(2)).sqrt()
    half = (radius**2 - offset**2).sqrt()
    starts, ends = (0.5 + offset * across + sign * half * along for sign in (-1, 1))
    ends_of_all = zip(starts.tolist(), ends.tolist(), strict=True)
    met = np.stack([crossings_along(network, tuple(a), tuple(b), steps).sum() for a, b in ends_of_all])
    length = 2 * half[:, 0].numpy()
    per_length = met.sum() / length.sum()
    inside = random_points(24_000, seed=4)
    inside = inside[(inside - 0.5).norm(dim=1) < radius]
    found = crease_area_density(network, inside).sum(0).numpy()
    # of a ratio of sums over lines, and of a mean over points; narrow enough to tell 2 from pi / 2 and 4 / pi
    error_of_lines = 2 * np.std(met - per_length * length) / length.mean() / math.sqrt(lines)
    error_of_points = found.std() / math.sqrt(len(found))
    error = math.hypot(error_of_lines, error_of_points)
    assert error < 0.02 * found.mean()
    assert found.mean() == pytest.approx(2 * per_length, abs=3 * error)


# Slices.


@pytest.mark.parametrize("encoding", ["raw", "fourier:3", "hashgrid:2"])
def test_a_slice_is_a_map_of_the_density_with_rows_along_its_second_edge(encoding: str) -> None:
    network = network_of(encoding, "2x16", dim=3)
    found = crease_slice(network, Plane((0.1, 0.2, 0.3), (0.6, 0.0, 0.3), (0.0, 0.5, 0.0)), 5, 8, half_width=0.01)
    assert found.shape == (2, 5, 8)
    middles = [[0.1 + 0.6 * s, 0.2 + 0.5 * t, 0.3 + 0.3 * s] for t in (0.1, 0.9) for s in (0.0625, 0.9375)]
    corners = crease_area_density(network, torch.tensor(middles), half_width=0.01)
    np.testing.assert_array_equal(found[:, [0, 0, 4, 4], [0, 7, 0, 7]], corners)
    assert found.sum() > 0


def test_exact_creases_on_slices_at_random_slants_are_pi_over_four_of_the_area_as_long() -> None:
    network = network_of("raw", "2x24", dim=3)
    slices, side = 100, 0.3
    middles, normals = random_points(slices, 0.2, 0.8), directions(slices, 1)
    u = nn.functional.normalize(torch.linalg.cross(normals, directions(slices, 2)), dim=1)
    v = torch.linalg.cross(normals, u)
    lengths = []
    for middle, along, beside in zip(middles, u, v, strict=True):
        origin = middle - side / 2 * (along + beside)
        cut = Plane(*(tuple(edge.tolist()) for edge in (origin, along, beside)))
        found = count_cells(on_plane(network, cut), (0.0, 0.0, side, side))
        lengths.append(sum(found.length_per_layer) / side**2)
    volume = crease_area_density(network, random_points(20_000, 0.2, 0.8, seed=5)).sum(0)
    error = math.hypot(np.std(lengths) / math.sqrt(slices), math.pi / 4 * float(volume.std()) / math.sqrt(20_000))
    assert error < 0.04 * np.mean(lengths)
    assert np.mean(lengths) == pytest.approx(math.pi / 4 * float(volume.mean()), abs=3 * error)


def test_exact_cells_on_a_slice_have_the_creases_that_patterns_on_it_show() -> None:
    network = on_plane(network_of("raw", "3x48", dim=3), Plane((0.1, 0.9, 0.2), (0.8, 0.0, 0.1), (0.0, -0.3, 0.75)))
    exact = np.array(count_cells(network).length_per_layer)
    counted = crossings(network, 48, 48, refine=4)
    # between four directions' crossings and lengths: 5.2 % for creases of one orientation, much less for many
    np.testing.assert_allclose(counted.crofton.sum((1, 2)) / 48, exact, rtol=0.02)


# Laws of scale.


@pytest.mark.parametrize("encoding", ["raw", "fourier:3"])
def test_coordinates_scaled_by_two_have_twice_the_area_per_volume(encoding: str) -> None:
    network = network_of(encoding, "3x48", dim=3)
    twice = replace(
        network,
        encode=lambda x: network.encode(2 * x),
        encode_with_tangents=lambda x: ((of := network.encode_with_tangents(2 * x))[0], 2 * of[1]),
    )
    points = random_points(3000)
    torch.testing.assert_close(
        crease_area_density(twice, points / 2, half_width=0.01),
        2 * crease_area_density(network, points, half_width=0.02),
    )


def test_a_picture_of_twice_the_resolution_has_half_the_crossings_per_pixel() -> None:
    network = network_of("fourier:3", "3x48", dim=3)
    camera = perspective(32, 32, 0.4, looking_at((2.0, 1.5, 0.2), (0.5, 0.5, 0.5)))
    points = random_points(3000)
    coarse = footprint_density(network, points, *camera.footprint(points), half_width_px=0.5)
    fine = footprint_density(network, points, *camera.resized(64, 64).footprint(points), half_width_px=1.0)
    torch.testing.assert_close(coarse, 2 * fine)


def test_equal_steps_along_two_axes_show_what_the_slice_through_them_has() -> None:
    network = network_of("fourier:2", "3x48", dim=3)
    side, level = 40, 0.37
    on_slice = crease_density(on_plane(network, Plane((0.0, 0.0, level), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0))), side, side)
    y, x = torch.meshgrid((torch.arange(side) + 0.5) / side, (torch.arange(side) + 0.5) / side, indexing="ij")
    points = torch.stack([x, y, torch.full_like(x, level)], -1).flatten(0, 1)
    step = torch.eye(3)[:, None].expand(-1, len(points), -1) / side
    found = footprint_density(network, points, step[0], step[1]).sum(0).reshape(side, side)
    np.testing.assert_allclose(found, on_slice.crossings_per_pixel, atol=2)
    assert float(found.mean()) == pytest.approx(on_slice.crossings_per_pixel.mean(), rel=1e-3)


# What a picture shows of a surface.


CAMERA = perspective(56, 64, 0.3, looking_at((2.1, 1.4, 0.9), (0.5, 0.5, 0.5)))
SURFACES = {
    "facing": plane_through((0.5, 0.5, 0.5), tuple(CAMERA.pose[:3, 2].tolist())),
    "slanted": plane_through((0.5, 0.5, 0.5), (0.3, -0.2, 1.0)),
    "sphere": sphere(0.4),
}


def centre_points(camera: Camera, surface: Surface) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    rows, columns = torch.meshgrid(torch.arange(camera.height), torch.arange(camera.width), indexing="ij")
    return seen(camera, surface, torch.stack([columns, rows], -1).flatten(0, 1) + 0.5)


@pytest.mark.parametrize("encoding", ["raw:0..1", "raw", "fourier:3", "fourier:5"])
@pytest.mark.parametrize("name", SURFACES)
def test_a_picture_of_a_surface_has_the_crossings_that_its_pixels_patterns_show(name: str, encoding: str) -> None:
    network = network_of(encoding, "3x128", dim=3)
    points, normals = centre_points(CAMERA, SURFACES[name])
    found = footprint_density(network, points, *CAMERA.footprint(points, normals)).mean(1).numpy()
    counted = crossings(picture_of(network, CAMERA, SURFACES[name]), 56, 64, refine=4)
    expected = counted.per_pixel.mean((0, 2, 3))
    # at least 3,584 pixels x 0.58 crossings x pi/2 = 3,300 creases are counted, and 1 / sqrt(3,300) = 1.7 %
    assert found.sum() == pytest.approx(expected.sum(), rel=0.017)
    np.testing.assert_allclose(found, expected, rtol=0.03)


@pytest.mark.parametrize("encoding", ["raw", "fourier:4"])
@pytest.mark.parametrize("name", SURFACES)
def test_at_each_pixel_it_is_the_density_of_the_picture_as_a_field_of_image_coordinates(
    name: str, encoding: str
) -> None:
    network = network_of(encoding, "3x64", dim=3)
    points, normals = centre_points(CAMERA, SURFACES[name])
    found = footprint_density(network, points, *CAMERA.footprint(points, normals)).sum(0).reshape(56, 64).numpy()
    expected = crease_density(picture_of(network, CAMERA, SURFACES[name]), 56, 64).crossings_per_pixel
    # a neuron whose crease is just half a pixel away may count in one and not in the other, by rounding
    assert (np.abs(found - expected) > 1e-5).mean() < 0.002


def test_a_slanted_surface_shows_more_creases_than_its_points_have_at_a_fixed_depth() -> None:
    network = network_of("gaussian:2,features=64", "3x128", dim=3)  # no direction of space is unlike another
    points, normals = centre_points(CAMERA, SURFACES["slanted"])
    at_depth, on_surface = (
        footprint_density(network, points, *CAMERA.footprint(points, of)).sum(0).mean() for of in (None, normals)
    )
    # a pixel covers 1 / cosine as much along the slant; crossings, a mean over directions, grow by less
    cosine = abs(float(nn.functional.normalize(normals[0], dim=0) @ torch.from_numpy(CAMERA.forward).float()))
    angle = (torch.arange(1000) + 0.5) / 1000 * math.pi
    stretch = torch.hypot(angle.cos() / cosine, angle.sin()).mean()
    assert float(on_surface / at_depth) == pytest.approx(float(stretch), rel=0.1)


# What is asked for in pieces, in other units, or not at all.


def test_points_in_one_chunk_or_many_and_in_any_order_have_the_same_density() -> None:
    network = network_of("fourier:3", "2x512", dim=3)
    points = random_points(5000)
    shares = []
    found = crease_area_density(network, points, progress=shares.append)
    assert len(shares) > 1
    assert shares[-1] == 1.0
    backwards = crease_area_density(network, points.flip(0).double()).flip(1)
    assert float((found != backwards).float().mean()) < 1e-3
    assert crease_area_density(network, points[:0]).shape == (2, 0)
    assert footprint_density(network, *([points[:0]] * 3)).shape == (2, 0)


def test_per_diagonal_it_does_not_depend_on_how_large_the_cube_is_in_the_world() -> None:
    side = 7.0  # areas grow by its square and volumes by its cube
    density = torch.tensor([3.0, 5.0])
    torch.testing.assert_close(per_diagonal(density), density / side * (side * math.sqrt(3)))


def test_a_point_that_does_not_move_between_pixels_shows_no_crease() -> None:
    network = network_of("raw", "2x16", dim=3)
    points = random_points(20)
    assert footprint_density(network, points, torch.zeros(20, 3), torch.zeros(20, 3)).sum() == 0


def test_what_cannot_be_measured_is_refused() -> None:
    network = network_of("raw", "2x4", dim=3)
    points = random_points(2)
    with pytest.raises(InputError, match="half width"):
        crease_area_density(network, points, half_width=0.0)
    with pytest.raises(InputError, match="half width"):
        footprint_density(network, points, points, points, half_width_px=math.nan)
    with pytest.raises(InputError, match="three coordinates"):
        crease_slice(network, Plane((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)), 4, 4)
    with pytest.raises(InputError, match="at least one row"):
        crease_slice(network, Plane((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), 0, 4)
    broken = dataclasses.replace(network, biases=(torch.full((4,), math.nan), *network.biases[1:]))
    for measure in (
        lambda: crease_area_density(broken, points),
        lambda: footprint_density(broken, points, points, points),
    ):
        with pytest.raises(InputError, match="not finite"):
            measure()
