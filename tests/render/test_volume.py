"""Volume rendering: closed forms on analytic volumes, the quadrature's order, packed against dense, gradients."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Bool, Float
from torch import Tensor

from fieldlens.render.camera import Rays, looking_at, perspective
from fieldlens.render.volume import march, render_rays, weights_from_density

Volume = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

EVERYWHERE = torch.ones(4, 4, 4, dtype=torch.bool)


def along_x() -> Rays:
    """A ray through the cube's middle, from x = -1."""
    return Rays(torch.tensor([[-1.0, 0.5, 0.5]]), torch.tensor([[1.0, 0.0, 0.0]]))


def random_rays(count: int, seed: int = 0) -> Rays:
    """Rays from a sphere around the cube towards points in it."""
    draws = torch.Generator().manual_seed(seed)
    origins = torch.nn.functional.normalize(torch.randn(count, 3, generator=draws), dim=1) * 2 + 0.5
    towards = torch.rand(count, 3, generator=draws) - origins
    return Rays(origins, towards / towards.norm(dim=1, keepdim=True))


def grey_fog(density: Callable[[Tensor], Tensor]) -> Volume:
    """A volume of a given density whose colour is its own x."""
    return lambda x, _directions: (x[:, :1], density(x))


@given(st.floats(0.0, 30.0))
def test_a_slab_of_constant_density_stops_as_much_light_as_beer_and_lambert_say(density: float) -> None:
    seen = render_rays(grey_fog(lambda x: torch.full((len(x),), density)), along_x(), EVERYWHERE, 1 / 64, opaque=0.0)
    assert seen.opacity.item() == pytest.approx(-math.expm1(-density), abs=1e-5)
    assert seen.over(torch.ones(1)).item() == pytest.approx(seen.colour.item() + math.exp(-density), abs=1e-5)


def test_the_colour_of_a_slab_is_its_integral_and_the_error_falls_with_the_square_of_the_step() -> None:
    # density a + b x and colour x along the ray: the integral in closed form by a fine midpoint rule in fp64
    a, b = 1.0, 3.0
    t = (np.arange(200_000) + 0.5) / 200_000
    transmittance = np.exp(-(a * t + b * t**2 / 2))
    exact = float(np.mean(transmittance * (a + b * t) * t))
    volume = grey_fog(lambda x: a + b * x[:, 0])
    steps = [1 / 8, 1 / 16, 1 / 32]
    errors = [abs(render_rays(volume, along_x(), EVERYWHERE, step, opaque=0.0).colour.item() - exact) for step in steps]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert errors[-1] < 1e-4
    assert orders == pytest.approx([2, 2], abs=0.1)


def test_the_distance_to_a_wall_is_where_it_begins() -> None:
    wall = grey_fog(lambda x: 1e6 * (x[:, 0] > 0.6))
    seen = render_rays(wall, along_x(), EVERYWHERE, 1 / 200)
    assert seen.distance.item() == pytest.approx(1.6, abs=1 / 200)
    assert seen.opacity.item() == pytest.approx(1)


def test_where_nothing_is_there_is_no_distance_and_the_background_is_seen() -> None:
    seen = render_rays(grey_fog(lambda x: torch.zeros(len(x))), along_x(), EVERYWHERE, 1 / 20)
    assert seen.opacity.item() == 0
    assert seen.distance.isnan().all()
    assert seen.over(torch.tensor([0.25])).item() == 0.25


def dense(volume: Volume, rays: Rays, occupied: Bool[Tensor, "r r r"], step: float) -> Float[Tensor, "n c"]:
    """The same integral without packing, rounds or scans: every ray on its own, one sample after the other."""
    r, colours = len(occupied), []
    for origin, direction in zip(*rays, strict=True):
        with np.errstate(divide="ignore"):
            planes = (np.array([[0.0], [1.0]]) - origin.numpy()) / direction.numpy()
        enter, leave = planes.min(0).max(), planes.max(0).min()
        colour, through = torch.zeros(1), 1.0
        t = enter + step / 2
        while t < leave:
            x = origin + float(t) * direction
            cell = (x * r).long().clamp(0, r - 1)
            if occupied[cell[0], cell[1], cell[2]]:
                emitted, density = volume(x[None], direction[None])
                alpha = -math.expm1(-density.item() * step)
                colour = colour + through * alpha * emitted[0]
                through *= 1 - alpha
            t += step
        colours.append(colour)
    return torch.stack(colours)


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_packed_samples_give_what_a_plain_loop_over_rays_gives(share: float) -> None:
    # corner cells stay occupied, so that both begin counting steps at the cube's faces
    occupied = torch.rand(6, 6, 6, generator=torch.Generator().manual_seed(1)) < share
    occupied[0, 0, 0] = occupied[-1, -1, -1] = True
    volume = grey_fog(lambda x: 40 * (x[:, 1] - x[:, 2]).abs())
    rays = random_rays(40)
    packed = render_rays(volume, rays, occupied, 1 / 24, opaque=0.0).colour
    torch.testing.assert_close(packed, dense(volume, rays, occupied, 1 / 24), atol=1e-4, rtol=1e-4)


