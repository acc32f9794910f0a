"""Surfaces taken out of fields, and compared, against closed forms."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from fieldlens.analysis.creases.surface import compare_surfaces, extract_surface, iou
from fieldlens.configs.errors import InputError
from fieldlens.scenes.solids.edges import EdgeCounts, count_edges
from fieldlens.scenes.solids.mesh import Mesh
from tests.support.small_meshes import box, icosphere

MIDDLE = (0.5, 0.5, 0.5)


def ball(radius: float) -> Callable[[Tensor], Tensor]:
    """The signed distance to a sphere in the middle of the cube; of no points where the radius is below 0."""
    return lambda x: (x - 0.5).norm(dim=1, keepdim=True) - radius


@pytest.mark.parametrize("resolution", [40, 128, 256])
def test_a_spheres_surface_lies_at_its_radius_closed_and_facing_outwards(resolution: int) -> None:
    told: list[float] = []
    mesh = extract_surface(ball(0.4), resolution, told.append)
    radii = np.linalg.norm(mesh.vertices - 0.5, axis=1)
    np.testing.assert_allclose(radii, 0.4, atol=0.5 / resolution**2)  # linear interpolation: h^2 / 8 r
    assert mesh.volume == pytest.approx(4 / 3 * math.pi * 0.4**3, rel=20 / resolution**2)
    assert mesh.areas.sum() == pytest.approx(4 * math.pi * 0.4**2, rel=20 / resolution**2)
    assert count_edges(mesh.edges) == EdgeCounts(0, 0, 0)
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_axes_come_in_the_right_order() -> None:
    def ellipsoid(x: Tensor) -> Tensor:
        return ((x - torch.tensor([0.4, 0.5, 0.6])) / torch.tensor([0.35, 0.25, 0.1])).norm(dim=1, keepdim=True) - 1

    for resolution in (64, 128):
        mesh = extract_surface(ellipsoid, resolution)
        np.testing.assert_allclose(mesh.vertices.min(0), [0.05, 0.25, 0.5], atol=2e-3)
        np.testing.assert_allclose(mesh.vertices.max(0), [0.75, 0.75, 0.7], atol=2e-3)


def test_two_passes_find_what_one_finds_and_ask_far_less_often() -> None:
    asked = 0

    def wavy(x: Tensor) -> Tensor:
        nonlocal asked
        asked += len(x)
        return ball(0.3)(x) + 0.05 * torch.sin(20 * x).prod(1, keepdim=True)

    mesh = extract_surface(wavy, 128)
    corners = torch.cartesian_prod(*[torch.arange(129) / 128] * 3)
    sparse, asked = asked, 0
    inside = float((wavy(corners) < 0).double().sum()) / 128**3
    assert sparse < 0.3 * asked
    assert mesh.volume == pytest.approx(inside, rel=0.01)


def test_what_reaches_the_cubes_sides_is_closed_there() -> None:
    mesh = extract_surface(lambda x: x[:, :1] - 0.3, 32)
    assert count_edges(mesh.edges).open == 0
    assert mesh.volume == pytest.approx(0.3, rel=1e-3)
    assert mesh.vertices.min() >= 0
    assert mesh.vertices.max() <= 1


def test_a_function_without_a_zero_has_no_surface() -> None:
    told: list[float] = []
    assert len(extract_surface(lambda x: torch.ones_like(x[:, :1]), 128, told.append).triangles) == 0
    assert told[-1] == 1


@pytest.mark.parametrize("outside", [float("nan"), float("inf"), 1e38])
def test_the_surface_of_what_is_no_number_far_outside_is_finite(outside: float) -> None:
    inside = ball(0.3)
    mesh = extract_surface(lambda x: torch.where(inside(x) > 0.1, outside, inside(x)), 32)
    assert mesh.volume == pytest.approx(4 / 3 * math.pi * 0.3**3, rel=0.02)
    assert len(extract_surface(lambda x: torch.full_like(x[:, :1], outside), 32).triangles) == 0


def test_a_resolution_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(InputError, match="2 to 1024 cells along a side, and 5000"):
        extract_surface(ball(0.4), 5000)


def test_the_distance_between_concentric_spheres_is_the_difference_of_their_radii() -> None:
    inner, outer = icosphere(0.30, 5, MIDDLE), icosphere(0.33, 5, MIDDLE)
    agreement = compare_surfaces(inner, outer, samples=20_000)
    assert agreement.chamfer * outer.diagonal == pytest.approx(0.03, rel=0.01)
    assert agreement.normal_consistency == pytest.approx(1, abs=1e-3)


def test_a_surface_agrees_with_itself_whichever_way_it_faces_and_in_any_units() -> None:
    mesh = icosphere(0.3, 3, MIDDLE)
    assert compare_surfaces(mesh, replace(mesh, triangles=mesh.triangles[:, ::-1])).chamfer < 1e-6
    big, bigger = icosphere(300, 3), icosphere(330, 3)
    assert compare_surfaces(big, bigger).chamfer == pytest.approx(
        compare_surfaces(icosphere(0.3, 3), icosphere(0.33, 3)).chamfer, rel=1e-3
    )


def test_chamfer_counts_what_is_missing_and_what_is_too_much_alike() -> None:
    """A box beside another: points of the one that is not there are far from all that is."""
    one = box((0, 0, 0), (0.2, 0.2, 0.2))
    other = box((0.8, 0, 0), (1, 0.2, 0.2))
    both = Mesh(np.vstack([one.vertices, other.vertices]), np.vstack([one.triangles, other.triangles + 8]))
    missing, extra = compare_surfaces(one, both), compare_surfaces(both, one)
    assert missing.chamfer * both.diagonal == pytest.approx(extra.chamfer * one.diagonal, rel=0.02)
    # half of the points of both are in the box that is missing, whose distances along x are 0.6 to 0.8
    assert missing.chamfer * both.diagonal == pytest.approx(0.7 / 2 / 2, rel=0.02)


def test_normals_of_sheets_agree_by_the_cosine_of_the_angle_between_them() -> None:
    flat = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
    tilted = flat @ np.array([[1, 0, 0], [0, math.cos(0.5), math.sin(0.5)], [0, -math.sin(0.5), math.cos(0.5)]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    agreement = compare_surfaces(Mesh(flat, triangles), Mesh(tilted, triangles[:, ::-1]), samples=1000)
    assert agreement.normal_consistency == pytest.approx(math.cos(0.5), abs=1e-6)


def test_the_iou_of_concentric_balls_is_the_ratio_of_their_volumes() -> None:
    reference = icosphere(0.4, 5, MIDDLE)
    assert iou(ball(0.35), reference) == pytest.approx((0.35 / 0.4) ** 3, abs=0.01)
    assert iou(ball(0.45), reference) == pytest.approx((0.4 / 0.45) ** 3, abs=0.01)
    assert iou(ball(0.4), reference) > 0.995
    assert iou(ball(-1), reference) == 0


def test_nothing_against_nothing_has_no_iou_and_no_distance() -> None:
    tiny = box(MIDDLE, (0.5 + 1e-6, 0.5 + 1e-6, 0.5 + 1e-6))
    with pytest.raises(InputError, match="no IoU"):
        iou(ball(-1), tiny, samples=100)
    with pytest.raises(InputError, match="without triangles"):
        compare_surfaces(extract_surface(ball(-1), 8), tiny)
