"""The built-in 3D scenes: where they lie, how fine they are, and from where they are seen."""

import math
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fieldlens.render.camera import Camera, looking_at, perspective
from fieldlens.scenes import demos
from fieldlens.scenes.demos import ANGLE_X, CAMERA_DISTANCE, DEMOS, Demo, cameras, photographed, pixel_size, thumbnail
from fieldlens.scenes.solids.photography import Studio

each = pytest.mark.parametrize("demo", DEMOS.values(), ids=DEMOS.keys())


def camera_at(eye: tuple[float, float, float], side: int = 100) -> Camera:
    return perspective(side, side, ANGLE_X, looking_at(eye, (0.0, 0.0, 0.0)))


@each
def test_a_scene_lies_within_the_unit_sphere_and_is_seen_whole_by_every_camera(demo: Demo) -> None:
    vertices = np.concatenate([surface.vertices for surface in demo.surfaces()])
    assert 0.9 < np.linalg.norm(vertices, axis=1).max() <= 1 + 1e-9
    for camera in cameras(120):
        xy, depth = camera.project(vertices)
        assert depth.min() > 0
        assert 1 < xy.min() < xy.max() < 99


@each
def test_a_scene_has_a_name_a_description_and_a_credit(demo: Demo) -> None:
    assert DEMOS[demo.name] is demo
    assert demo.description
    assert demo.credit
    assert f"`{demo.name}`" in Path(demos.__file__).with_name("CREDITS.md").read_text(encoding="utf-8")


@each
def test_all_colours_are_shares_of_light(demo: Demo) -> None:
    for surface in demo.surfaces():
        middles = surface.vertices[surface.triangles].mean(1)
        albedo = surface.colour(middles, np.arange(len(middles)))
        assert 0 <= albedo.min() <= albedo.max() <= 1


def test_cameras_stand_all_around_at_one_distance_and_see_the_origin_in_their_middle() -> None:
    everywhere = cameras(120, side=50)
    eyes = np.array([camera.position for camera in everywhere])
    np.testing.assert_allclose(np.linalg.norm(eyes, axis=1), CAMERA_DISTANCE)
    for camera in everywhere:
        xy, depth = camera.project(np.zeros((1, 3)))
        np.testing.assert_allclose([*xy[0], *depth], [25, 25, CAMERA_DISTANCE])
    np.testing.assert_allclose(eyes.mean(0), 0, atol=0.02 * CAMERA_DISTANCE)
    nearest = np.sort(np.arccos(np.clip(eyes @ eyes.T / CAMERA_DISTANCE**2, -1, 1)), 1)[:, 1]
    even = math.sqrt(4 * math.pi / 120)  # the side of a square that is each one's share of the sphere
    assert 0.8 * even < nearest.min() < nearest.max() < 1.2 * even


def test_photographs_held_out_lie_evenly_among_the_others() -> None:
    capture = photographed(DEMOS["solids"], side=8, train=25, heldout=5)
    assert [photograph.name for photograph in capture.heldout] == [f"test/r_{i}.png" for i in range(5)]
    assert [photograph.name for photograph in capture.train] == [f"train/r_{i}.png" for i in range(25)]
    heights = [photograph.camera.position[2] for photograph in capture.heldout]
    np.testing.assert_allclose([a - b for a, b in pairwise(heights)], 2 * CAMERA_DISTANCE / 5)
    places = {tuple(photograph.camera.position) for photograph in (*capture.train, *capture.heldout)}
    assert len(places) == 30
    assert {photograph.pixels.shape for photograph in (*capture.train, *capture.heldout)} == {(8, 8, 4)}


