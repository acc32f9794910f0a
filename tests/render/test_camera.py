"""Cameras: conventions checked by hand, round trips for any camera."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fieldlens.render.camera import (
    STEEPEST,
    Camera,
    angle_from_focal,
    focal_from_angle,
    interpolated,
    looking_at,
    orbit,
    perspective,
    turned_to_opencv,
)

small = st.floats(-2, 2)
points = st.tuples(small, small, small)


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    """Any camera: other focal lengths on both axes, a middle off the picture's, turned and moved."""
    size = st.integers(1, 40)
    focal = st.floats(5, 80)
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(draw(points)).as_matrix()
    pose[:3, 3] = draw(points)
    height, width = draw(size), draw(size)
    centre = (draw(st.floats(0, width)), draw(st.floats(0, height)))
    return Camera(height, width, (draw(focal), draw(focal)), centre, pose)


@given(cameras(), st.floats(0.5, 10))
def test_points_on_a_pixels_ray_project_to_its_centre(camera: Camera, distance: float) -> None:
    rays = camera.rays()
    xy, depth = camera.project((rays.origins + distance * rays.directions).double().numpy())
    rows, columns = np.mgrid[: camera.height, : camera.width]
    np.testing.assert_allclose(xy, np.stack([columns.ravel(), rows.ravel()], 1) + 0.5, atol=2e-3)
    cosine = rays.directions.double().numpy() @ camera.forward
    np.testing.assert_allclose(depth, distance * cosine, rtol=1e-4)


@given(cameras())
def test_directions_have_length_one_and_origins_are_the_cameras_position(camera: Camera) -> None:
    rays = camera.rays()
    torch.testing.assert_close(rays.directions.norm(dim=1), torch.ones(camera.height * camera.width))
    np.testing.assert_allclose(rays.origins.numpy(), np.tile(camera.position, (len(rays.origins), 1)), atol=1e-6)


@given(cameras(), st.floats(0.5, 10))
def test_a_point_moved_by_its_footprint_projects_one_pixel_further_at_the_same_depth(
    camera: Camera, distance: float
) -> None:
    rays = camera.rays()
    points = rays.origins + distance * rays.directions
    xy, depth = camera.project(points.double().numpy())
    for step, pixel in zip(camera.footprint(points), ([1, 0], [0, 1]), strict=True):
        moved, its_depth = camera.project((points + step).double().numpy())
        np.testing.assert_allclose(moved - xy, np.tile(pixel, (len(xy), 1)), atol=2e-3)
        np.testing.assert_allclose(its_depth, depth, rtol=1e-4)


@given(cameras(), st.floats(0.5, 10), points)
def test_on_a_surface_the_footprint_stays_in_its_plane_and_projects_at_the_same_rate(
    camera: Camera, distance: float, normal: tuple[float, float, float]
) -> None:
    rays = camera.rays()
    at = rays.origins + distance * rays.directions
    normals = torch.tensor(normal, dtype=torch.float32).expand_as(at)
    cosine = (normals * rays.directions).sum(1).abs() / normals.norm(dim=1).clamp(min=1e-6)
    facing = (cosine > 1.1 * STEEPEST).numpy()
    # in fp64 and over a hundredth of a pixel: on the plane the picture moves evenly to first order only
    middle = at.double().numpy()
    for step, pixel in zip(camera.footprint(at, normals), ([1, 0], [0, 1]), strict=True):
        lengths = step.norm(dim=1) * normals.norm(dim=1)
        assert bool(((step * normals).sum(1).abs() <= 1e-4 * lengths + 1e-12)[torch.from_numpy(facing)].all())
        ahead, behind = (camera.project(middle + sign * 0.005 * step.double().numpy())[0] for sign in (1, -1))
        np.testing.assert_allclose((ahead - behind) / 0.01, np.tile(pixel, (len(at), 1)), atol=5e-3)


