"""A film of a fitted scene, and the camera paths that it is taken along."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from fieldlens.configs.errors import InputError
from fieldlens.render.camera import looking_at, orbit, orbit_among, perspective
from fieldlens.render.video import read_frames
from fieldlens.scenes.captures.camera_path import CameraPath, read_camera_path, write_camera_path
from fieldlens.studies.questions.film import fly
from fieldlens.studies.questions.rendering import render
from fieldlens.studies.runs.folder import RunFolder
from tests.support.runs import small_config, small_picture
from tests.support.small_runs import fitted, small_radiance

LENS = perspective(12, 16, 0.8, np.eye(4))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A small radiance field; only its renders/ are added to."""
    return small_radiance(tmp_path_factory.mktemp("radiance"))


def test_an_orbit_goes_on_as_the_photographs_were_taken() -> None:
    taken = [LENS.at(pose) for pose in orbit(7, (1.0, 2.0, 3.0), 5.0, 0.4, (0.0, 1.0, 0.0))]
    for camera, other in zip(orbit_among(taken, (1.0, 2.0, 3.0), 7), taken, strict=True):
        np.testing.assert_allclose(camera.pose, other.pose, atol=1e-9)
        np.testing.assert_allclose(camera.focal, LENS.focal)


def test_normals_of_a_sphere_seen_from_outside_point_away_from_its_middle() -> None:
    camera = perspective(81, 81, 0.5, looking_at((3.0, -1.0, 2.0), (0.0, 0.0, 0.0)))
    rays = camera.rays()
    origins, directions = rays.origins.double().numpy(), rays.directions.double().numpy()
    along = -(origins * directions).sum(1)
    below = along**2 - (origins**2).sum(1) + 0.64
    distance = np.where(below > 0, along - np.sqrt(np.maximum(below, 0)), np.nan)
    points = origins + distance[:, None] * directions
    normals = camera.normals(distance.reshape(81, 81)).reshape(-1, 3)
    inner = below > 0.1
    assert ((normals[inner] * points[inner] / 0.8).sum(1) > 0.999).all()
    assert not normals[~(below > 0)].any()


def test_a_camera_path_comes_back_as_it_was_written(tmp_path: Path) -> None:
    cameras = [LENS.at(pose) for pose in orbit(3, radius=2.0)]
    write_camera_path(tmp_path / "path.json", CameraPath(cameras, 12.0))
    written = json.loads((tmp_path / "path.json").read_text())
    assert written["seconds"] == 0.25
    # three.js and nerfstudio have the vertical angle, in degrees
    assert written["camera_path"][0]["fov"] == pytest.approx(math.degrees(2 * math.atan(0.75 * math.tan(0.4))))
    read = read_camera_path(tmp_path / "path.json")
    assert read.fps == 12.0
    for camera, other in zip(cameras, read.cameras, strict=True):
        assert (camera.height, camera.width) == (other.height, other.width)
        np.testing.assert_allclose(camera.pose, other.pose, atol=1e-12)
        np.testing.assert_allclose(camera.focal, other.focal)


FRAME = {"camera_to_world": np.eye(4).flatten().tolist(), "fov": 50}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"camera_path": []}, "has no list of 1 to"),
        ({"camera_path": None}, "has no list of 1 to"),
        ({"camera_path": [FRAME, {"fov": 50}]}, "frame 2 of 2: 'camera_to_world' is no list of 16 numbers"),
        ({"camera_path": [FRAME | {"fov": 180}]}, "frame 1 of 1: 'fov' is 180"),
        ({"camera_path": [FRAME | {"fov": "wide"}]}, "'fov' is no number"),
        ({"camera_path": [FRAME | {"camera_to_world": [0.0] * 16}]}, "its matrix"),
        ({"render_height": 0}, "'render_height' is 0"),
        ({"render_width": 1.5}, "'render_width' is 1.5"),
        ({"camera_type": "equirectangular"}, "'equirectangular'"),
        ({"fps": 1e9}, "frames per second"),
    ],
)
def test_a_path_that_cannot_be_flown_is_refused_in_one_sentence(tmp_path: Path, change: dict, why: str) -> None:
    content = {"render_height": 8, "render_width": 8, "camera_path": [FRAME], "fps": 10} | change
    (tmp_path / "path.json").write_text(json.dumps(content))
    with pytest.raises(InputError) as caught:
        read_camera_path(tmp_path / "path.json")
    assert "path.json'" in str(caught.value)
    assert why in str(caught.value)


def test_an_orbit_is_a_video_and_its_path_flies_it_again(run: RunFolder) -> None:
    film = fly(run, frames=2, width=20)
    assert (film.frames, film.height, film.width, film.step) == (2, 20, 20, 4)
    frames = list(read_frames(film.path))
    again = fly(run, path=film.camera_path, file=run.path / "renders" / "again.mp4")
    for one, other in zip(frames, read_frames(again.path), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(frames) == 2
    assert (frames[0] != frames[1]).any()


def test_a_film_that_is_interrupted_leaves_no_file(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fieldlens.studies.subjects.photographs.screen_density", press)
    with pytest.raises(KeyboardInterrupt):
        fly(run, frames=2, width=8, file=run.path / "renders" / "never.mp4")
    assert not list((run.path / "renders").glob("*never*"))


@pytest.mark.parametrize(("choice", "why"), [({"frames": 0}, "--orbit takes"), ({"frames": 2, "width": 0}, "--width")])
def test_sizes_that_cannot_be_filmed_are_refused(run: RunFolder, choice: dict, why: str) -> None:
    with pytest.raises(InputError, match=why):
        fly(run, **choice)


def test_a_view_is_chosen_by_name_or_number(run: RunFolder) -> None:
    by_number, by_name = render(run, view="2"), render(run, view="test/r_0.png", scale=0.5)
    assert by_number.path.name == "step0000004_test_r_0.png_24x24_at_0_0.png"
    assert by_name.width == 12
    with pytest.raises(InputError, match=r"no view '3' among the 2.*"):
        render(run, view="3")


def test_pictures_are_not_flown_around(tmp_path: Path) -> None:
    run = fitted(small_config(small_picture(tmp_path / "picture.png"), tmp_path, steps=1))
    with pytest.raises(InputError, match="for 3D scenes"):
        fly(run, frames=2)
    with pytest.raises(InputError, match="for 3D scenes"):
        render(run, view="1")
    assert not list(run.path.glob("renders/*"))
