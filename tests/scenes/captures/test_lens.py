"""Distortion against OpenCV's own model, and undone so that a pinhole camera sees dots where the world has them."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldlens.render.camera import Camera, looking_at, turned_to_opencv
from fieldlens.scenes.captures.lens import Lens, Straightening

small = st.floats(-0.1, 0.1)


def opencv_projects(lens: Lens, points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Where OpenCV has points of the world in the picture of a lens without k4."""
    world_to_camera = np.linalg.inv(turned_to_opencv(pose))
    matrix = np.array([[lens.focal[0], 0, lens.centre[0]], [0, lens.focal[1], lens.centre[1]], [0, 0, 1]])
    k1, k2, k3, _ = lens.radial
    coefficients = np.array([k1, k2, *lens.tangential, k3])
    turn = cv2.Rodrigues(world_to_camera[:3, :3])[0]
    return cv2.projectPoints(points, turn, world_to_camera[:3, 3], matrix, coefficients)[0].reshape(-1, 2)


def dots(height: int, width: int, places: np.ndarray) -> np.ndarray:
    """Round spots of 3 pixels' width with their middles at pixel coordinates."""
    y, x = np.mgrid[:height, :width] + 0.5
    spots = [np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 1.5**2)) for u, v in places]
    return np.stack(spots, -1).sum(-1, keepdims=True).astype(np.float32)


def middle_near(picture: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The centre of mass within 6 pixels of a place."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
    weight = picture[..., 0] * ((x - place[0]) ** 2 + (y - place[1]) ** 2 < 36)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@given(st.tuples(small, small, small), st.tuples(small, small), st.floats(30, 90), st.floats(30, 90))
def test_the_model_is_opencvs(radial: tuple[float, ...], tangential: tuple[float, float], fx: float, fy: float) -> None:
    lens = Lens(60, 80, (fx, fy), (37.0, 31.0), (radial[0], radial[1], radial[2], 0.0), tangential)
    pose = looking_at((1.0, -4.0, 0.5), (0.0, 0.0, 0.0))
    points = np.random.default_rng(0).uniform(-1, 1, (40, 3))
    straight, _ = Camera(60, 80, lens.focal, lens.centre, pose).project(points)
    np.testing.assert_allclose(lens.distorted(straight), opencv_projects(lens, points, pose), atol=1e-6)


def test_k4_is_the_coefficient_of_the_eighth_power() -> None:
    lens = Lens(10, 10, (1.0, 1.0), (0.0, 0.0), (0.0, 0.0, 0.0, 2.0))
    np.testing.assert_allclose(lens.distorted(np.array([[0.5, 0.0]])), [[0.5 * (1 + 2 * 0.5**8), 0.0]])


@settings(max_examples=12)
@given(st.floats(-0.25, 0.25), small, st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_straightened_pictures_show_the_worlds_points_where_a_pinhole_sees_them(
    k1: float, k2: float, p1: float, p2: float
) -> None:
    lens = Lens(90, 120, (100.0, 105.0), (58.0, 47.0), (k1, k2, 0.01, 0.0), (p1, p2))
    pose = looking_at((0.0, -4.0, 1.0), (0.0, 0.0, 0.0))
    points = np.array([[-0.8, 0.3, 0.2], [0.7, 0.0, -0.5], [0.1, 0.5, 0.9], [-1.1, 0.0, -0.7]])
    picture = dots(90, 120, opencv_projects(lens, points, pose))
    straightening = Straightening(lens)
    pinhole = straightening.lens
    seen, _ = Camera(pinhole.height, pinhole.width, pinhole.focal, pinhole.centre, pose).project(points)
    straight = straightening(picture)
    assert straight.shape == (pinhole.height, pinhole.width, 1)
    assert not pinhole.distorts
    inside = (seen > 7).all(1) & (seen < [pinhole.width - 7, pinhole.height - 7]).all(1)
    assert inside.any()
    for place in seen[inside]:
        np.testing.assert_allclose(middle_near(straight, place), place, atol=0.12)


def test_a_barrel_keeps_the_frame_and_a_cushion_is_cropped_to_what_it_shows() -> None:
    barrel = Straightening(Lens(50, 80, (60.0, 60.0), (40.0, 25.0), (-0.1, 0.0, 0.0, 0.0)))
    assert not barrel.crops
    assert (barrel.lens.height, barrel.lens.width) == (50, 80)
    lens = Lens(50, 80, (60.0, 60.0), (40.0, 25.0), (0.2, 0.0, 0.0, 0.0))
    cushion = Straightening(lens)
    assert cushion.crops
    pinhole = cushion.lens
    left, top = 40 - pinhole.centre[0], 25 - pinhole.centre[1]
    corners = np.array([[0.5, 0.5], [pinhole.width - 0.5, 0.5], [0.5, pinhole.height - 0.5]])
    bent = lens.distorted(corners + np.array([left, top]))
    assert ((bent >= 0) & (bent <= [80, 50])).all()
    assert pinhole.width * pinhole.height > 0.6 * 80 * 50


def test_a_model_that_folds_back_shows_nothing_twice() -> None:
    # r (1 - r^2) is largest at r^2 = 1/3 and 0 again at 1: the corners, at r^2 = 0.5 and beyond, would show the inside
    lens = Lens(60, 60, (50.0, 50.0), (30.0, 30.0), (-1.0, 0.0, 0.0, 0.0))
    assert lens.folds_at() == pytest.approx(1 / 3)
    pinhole = Straightening(lens).lens
    assert math.hypot(pinhole.width / 2 - 0.5, pinhole.height / 2 - 0.5) / 50 < math.sqrt(1 / 3)


def test_a_lens_that_shows_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing is left"):
        Straightening(Lens(4, 4, (4.0, 4.0), (2.0, 2.0), (1e9, 0.0, 0.0, 0.0)))


def test_straightened_colours_are_never_above_alpha() -> None:
    cut_out = np.zeros((40, 40, 4), np.uint8)
    cut_out[10:30, 10:30] = [255, 200, 0, 255]
    cut_out[20:, :] = cut_out[20:, :] // 2
    straight = Straightening(Lens(40, 40, (30.0, 30.0), (20.0, 20.0), (-0.2, 0.1, 0.0, 0.0)))(cut_out)
    assert (straight[..., :3] <= straight[..., 3:]).all()
