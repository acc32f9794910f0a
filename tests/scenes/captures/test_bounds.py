"""Bounds of scenes: what they hold, that they have no unit, and who looks away."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import looking_at, perspective
from fieldlens.scenes.captures.bounds import cameras_bounds, scene_bounds
from fieldlens.scenes.captures.capture import Bounds, Photograph
from tests.support.posed_scenes import around, box, lego_like, opaque, photographed, sphere


def moved(photographs: list[Photograph], scale: float, shift: np.ndarray) -> list[Photograph]:
    """The photographs of the same scene in another unit and from another origin."""
    result = []
    for photograph in photographs:
        pose = photograph.camera.pose.copy()
        pose[:3, 3] = scale * pose[:3, 3] + shift
        result.append(replace(photograph, camera=photograph.camera.at(pose)))
    return result


def holds(bounds: Bounds, low: tuple[float, ...], high: tuple[float, ...]) -> bool:
    corners = bounds.to_unit(np.array([low, high]))
    return bool((corners >= 0).all() and (corners <= 1).all())


def test_the_cube_of_nerfs_synthetic_cameras_holds_what_their_scenes_are_made_of() -> None:
    bounds, notes = cameras_bounds(opaque(lego_like(60, 10)))
    assert holds(bounds, (-1.5,) * 3, (1.5,) * 3)
    assert bounds.side < 4.5
    assert notes == ()
    np.testing.assert_allclose(bounds.centre, 0, atol=1e-9)


def test_silhouettes_tighten_the_cube_around_what_they_show() -> None:
    views = lego_like(40, 64, box((0.2, -0.5, -0.3), (0.8, 0.4, 0.1)))
    bounds, notes = scene_bounds(views)
    assert holds(bounds, (0.2, -0.5, -0.3), (0.8, 0.4, 0.1))
    assert bounds.side < 1.5  # of a box 0.9 long, in pixels of 0.045
    assert "silhouettes" in notes[-1]
    np.testing.assert_allclose(bounds.centre, (0.5, -0.05, -0.1), atol=0.15)


def test_silhouettes_that_leave_all_or_nothing_leave_the_cube_of_the_cameras() -> None:
    views = lego_like(20, 20)
    for pixels in (np.full((20, 20, 4), 255, np.uint8), np.zeros((20, 20, 4), np.uint8)):
        shown = [replace(view, pixels=pixels) for view in views]
        assert scene_bounds(shown) == cameras_bounds(shown)


@settings(max_examples=20)
@given(st.floats(-6, 6), st.tuples(*[st.floats(-3, 3)] * 3))
def test_in_any_unit_and_from_any_origin_the_cameras_cube_is_the_same(
    exponent: float, shift: tuple[float, ...]
) -> None:
    views, scale = opaque(lego_like(12, 8)), 10**exponent
    before, _ = cameras_bounds(views)
    after, _ = cameras_bounds(moved(views, scale, scale * np.array(shift)))
    assert after.side == pytest.approx(scale * before.side, rel=1e-6)
    np.testing.assert_allclose(np.array(after.centre) / scale - shift, before.centre, atol=1e-6)


def read_as(views: list[Photograph], change: Callable[[np.ndarray], np.ndarray]) -> list[Photograph]:
    return [replace(view, camera=view.camera.at(change(view.camera.pose))) for view in views]


OPENCV = np.diag([1.0, -1.0, -1.0, 1.0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (np.linalg.inv, "world-to-camera matrices, they would all look at one place: invert them, since"),
        (lambda pose: pose @ OPENCV, "matrices with OpenCV's axes .*: negate their 2nd and 3rd columns"),
        (lambda pose: np.linalg.inv(pose @ OPENCV), "with OpenCV's axes .*: invert them, then negate"),
    ],
)
@pytest.mark.parametrize("wander", [0.0, 0.2])
def test_matrices_of_another_convention_are_refused_with_the_one_that_makes_sense(
    change: Callable[[np.ndarray], np.ndarray], sentence: str, wander: float
) -> None:
    generator = np.random.default_rng(0)
    poses = [
        looking_at(pose[:3, 3] * generator.uniform(1 - wander, 1 + wander), generator.normal(0, wander, 3))
        for pose in around(12, 4.0)
    ]
    views = opaque([photographed(perspective(8, 8, 0.7, pose), sphere((0, 0, 0), 1)) for pose in poses])
    assert cameras_bounds(views)[1] == ()
    with pytest.raises(InputError, match=sentence):
        cameras_bounds(read_as(views, change))


def test_few_cameras_that_make_more_sense_inverted_are_doubted_and_not_refused() -> None:
    generator = np.random.default_rng(0)
    poses = [
        looking_at(4 * generator.uniform(0.8, 1.3) * pose[:3, 3], generator.normal(0, 0.2, 3))
        for pose in around(5, 1.0)
    ]
    views = opaque([photographed(perspective(8, 8, 0.7, pose), sphere((0, 0, 0), 1)) for pose in poses])
    (note,) = cameras_bounds(read_as(views, np.linalg.inv))[1]
    assert "the 5 cameras do not look at one place; read as world-to-camera matrices, they would" in note


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_that_looks_here_and_there_is_not_taken_for_another_convention(seed: int) -> None:
    generator, place, turn = np.random.default_rng(seed), np.zeros(3), 0.0
    views = []
    for _ in range(20):
        place, turn = place + generator.normal(0, (0.5, 0.5, 0.05)), turn + generator.normal(0, 0.4)
        pose = looking_at(place, place + np.array([math.cos(turn), math.sin(turn), generator.normal(0, 0.2)]))
        views.append(photographed(perspective(8, 8, 0.7, pose), sphere((0, 0, 0), 1)))
    try:
        notes = cameras_bounds(opaque(views))[1]
    except InputError as problem:
        notes = (str(problem),)
    assert not any("read as" in note for note in notes)


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_in_kilometres_and_millimetres_the_cube_of_silhouettes_is_the_same(scale: float) -> None:
    views = lego_like(6, 16)
    before, after = scene_bounds(views)[0], scene_bounds(moved(views, scale, np.zeros(3)))[0]
    assert after.side == pytest.approx(scale * before.side, rel=1e-6)
    np.testing.assert_allclose(np.array(after.centre) / scale, before.centre, atol=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_turned_with_the_world_the_cameras_cube_turns_too(seed: int) -> None:
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    views = opaque(moved(lego_like(9, 8), 1.0, np.array([1.0, 2.0, 3.0])))
    turned = []
    for view in views:
        pose = view.camera.pose.copy()
        pose[:3] = turn @ pose[:3]
        turned.append(replace(view, camera=view.camera.at(pose)))
    before, after = cameras_bounds(views)[0], cameras_bounds(turned)[0]
    np.testing.assert_allclose(after.centre, turn @ np.array(before.centre), atol=1e-9)
    assert after.side == pytest.approx(before.side)


def test_cameras_that_look_away_are_refused_with_the_first_of_them() -> None:
    views = opaque(lego_like(9, 8))
    backwards = [
        replace(view, camera=view.camera.at(view.camera.pose * np.array([-1.0, 1.0, -1.0, 1.0]))) for view in views
    ]
    with pytest.raises(InputError, match=r"9 of 9 cameras look away .* that of r_0\.png;"):
        cameras_bounds(backwards)
    bounds, notes = cameras_bounds([*views[:6], *backwards[6:]])
    assert "3 of 9 cameras look away from where their axes come nearest to each other, the first" in notes[0]
    np.testing.assert_allclose(bounds.centre, 0, atol=1e-9)


def test_cameras_that_only_turn_are_refused() -> None:
    camera = perspective(8, 8, 0.7, np.eye(4))
    targets = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    views = [photographed(camera.at(looking_at((0, 0, 0), target)), sphere((0, 0, 0), 1)) for target in targets]
    with pytest.raises(InputError, match=r"all 3 cameras stand in one place, as picture\.png does"):
        scene_bounds(views)


def test_cameras_side_by_side_get_a_cube_in_front_of_them_and_a_word_about_it() -> None:
    camera = perspective(10, 10, 1.0, np.eye(4))
    poses = [looking_at((x, y, 0.0), (x, y, -1.0)) for x in (-1.0, 1.0) for y in (-1.0, 1.0)]
    views = opaque([photographed(camera.at(pose), sphere((0, 0, -5), 1)) for pose in poses])
    bounds, notes = cameras_bounds(views)
    assert bounds.centre == pytest.approx((0, 0, -4 * math.sqrt(2)))
    assert len(notes) == 1
    assert "look the same way" in notes[0]


def test_two_cameras_that_face_each_other_have_the_scene_between_them() -> None:
    camera = perspective(10, 10, 0.5, np.eye(4))
    poses = [looking_at((x, 0.0, 0.0), (0.0, 0.0, 0.0)) for x in (-3.0, 3.0)]
    bounds, notes = cameras_bounds([photographed(camera.at(pose), sphere((0, 0, 0), 1)) for pose in poses])
    assert bounds.centre == pytest.approx((0, 0, 0), abs=1e-9)
    assert notes == ()


def test_a_single_stray_camera_changes_the_cube_little() -> None:
    views = opaque([photographed(perspective(8, 8, 0.7, pose), sphere((0, 0, 0), 1)) for pose in around(30, 4.0)])
    stray = views[0].camera.at(looking_at((50.0, 0.0, 0.0), (50.0, 1.0, 0.3)))
    before, after = cameras_bounds(views)[0], cameras_bounds([*views, replace(views[0], camera=stray)])[0]
    assert np.linalg.norm(np.array(after.centre) - before.centre) < 0.02 * before.side
    assert after.side == pytest.approx(before.side, rel=0.02)