@given(st.integers(0, 1000))
def test_opaque_rays_are_not_followed_and_nothing_is_lost_by_it(seed: int) -> None:
    rays = random_rays(20, seed)
    volume = grey_fog(lambda x: 200 * (x[:, 2] > 0.3).float())
    whole, stopped = (render_rays(volume, rays, EVERYWHERE, 1 / 128, opaque=opaque) for opaque in (0.0, 1e-3))
    torch.testing.assert_close(whole.colour, stopped.colour, atol=1e-3, rtol=0)
    assert len(stopped.weights) < len(whole.weights) / 1.5


@given(st.integers(0, 1000), st.floats(0, 1))
def test_samples_lie_in_occupied_cells_in_order_and_a_step_apart(seed: int, offset: float) -> None:
    draws = torch.Generator().manual_seed(seed)
    occupied = torch.rand(5, 5, 5, generator=draws) < 0.4
    rays = random_rays(30, seed)
    samples = march(rays, occupied, 0.02, offset)
    cells = (samples.points(rays) * 5).long().clamp(0, 4)
    assert occupied[cells[:, 0], cells[:, 1], cells[:, 2]].all()
    same_ray = samples.ray[1:] == samples.ray[:-1]
    gaps = (samples.distance[1:] - samples.distance[:-1])[same_ray] / 0.02
    assert (samples.ray[1:] >= samples.ray[:-1]).all()
    torch.testing.assert_close(gaps, gaps.round(), atol=1e-2, rtol=0)
    assert (gaps > 0.5).all()


def test_no_occupied_cell_is_passed_over() -> None:
    # one occupied cell, rays aimed at its middle: as many samples as steps fit in the chord
    occupied = torch.zeros(8, 8, 8, dtype=torch.bool)
    occupied[5, 2, 6] = True
    middle = torch.tensor([5.5, 2.5, 6.5]) / 8
    origins = random_rays(50).origins
    towards = middle - origins
    rays = Rays(origins, towards / towards.norm(dim=1, keepdim=True))
    count = torch.bincount(march(rays, occupied, 1 / 400).ray, minlength=50)
    chords = 1 / 8 / rays.directions.abs().amax(1)  # through the middle of a cube
    torch.testing.assert_close(count.float(), chords * 400, atol=1.01, rtol=0)


def test_rays_that_miss_begin_inside_or_look_away_are_no_trouble() -> None:
    origins = torch.tensor([[-1.0, 2.0, 0.5], [0.5, 0.5, 0.5], [2.0, 0.5, 0.5], [-1.0, 0.0, 0.5]])
    rays = Rays(origins, torch.tensor([[1.0, 0.0, 0.0]]).expand(4, 3))
    count = torch.bincount(march(rays, EVERYWHERE, 0.1).ray, minlength=4)
    assert count[:3].tolist() == [0, 5, 0]  # beside it; from its middle outwards; behind it
    seen = render_rays(grey_fog(lambda x: torch.ones(len(x))), rays, torch.zeros_like(EVERYWHERE), 0.1)
    assert seen.opacity.tolist() == [0, 0, 0, 0]


def test_a_picture_is_where_its_camera_sees_it() -> None:
    camera = perspective(20, 30, 0.8, looking_at((2.5, 0.4, 0.9), (0.5, 0.5, 0.5)))
    centre, radius = torch.tensor([0.6, 0.4, 0.55]), 0.15
    ball = grey_fog(lambda x: 1e4 * ((x - centre).norm(dim=1) < radius))
    rays = camera.rays()
    seen = render_rays(ball, rays, EVERYWHERE, 1 / 400)
    # closed form: a ray meets a sphere where its distance to the centre is below the radius
    to_centre = centre - rays.origins
    along = (to_centre * rays.directions).sum(1)
    off = (to_centre - along[:, None] * rays.directions).norm(dim=1)
    silhouette = off < radius
    sure = (off - radius).abs() > 2e-3
    assert ((seen.opacity > 0.5) == silhouette)[sure].all()
    first = along - (radius**2 - off**2).clamp(min=0).sqrt()
    inside = silhouette & (off < 0.9 * radius)
    torch.testing.assert_close(seen.distance[inside], first[inside], atol=1 / 300, rtol=0)


def test_gradients_are_finite_at_zero_and_at_huge_density_and_agree_with_differences() -> None:
    ray = torch.tensor([0, 0, 0, 1, 1])
    for value in (0.0, 1e8):
        density = torch.full((5,), value, requires_grad=True)
        weights_from_density(density, ray, 0.1).square().sum().backward()
        assert density.grad is not None
        assert density.grad.isfinite().all()
    density = torch.tensor([0.3, 4.0, 0.1, 2.0, 0.7], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda sigma: weights_from_density(sigma, ray, 0.5), density)


def test_other_values_are_accumulated_as_colours_are() -> None:
    rays = random_rays(10)
    volume = grey_fog(lambda x: 8 * x[:, 2])
    seen = render_rays(volume, rays, EVERYWHERE, 0.05)
    again = seen.accumulated(seen.samples.points(rays)[:, :1])
    torch.testing.assert_close(again, seen.colour)
