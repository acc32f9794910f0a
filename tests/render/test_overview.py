"""The picture of cameras around a scene."""

import math

import numpy as np
import pytest

from fieldlens.render.camera import Camera, looking_at, orbit, perspective
from fieldlens.render.overview import HELDOUT_COLOUR, TRAIN_COLOUR, cameras_overview
from fieldlens.render.text import BACKGROUND
from fieldlens.scenes.captures.bounds import scene_bounds
from fieldlens.scenes.captures.capture import Capture, overview
from tests.support.posed_scenes import lego_like, opaque

CENTRE = (0.0, 0.0, 0.0)
LENS = perspective(60, 80, 0.8, np.eye(4))


def ring(count: int, elevation: float = 0.3) -> list[Camera]:
    return [LENS.at(pose) for pose in orbit(count, radius=4.0, elevation=elevation)]


def painted(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Which pixels have a colour's hue, over the ground, at whatever opacity."""
    direction = np.array(colour, float) - BACKGROUND
    away = image.astype(float) - BACKGROUND
    along = away @ direction / (direction @ direction)
    across = np.linalg.norm(away - along[..., None] * direction, axis=-1)
    return (along > 0.1) & (across < 0.1 * along * np.linalg.norm(direction) + 1)


def strength(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int(painted(image, colour).sum())


def test_training_and_held_out_cameras_have_colours_of_their_own() -> None:
    few, more = (cameras_overview(ring(count), [], CENTRE, 2.0) for count in (3, 9))
    both = cameras_overview(ring(9), ring(5, 0.8), CENTRE, 2.0)
    assert strength(more, TRAIN_COLOUR) > 1.5 * strength(few, TRAIN_COLOUR)
    assert strength(more[:-40], HELDOUT_COLOUR) == 0
    assert strength(both[:-40], HELDOUT_COLOUR) > 500


def test_in_another_unit_the_picture_is_the_same_but_for_its_words() -> None:
    metres = cameras_overview(ring(7), [], CENTRE, 2.0)
    moved = []
    for camera in ring(7):
        pose = camera.pose.copy()
        pose[:3, 3] = 1000 * pose[:3, 3] + [3e4, 0, -1e4]
        moved.append(camera.at(pose))
    millimetres = cameras_overview(moved, [], (3e4, 0.0, -1e4), 2000.0)
    assert metres.shape == millimetres.shape
    drawn = slice(60, len(metres) - 90)
    assert (np.abs(metres[drawn].astype(int) - millimetres[drawn]).max(-1) > 30).mean() < 1e-3


def test_all_cameras_are_in_the_frame() -> None:
    cameras = [LENS.at(looking_at(4 * np.array(eye), CENTRE)) for eye in (*np.eye(3), *-np.eye(3))]
    image = cameras_overview(cameras, [], CENTRE, 1.0)
    for view in (image[50:-90, 18:578], image[50:-90, 596:1156]):  # two of 560 pixels
        frame = np.concatenate([view[:2].ravel(), view[-2:].ravel(), view[:, :2].ravel(), view[:, -2:].ravel()])
        assert (frame.reshape(-1, 3) == BACKGROUND).all()
        assert strength(view, TRAIN_COLOUR) > 500


def test_from_above_a_camera_on_the_x_axis_is_to_the_right_and_one_on_the_y_axis_above() -> None:
    for eye, towards in (((4.0, 0.0, 0.0), (0, 1)), ((0.0, 4.0, 0.0), (-1, 0))):
        image = cameras_overview([LENS.at(looking_at(eye, CENTRE))], [], CENTRE, 0.5)
        top = image[:-50, 596:1156]  # without the legend
        camera = np.argwhere(painted(top, TRAIN_COLOUR)).mean(0)
        cube = np.argwhere((top.astype(int) - BACKGROUND == np.array([15, 15, 15])).all(-1)).mean(0)
        assert (camera - cube) @ towards > 100
        assert abs((camera - cube) @ np.array(towards[::-1])) < 20


@pytest.mark.parametrize("count", [1, 2, 700])
def test_any_number_of_cameras_can_be_drawn(count: int) -> None:
    image = cameras_overview(ring(count), ring(1), CENTRE, 2.0)
    assert strength(image, TRAIN_COLOUR) > 100


def test_cameras_in_one_place_and_upside_down_can_be_drawn() -> None:
    pose = looking_at((4.0, 0.0, 0.0), CENTRE, up=(0.0, 0.0, -1.0))
    image = cameras_overview([LENS.at(pose)] * 3, [], CENTRE, 2.0)
    assert strength(image, TRAIN_COLOUR) > 100


def test_an_overview_of_a_capture_shows_some_of_its_photographs() -> None:
    for views in (lego_like(9, 30), opaque(lego_like(9, 30))):
        bounds, _ = scene_bounds(views)
        image = overview(Capture("scene", views[1:], views[:1], bounds))
        red = (image == views[0].pixels.reshape(-1, views[0].pixels.shape[2])[:, :3].max(0)).all(-1)
        assert red[-240:].sum() > 5 * math.pi * 40**2
        assert red[:-240].sum() == 0
