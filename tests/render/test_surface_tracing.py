"""Surfaces seen along rays, against spheres whose silhouette, depth and normals have closed forms."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.render.camera import Rays, looking_at, perspective
from fieldlens.render.surface import SEARCH_CELLS, cells_near_surface, shade, trace

CENTRE, RADIUS = torch.tensor([0.5, 0.45, 0.55]), 0.3


def sphere(x: Tensor) -> Tensor:
    """The signed distance to a sphere that lies off the cube's middle."""
    return (x - CENTRE).norm(dim=1, keepdim=True) - RADIUS


def closed_form(rays: Rays) -> Tensor:
    """Distances to the sphere: the smaller root of a quadratic; infinite for rays that miss."""
    towards = (rays.origins - CENTRE).double()
    b = (towards * rays.directions).sum(1)
    discriminant = b**2 - (towards**2).sum(1) + RADIUS**2
    return torch.where(discriminant > 0, -b - discriminant.clamp(min=0).sqrt(), torch.inf)


def camera_rays() -> Rays:
    return perspective(60, 80, 0.7, looking_at((2.0, -1.0, 1.5), (0.5, 0.5, 0.5))).rays()


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_depth_silhouette_and_normals_are_those_of_the_sphere(scale: float) -> None:
    rays = camera_rays()
    truth = closed_form(rays)
    hits = trace(lambda x: scale * sphere(x), rays)
    grazing = (
        (rays.origins - CENTRE).double().cross(rays.directions.double(), dim=1).norm(dim=1) - RADIUS
    ).abs() < 1e-4
    assert (hits.distances.isfinite() == truth.isfinite())[~grazing].all()
    met = truth.isfinite() & ~grazing
    assert 500 < met.sum() < 3000
    torch.testing.assert_close(hits.distances[met].double(), truth[met], atol=1e-4, rtol=0)
    points = rays.origins[met] + hits.distances[met, None] * rays.directions[met]
    torch.testing.assert_close(hits.normals[met], (points - CENTRE) / RADIUS, atol=1e-3, rtol=0)
    assert (hits.normals[~hits.distances.isfinite()] == 0).all()


def test_few_points_are_asked_compared_with_all_steps_of_all_rays() -> None:
    asked = 0

    def counted(x: Tensor) -> Tensor:
        nonlocal asked
        asked += len(x)
        return sphere(x)

    rays = perspective(200, 200, 0.7, looking_at((2.0, -1.0, 1.5), (0.5, 0.5, 0.5))).rays()
    trace(counted, rays)
    assert asked < (SEARCH_CELLS + 1) ** 3 + 12 * len(rays.origins)


def test_a_surface_that_was_looked_for_before_is_seen_alike_for_fewer_points() -> None:
    asked = []

    def counted(x: Tensor) -> Tensor:
        asked.append(len(x))
        return sphere(x)

    near_surface = cells_near_surface(sphere)
    anew, known = trace(sphere, camera_rays()), trace(counted, camera_rays(), near_surface=near_surface)
    assert all(torch.equal(one, other) for one, other in zip(anew, known, strict=True))
    without_search = sum(asked)
    asked.clear()
    trace(counted, camera_rays())
    assert sum(asked) == without_search + (SEARCH_CELLS + 1) ** 3


def test_in_a_coarser_grid_depths_stay_and_far_fewer_points_are_asked() -> None:
    asked = []

    def counted(x: Tensor) -> Tensor:
        asked.append(len(x))
        return sphere(x)

    rays, cells = camera_rays(), SEARCH_CELLS // 2
    truth = closed_form(rays)
    hits = trace(counted, rays, near_surface=cells_near_surface(counted, cells=cells))
    coarse = sum(asked)
    met = truth.isfinite() & hits.distances.isfinite()
    assert met.sum() > 0.98 * truth.isfinite().sum()
    torch.testing.assert_close(hits.distances[met].double(), truth[met], atol=2e-4, rtol=0)
    asked.clear()
    trace(counted, rays)
    assert coarse < sum(asked) / 3


def test_what_lies_outside_the_cube_is_not_seen_and_what_the_cube_cuts_ends_at_its_side() -> None:
    rays = Rays(torch.tensor([[-1.0, 0.5, 0.5], [-1.0, 1.5, 0.5]]), torch.tensor([[1.0, 0, 0], [1.0, 0, 0]]))
    hits = trace(lambda x: x[:, :1] - 0.25, rays)
    assert hits.distances.tolist() == [1.0, math.inf]


def test_rays_that_start_inside_the_cube_see_what_lies_ahead() -> None:
    rays = Rays(torch.tensor([[0.5, 0.45, 0.98]]), torch.tensor([[0.0, 0, -1]]))
    assert trace(sphere, rays).distances.item() == pytest.approx(0.13, abs=1e-5)


def test_results_do_not_depend_on_how_rays_are_cut_into_chunks_and_progress_ends_at_one() -> None:
    rays, told = camera_rays(), []
    whole, parts = trace(sphere, rays), trace(sphere, rays, chunk=777, progress=told.append)
    torch.testing.assert_close(parts, whole)
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_function_without_a_zero_is_seen_nowhere() -> None:
    assert trace(lambda x: torch.ones_like(x[:, :1]), camera_rays()).distances.isinf().all()


@pytest.mark.parametrize("up", [(0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)])
def test_shading_is_lighter_above_than_below_and_white_where_nothing_is(up: tuple[float, float, float]) -> None:
    normals = np.stack([up, np.negative(up), np.zeros(3)]).astype(np.float32)
    above, below, nothing = shade(normals, np.array([True, True, False]), up)
    assert 0.9 >= above[0] > below[0] > 0.1
    assert nothing.tolist() == [1, 1, 1]
