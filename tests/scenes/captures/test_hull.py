"""The visual hull: nothing of the scene is ever carved, and what lies well outside is."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldlens.render.camera import looking_at, perspective
from fieldlens.scenes.captures.capture import Bounds, Photograph
from fieldlens.scenes.captures.hull import cell_centres, visual_hull
from tests.support.posed_scenes import around, box, lego_like, photographed, sphere

CUBE = Bounds((0.0, 0.0, 0.0), 3.0)


def in_cells(points: np.ndarray, bounds: Bounds, resolution: int) -> np.ndarray:
    """The cells [i, j, k] that hold points of the world."""
    return np.minimum((bounds.to_unit(points) * resolution).astype(int), resolution - 1)


inside = st.floats(-0.9, 0.9)


@settings(max_examples=15)
@given(
    st.tuples(inside, inside, inside),
    st.floats(0.08, 0.6),
    st.integers(1, 12),
    st.integers(9, 60),
    st.sampled_from([4, 9, 16, 32]),
)
def test_no_cell_that_holds_a_part_of_a_sphere_is_carved(
    centre: tuple[float, float, float], radius: float, count: int, side: int, resolution: int
) -> None:
    # some cameras see only a part of the sphere, others nothing of it
    cameras = [perspective(side, side + 7, 0.5, pose) for pose in around(count, 4.0)]
    views = [photographed(camera, sphere(centre, radius)) for camera in cameras]
    hull = visual_hull(views, CUBE, resolution)
    assert hull is not None
    # a part of the sphere that no ray through a pixel's centre meets leaves no trace: points a pixel deep count
    pixel = 2 * 6 * np.tan(0.25) / side
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    points = np.array(centre) + (radius - pixel) * directions / np.linalg.norm(directions, axis=1)[:, None]
    if radius > pixel:
        assert hull[tuple(in_cells(points, CUBE, resolution).T)].all()


@settings(max_examples=10)
@given(st.tuples(inside, inside, inside), st.tuples(inside, inside, inside))
def test_no_cell_that_holds_a_part_of_a_box_is_carved(first: tuple[float, ...], second: tuple[float, ...]) -> None:
    low = np.minimum(first, second) - 0.1
    high = np.maximum(first, second) + 0.1
    cameras = [perspective(80, 80, 0.9, pose) for pose in around(9, 4.0)]
    hull = visual_hull([photographed(camera, box(low.tolist(), high.tolist())) for camera in cameras], CUBE, 24)
    assert hull is not None
    points = low + np.random.default_rng(0).random((4000, 3)) * (high - low)
    assert hull[tuple(in_cells(points, CUBE, 24).T)].all()


def test_nearly_all_cells_well_outside_a_sphere_are_carved() -> None:
    views = lego_like(40, 100, sphere((0.2, -0.1, 0.3), 0.7))
    hull = visual_hull(views, CUBE, 32)
    assert hull is not None
    centres = CUBE.to_world(cell_centres(np.arange(32**3), 32))
    distance = np.linalg.norm(centres - [0.2, -0.1, 0.3], axis=1).reshape(hull.shape)
    assert hull[distance < 0.7].all()
    # two diagonals of a cell and the two pixels around its footprint
    assert hull[distance > 0.7 + 2 * np.sqrt(3) * 3 / 32 + 0.1].mean() < 0.02


def test_x_comes_first() -> None:
    views = lego_like(20, 60, sphere((1.0, 0.0, 0.0), 0.3))
    hull = visual_hull(views, CUBE, 16)
    assert hull is not None
    middle = np.argwhere(hull).mean(0) + 0.5
    np.testing.assert_allclose(middle, [16 * (1.0 / 3 + 0.5), 8, 8], atol=0.5)


def test_more_views_carve_more_and_their_order_does_not_matter() -> None:
    views = lego_like(10, 40)
    few, all_, turned = (visual_hull(chosen, CUBE, 20) for chosen in (views[:5], views, views[::-1]))
    assert few is not None
    assert all_ is not None
    assert not (all_ & ~few).any()
    assert few.sum() > all_.sum()
    np.testing.assert_array_equal(all_, turned)


def test_without_alpha_there_is_no_hull() -> None:
    assert visual_hull([replace(view, pixels=view.pixels[..., :3]) for view in lego_like(3)], CUBE, 8) is None


def test_cells_out_of_the_frame_and_behind_the_camera_are_kept() -> None:
    camera = perspective(50, 50, 0.5, looking_at((0.0, -0.5, 0.0), (0.0, 1.0, 0.0)))
    hull = visual_hull([Photograph("", camera, np.zeros((50, 50, 4), np.uint8))], CUBE, 30)
    assert hull is not None
    y = CUBE.to_world(cell_centres(np.arange(30**3), 30))[:, 1].reshape(hull.shape)
    assert hull[y < -0.5].all()
    assert not hull[15, -1, 15]
    assert hull[0, -1, 0]


def test_an_empty_scene_leaves_nothing() -> None:
    views = [replace(view, pixels=np.zeros_like(view.pixels)) for view in lego_like(8)]
    hull = visual_hull(views, Bounds((0.0, 0.0, 0.0), 1.0), 10)
    assert hull is not None
    assert not hull.any()
