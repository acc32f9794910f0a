"""Photographs of surfaces against closed forms: where rays meet, how much of a pixel is covered, and light."""

import math

import numpy as np
import pytest

from fieldlens.render.camera import Camera, looking_at, perspective
from fieldlens.scenes.solids import photography
from fieldlens.scenes.solids.photography import Studio
from fieldlens.scenes.solids.surfaces import Surface, box, sphere, uniform

WHITE = uniform(1.0, 1.0, 1.0)
CENTRE, RADIUS = np.array([0.1, -0.2, 0.3]), 0.7


@pytest.fixture(scope="module")
def ball() -> Studio:
    return Studio([sphere(CENTRE, RADIUS, WHITE, rings=256)])


def at(eye: tuple[float, float, float], target: tuple[float, float, float] = (0.0, 0.0, 0.0), side: int = 40) -> Camera:
    return perspective(side, side, 0.6, looking_at(eye, target))


def seen_by_formula(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the sphere along the pixels' rays, infinite beside it, and how near its centre each ray comes."""
    origins, directions = (part.double().numpy() for part in camera.rays())
    along = np.einsum("nc,nc->n", CENTRE - origins, directions)
    aside = np.linalg.norm(CENTRE - origins - along[:, None] * directions, axis=1)
    with np.errstate(invalid="ignore"):
        distance = along - np.sqrt(RADIUS**2 - aside**2)
    size = camera.height, camera.width
    return np.where(np.isnan(distance), np.inf, distance).reshape(size), aside.reshape(size)


@pytest.mark.parametrize("eye", [(3.0, 1.0, 2.0), (-1.0, -3.0, -2.0), (0.0, 0.0, 4.0)])
def test_distance_normal_and_mask_of_a_sphere_are_those_of_its_formula(
    ball: Studio, eye: tuple[float, float, float]
) -> None:
    camera = at(eye)
    truth = ball.ground_truth(camera)
    distance, aside = seen_by_formula(camera)
    clear = abs(aside - RADIUS) > 1e-3  # of the outline, where the triangles' is another one
    np.testing.assert_array_equal(truth.mask[clear], np.isfinite(distance)[clear])
    inner = aside < 0.95 * RADIUS
    assert inner.sum() > 100
    np.testing.assert_allclose(truth.distance[inner], distance[inner], atol=5e-4)
    origins, directions = (part.double().numpy().reshape(40, 40, 3) for part in camera.rays())
    points = origins + truth.distance[..., None] * directions
    np.testing.assert_allclose(truth.normals[inner], (points[inner] - CENTRE) / RADIUS, atol=2e-3)
    assert np.isinf(truth.distance[~truth.mask]).all()
    assert (truth.normals[~truth.mask] == 0).all()


def test_the_silhouette_of_a_sphere_has_the_area_of_its_cone_of_view(ball: Studio) -> None:
    camera = perspective(60, 60, 0.6, looking_at(CENTRE - np.array([0.0, 3.0, 0.0]), CENTRE))
    radius = camera.focal[0] * math.tan(math.asin(RADIUS / 3))  # in pixels, of a circle in the picture's middle
    alpha = ball.photograph(camera, samples=4)[..., 3]
    assert alpha.sum() == pytest.approx(math.pi * radius**2, rel=1e-3)


def test_a_pixel_that_is_covered_by_three_quarters_has_that_alpha_and_premultiplied_colours() -> None:
    """The left edge of a wall 2 away, 10.25 pixels from the picture's left."""
    camera = perspective(40, 40, math.pi / 2, looking_at((0.0, 0.0, 2.0), (0.0, 0.0, 0.0), up=(0.0, 1.0, 0.0)))
    left = (10.25 - 20) / camera.focal[0] * 2
    wall = box((left + 5, 0.0, -0.5), (10.0, 10.0, 1.0), uniform(0.5, 1.0, 0.0))
    picture = Studio([wall]).photograph(camera)
    np.testing.assert_array_equal(picture[:, :10], 0)
    np.testing.assert_array_equal(picture[:, 10, 3], 0.75)
    np.testing.assert_array_equal(picture[:, 11:, 3], 1)
    np.testing.assert_allclose(picture[:, 10], 0.75 * picture[:, 11], rtol=1e-6)


def test_what_lies_at_x_is_right_and_what_lies_at_y_is_up_for_a_camera_that_looks_along_minus_z() -> None:
    red, green = uniform(1.0, 0.0, 0.0), uniform(0.0, 1.0, 0.0)
    studio = Studio([sphere((0.6, 0.0, 0.0), 0.2, red), sphere((0.0, 0.6, 0.0), 0.2, green)])
    pose = np.eye(4)
    pose[2, 3] = 4.0
    picture = studio.photograph(perspective(40, 40, 0.6, pose))
    rows, columns = np.mgrid[:40, :40] + 0.5
    for channel, (x, y) in enumerate([(0.6, 0.0), (0.0, 0.6)]):
        weight = picture[..., channel] / picture[..., channel].sum()
        ((across, down),), _ = perspective(40, 40, 0.6, pose).project(np.array([[x, y, 0.0]]))
        assert (weight * columns).sum() == pytest.approx(across, abs=0.6)  # light weighs the lit side more
        assert (weight * rows).sum() == pytest.approx(down, abs=0.6)


def test_a_face_shows_its_albedo_times_the_light_that_its_normal_gets() -> None:
    albedo = np.array([0.2, 0.5, 0.8])
    studio = Studio([box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), uniform(*albedo))])
    up, front, right, below = (0.48 + 0.2 + 0.34 * 0.64, 0.48 + 0.1 + 0.34 * 0.6, 0.48 + 0.1 + 0.34 * 0.48, 0.48)
    for eye, light in [((0, 0, 4), up), ((0, -4, 0), front), ((4, 0, 0), right), ((0, 0, -4), below)]:
        np.testing.assert_allclose(studio.photograph(at(eye))[20, 20], [*albedo * light, 1], rtol=1e-6)


