"""Surfaces of demo scenes: closed, the right way round, as large as their formulas say; patterns at points."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fieldlens.scenes.solids.surfaces import (
    Surface,
    alternating,
    box,
    cone,
    joined,
    latitude,
    longitude,
    sphere,
    torus,
    turned,
    uniform,
)

GREY = uniform(0.5, 0.5, 0.5)

SOLIDS = {
    "sphere": (sphere((0.3, -0.2, 0.1), 0.5, GREY), 4 / 3 * math.pi * 0.5**3),
    "torus": (torus((0.1, 0.0, 0.2), (1.0, 2.0, -1.0), 0.7, 0.2, GREY), 2 * math.pi**2 * 0.7 * 0.2**2),
    "cone": (cone((0.0, 0.1, 0.0), (0.0, 0.1, -0.9), 0.4, 0.0, GREY), math.pi * 0.4**2 * 0.9 / 3),
    "frustum": (
        cone((0.5, 0.0, 0.0), (0.5, 0.6, 0.8), 0.2, 0.3, GREY),
        math.pi / 3 * (0.2**2 + 0.2 * 0.3 + 0.3**2),
    ),
    "wire": (cone((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 0.05, 0.05, GREY), math.pi * 0.05**2),
    "box": (box((0.1, 0.2, 0.3), (0.2, 0.3, 0.4), GREY), 0.2 * 0.3 * 0.4),
}


def corners(surface: Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, c = np.moveaxis(surface.vertices[surface.triangles], 1, 0)
    return a, b, c


def volume(surface: Surface) -> float:
    """By the divergence theorem; positive where triangles run anticlockwise as seen from outside."""
    a, b, c = corners(surface)
    return float((a * np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_is_as_large_as_its_formula_says_and_faces_outwards(name: str) -> None:
    surface, expected = SOLIDS[name]
    assert volume(surface) == pytest.approx(expected, rel=3e-3)  # what is cut off by flat triangles


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_is_closed(name: str) -> None:
    surface, _ = SOLIDS[name]
    _, point = np.unique(surface.vertices.round(9), axis=0, return_inverse=True)
    a, b, c = point[surface.triangles].T
    edges = np.concatenate([np.stack(pair, 1) for pair in ((a, b), (b, c), (c, a))])
    there, back = ({tuple(edge) for edge in way} for way in (edges, edges[:, ::-1]))
    assert there == back
    assert len(there) == len(edges)


@pytest.mark.parametrize("name", [name for name in SOLIDS if name != "box"])
def test_normals_have_length_one_and_lean_as_their_triangles_do(name: str) -> None:
    surface, _ = SOLIDS[name]
    assert surface.normals is not None
    np.testing.assert_allclose(np.linalg.norm(surface.normals, axis=1), 1)
    a, b, c = corners(surface)
    flat = np.cross(b - a, c - a)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    cosines = np.einsum("tvc,tc->tv", surface.normals[surface.triangles], flat)
    assert cosines.min() > math.cos(math.radians(4))


def test_vertices_lie_on_the_sphere_and_their_normals_point_away_from_its_centre() -> None:
    centre = np.array([0.3, -0.2, 0.1])
    surface = sphere(centre, 0.5, GREY, rings=8)
    assert surface.normals is not None
    np.testing.assert_allclose(surface.vertices, centre + 0.5 * surface.normals, atol=1e-12)


def test_a_torus_lies_about_its_axis() -> None:
    axis = np.array([1.0, 2.0, -1.0]) / math.sqrt(6)
    surface = torus((0.1, 0.0, 0.2), axis, 0.7, 0.2, GREY, rings=8)
    away = surface.vertices - np.array([0.1, 0.0, 0.2])
    height = away @ axis
    level = np.linalg.norm(away - height[:, None] * axis, axis=1)
    np.testing.assert_allclose(np.hypot(level - 0.7, height), 0.2)


def test_joined_surfaces_hold_what_each_holds_and_a_turn_changes_no_volume() -> None:
    (first, one), (second, two) = SOLIDS["sphere"], SOLIDS["torus"]
    both = turned(joined([first, second]), Rotation.from_rotvec([0.3, 0.2, -0.5]))
    assert volume(both) == pytest.approx(one + two, rel=3e-3)
    assert both.normals is not None
    np.testing.assert_allclose(np.linalg.norm(both.normals, axis=1), 1)


def test_checks_alternate_along_both_phases() -> None:
    checks = alternating(lambda points: points[:, :2], uniform(0, 0, 0), uniform(1, 1, 1))
    x, y = (axis.ravel() for axis in np.meshgrid([-0.9, -0.4, 0.1, 0.6, 1.1], [0.2, 0.7]))
    points = np.stack([x, y, 0 * x], 1)
    shown = checks(points, np.zeros(len(points), np.int64))[:, 0].reshape(2, 5)
    np.testing.assert_array_equal(shown, [[0, 1, 0, 1, 0], [1, 0, 1, 0, 1]])


def test_longitude_runs_from_x_to_y_and_latitude_from_the_equator_up() -> None:
    points = np.array([[2.0, 0.0, 0.0], [0.0, 3.0, 3.0], [-1.0, 0.0, -1.0], [0.0, 0.0, 5.0]])
    np.testing.assert_allclose(longitude(points)[:3], [0, math.pi / 2, math.pi])
    np.testing.assert_allclose(latitude(points), [0, math.pi / 4, -math.pi / 4, math.pi / 2])