def test_a_surface_seen_from_its_side_has_a_footprint_of_bounds_and_none_of_its_own_without_a_normal() -> None:
    camera = perspective(10, 10, 0.1, np.eye(4))
    x = torch.tensor([[0.0, 0.0, -2.0]])
    pixel = 2.0 / camera.focal[0]
    for normal in ((1.0, 0.0, 0.0), (5.0, 0.0, 1e-9), (-1.0, 0.0, -0.01)):
        across, down = camera.footprint(x, torch.tensor([normal]))
        assert float(across.norm()) == pytest.approx(pixel * math.hypot(1, 1 / STEEPEST), rel=1e-3)
        assert float(down.norm()) == pytest.approx(pixel)
    for found, expected in zip(camera.footprint(x, torch.zeros(1, 3)), camera.footprint(x), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_camera_as_opengl_has_it_looks_along_minus_z_with_x_to_the_right_and_y_up() -> None:
    camera = perspective(2, 2, math.pi / 2, np.eye(4))
    left_top, right_top, left_bottom, right_bottom = camera.rays().directions * math.sqrt(1.5)
    assert left_top.tolist() == pytest.approx([-0.5, 0.5, -1.0])
    assert right_top.tolist() == pytest.approx([0.5, 0.5, -1.0])
    assert left_bottom.tolist() == pytest.approx([-0.5, -0.5, -1.0])
    assert right_bottom.tolist() == pytest.approx([0.5, -0.5, -1.0])


@given(cameras(), points)
def test_opencvs_axes_see_a_point_where_opencv_projects_it(camera: Camera, point: tuple[float, float, float]) -> None:
    world_to_camera = np.linalg.inv(turned_to_opencv(camera.pose))
    x, y, z = world_to_camera[:3] @ np.array([*point, 1.0])
    xy, depth = camera.project(np.array([point]))
    assert depth[0] == pytest.approx(z, abs=1e-9)
    if z > 0.1:
        (fx, fy), (cx, cy) = camera.focal, camera.centre
        assert xy[0] == pytest.approx([fx * x / z + cx, fy * y / z + cy], abs=1e-6)


@given(cameras())
def test_turning_to_opencv_and_back_changes_nothing(camera: Camera) -> None:
    np.testing.assert_array_equal(turned_to_opencv(turned_to_opencv(camera.pose)), camera.pose)
    assert np.linalg.det(turned_to_opencv(camera.pose)[:3, :3]) == pytest.approx(1)


@given(st.floats(0.01, 3.0), st.integers(1, 4000))
def test_focal_length_and_angle_are_inverse(angle: float, pixels: int) -> None:
    assert angle_from_focal(focal_from_angle(angle, pixels), pixels) == pytest.approx(angle)


@given(cameras(), st.integers(1, 60), st.integers(1, 60))
def test_a_resized_camera_sees_the_same_at_the_same_share_of_its_picture(
    camera: Camera, height: int, width: int
) -> None:
    shares = torch.rand(5, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    other = camera.resized(height, width)
    before = camera.rays(shares * torch.tensor([camera.width, camera.height]))
    after = other.rays(shares * torch.tensor([width, height]))
    torch.testing.assert_close(before.directions, after.directions)


@given(points, points)
def test_a_camera_that_looks_at_a_point_has_it_in_its_middle(
    eye: tuple[float, float, float], target: tuple[float, float, float]
) -> None:
    distance = math.dist(eye, target)
    if distance < 0.01:
        return
    camera = perspective(10, 20, 1.0, looking_at(eye, target))
    xy, depth = camera.project(np.array([target]))
    np.testing.assert_allclose(xy, [[10, 5]], atol=1e-6)
    assert depth[0] == pytest.approx(distance)
    np.testing.assert_allclose(camera.pose[:3, :3] @ camera.pose[:3, :3].T, np.eye(3), atol=1e-9)
    assert np.linalg.det(camera.pose[:3, :3]) == pytest.approx(1)


def test_up_is_upwards_and_a_camera_that_looks_along_it_is_right_handed_all_the_same() -> None:
    assert looking_at((3, 0, 1), (0, 0, 0))[2, 1] > 0.9
    straight_down = looking_at((0, 0, 2), (0, 0, 0))
    assert np.linalg.det(straight_down[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(-straight_down[:3, 2], [0, 0, -1])


def test_no_camera_looks_at_where_it_stands() -> None:
    with pytest.raises(ValueError, match="stands"):
        looking_at((1, 2, 3), (1, 2, 3))


@given(points, st.floats(0.5, 5), st.floats(-1.4, 1.4), st.integers(3, 12))
def test_an_orbit_stays_at_its_radius_and_elevation_and_goes_evenly_around(
    centre: tuple[float, float, float], radius: float, elevation: float, count: int
) -> None:
    poses = orbit(count, centre, radius, elevation, up=(0, 1, 0))
    eyes = np.array([pose[:3, 3] for pose in poses]) - np.array(centre)
    np.testing.assert_allclose(np.linalg.norm(eyes, axis=1), radius)
    np.testing.assert_allclose(eyes[:, 1], radius * math.sin(elevation), atol=1e-9)
    steps = np.linalg.norm(eyes - np.roll(eyes, 1, 0), axis=1)
    np.testing.assert_allclose(steps, steps[0])
    for pose in poses:
        _, depth = perspective(4, 4, 1.0, pose).project(np.array([centre]))
        assert depth[0] == pytest.approx(radius)


def test_an_interpolated_path_goes_through_its_poses_and_stays_rigid() -> None:
    poses = orbit(5, radius=2.0)
    path = interpolated(poses, 17)  # every fourth is a given one
    for given_pose, reached in zip(poses, path[::4], strict=True):
        np.testing.assert_allclose(reached, given_pose, atol=1e-9)
    for pose in path:
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)
        np.testing.assert_array_equal(pose[3], [0, 0, 0, 1])


def test_a_path_needs_two_poses() -> None:
    with pytest.raises(ValueError, match="two poses"):
        interpolated(orbit(1), 5)