def test_no_normal_gets_more_light_than_white_shows() -> None:
    numbers = np.random.default_rng(0).standard_normal((10_000, 3))
    light = photography._light(numbers / np.linalg.norm(numbers, axis=1, keepdims=True))
    assert 0.4 < light.min() < light.max() <= 1


def test_a_point_looks_the_same_from_everywhere(ball: Studio) -> None:
    """Light does not depend on the view: a field without directions can show it."""
    point = CENTRE + RADIUS * np.array([0.6, 0.0, 0.8])
    seen = [
        ball.photograph(perspective(1, 1, 1e-3, looking_at(eye, point)))[0, 0]
        for eye in [(3.0, 0.0, 4.0), (1.0, 2.0, 5.0), (4.0, -1.0, 2.0)]
    ]
    np.testing.assert_allclose(seen, [seen[0]] * 3, atol=1e-3)


def test_an_open_mesh_is_seen_from_both_sides_with_its_normal_on_the_side_that_is_seen() -> None:
    vertices = np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 2.0, 0.0]])
    sheet = Studio([Surface(vertices, np.array([[0, 1, 2]]), None, WHITE)])
    for z in (4.0, -4.0):
        truth = sheet.ground_truth(at((0.0, 0.0, z)))
        assert truth.distance[20, 20] == pytest.approx(4.0, rel=1e-3)
        assert truth.normals[20, 20].tolist() == [0, 0, math.copysign(1, z)]
        assert sheet.photograph(at((0.0, 0.0, z)))[20, 20, 3] == 1


def test_the_nearest_surface_is_seen_in_its_own_colour() -> None:
    near = sphere((0.0, 0.0, 1.0), 0.3, uniform(0.0, 0.0, 1.0))
    studio = Studio([box((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), uniform(1.0, 0.0, 0.0)), near])
    assert (studio.photograph(at((0.0, 0.0, 4.0)))[20, 20] > 0).tolist() == [False, False, True, True]
    assert (studio.photograph(at((0.0, 0.0, -4.0)))[20, 20] > 0).tolist() == [True, False, False, True]


def test_a_picture_drawn_in_strips_is_the_same(ball: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = at((3.0, 1.0, 2.0), side=20)
    whole = ball.photograph(camera)
    monkeypatch.setattr(photography, "_RAYS_AT_ONCE", 3 * 20 * 16)  # three rows at once, and two are left over
    np.testing.assert_array_equal(ball.photograph(camera), whole)
    assert 0 < whole[..., :3].max() <= 1
    assert (whole[..., :3] <= whole[..., 3:]).all()


def test_a_camera_that_looks_away_sees_nothing(ball: Studio) -> None:
    camera = at((0.0, 0.0, 4.0), target=(0.0, 0.0, 9.0))
    assert not ball.ground_truth(camera).mask.any()
    assert (ball.photograph(camera) == 0).all()