def test_photographs_are_the_same_bytes_each_time_and_tell_how_far_they_are() -> None:
    shares: list[float] = []
    first, second = (photographed(DEMOS["lattice"], 16, 3, 1, shares.append) for _ in range(2))
    assert shares == [0.25, 0.5, 0.75, 1.0] * 2
    for one, other in zip((*first.train, *first.heldout), (*second.train, *second.heldout), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert (one.pixels[..., :3] <= one.pixels[..., 3:]).all()


def test_a_wire_of_the_lattice_is_as_thick_as_it_says() -> None:
    """What the two front wires at the sides take of a row of pixels that no other wire crosses, as seen along x."""
    assert 0.04 / pixel_size(100) == pytest.approx(1.86, abs=0.01)
    camera = camera_at((CAMERA_DISTANCE, 0.0, 0.0), side=400)
    alpha = Studio(DEMOS["lattice"].surfaces()).photograph(camera)[..., 3]
    for y in (-0.56, 0.56):
        xy, depth = camera.project(np.array([[0.56, y, 0.1]]))
        across, down = np.round(xy[0]).astype(int)
        thickness = 2 * camera.focal[0] * 0.02 / math.sqrt(depth[0] ** 2 - 0.02**2)  # 8.6 px, the next wire 4 px on
        assert alpha[down, across - 8 : across + 8].sum() == pytest.approx(thickness, abs=0.26)


def test_the_teapots_stripes_have_the_period_that_they_say() -> None:
    assert 0.12 / pixel_size(100) == pytest.approx(5.57, abs=0.01)
    (surface,) = DEMOS["teapot"].surfaces()
    angles = np.linspace(-1.4, 1.4, 4001)  # on a meridian where the wave is 0, as far from the middle as the belly
    arc = 0.55 * np.stack([np.cos(angles), 0 * angles, np.sin(angles)], 1)
    colours = surface.colour(arc, np.zeros(len(arc), np.int64))
    changes = np.flatnonzero(abs(np.diff(colours, axis=0)).sum(1) > 0.1)
    lengths = 0.55 * np.diff(angles[changes])
    np.testing.assert_allclose(lengths, 0.06, atol=1e-3)


@pytest.fixture(scope="module")
def pictures() -> dict[str, list[np.ndarray]]:
    """Six photographs of each scene."""
    studios = {name: Studio(demo.surfaces()) for name, demo in DEMOS.items()}
    return {name: [studio.photograph(camera, samples=2) for camera in cameras(6)] for name, studio in studios.items()}


def fine_share(grey: np.ndarray) -> float:
    """The share of a picture's variance that is in periods below 8 pixels."""
    energy = abs(np.fft.fft2(grey - grey.mean())) ** 2
    frequency = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) for side in grey.shape)))
    return float(energy[frequency > 1 / 8].sum() / energy.sum())


def change_within(picture: np.ndarray) -> float:
    """The mean squared difference of the colours of two pixels beside each other, both within the outline."""
    covered = picture[..., 3] == 1
    across = np.diff(picture[..., :3], axis=1)[covered[:, 1:] & covered[:, :-1]]
    down = np.diff(picture[..., :3], axis=0)[covered[1:] & covered[:-1]]
    return float(np.mean(np.concatenate([across, down]) ** 2))


def test_scenes_with_one_kind_of_detail_go_from_little_of_it_to_much(pictures: dict[str, list[np.ndarray]]) -> None:
    found = [
        np.mean([fine_share((picture[..., :3] + 1 - picture[..., 3:]).mean(2)) for picture in some])
        for name, some in pictures.items()
        if name != "crane"
    ]
    assert found == sorted(found)
    assert found[0] < 0.06
    assert found[-1] > 0.25


def test_the_crane_has_both_the_finest_textures_and_outlines_finer_than_all_but_the_lattice(
    pictures: dict[str, list[np.ndarray]],
) -> None:
    textures = {name: np.mean([change_within(picture) for picture in some]) for name, some in pictures.items()}
    outlines = {name: np.mean([fine_share(picture[..., 3]) for picture in some]) for name, some in pictures.items()}
    assert max(textures, key=textures.__getitem__) == "crane"
    assert sorted(outlines, key=outlines.__getitem__)[-2:] == ["crane", "lattice"]


@each
def test_a_thumbnail_shows_the_scene_on_white(demo: Demo) -> None:
    picture = thumbnail(demo, side=48)
    assert picture.shape == (48, 48, 3)
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
    assert 0.1 < (picture < 250).any(2).mean() < 0.8


def test_what_is_built_in_is_listed_without_waiting_for_open3d() -> None:
    script = "import sys, fieldlens.scenes.demos, fieldlens.scenes.demo_folder; print('open3d' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.stdout == "False\n", run.stderr
