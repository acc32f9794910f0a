"""The camera that a viewer moves: where it stands, what it looks at, and that the field is drawn from there."""

from dataclasses import replace

import numpy as np
import pytest

from fieldlens.fields.radiance import RadianceField
from fieldlens.fitting import initial_state
from fieldlens.render.colour import to_rgb
from fieldlens.scenes.load import load
from fieldlens.studies.live.asked import View
from fieldlens.studies.live.orbit import SIDES, Orbit
from fieldlens.studies.subjects.choice import spatial, subject_of
from fieldlens.studies.subjects.film import orbit_of
from fieldlens.studies.subjects.subject import Spatial
from tests.support.small_runs import small_radiance_config


@pytest.fixture(scope="module")
def scene_and_field(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spatial, RadianceField]:
    config = small_radiance_config(tmp_path_factory.mktemp("scene"))
    scene = load(config.scene, config.target, config.space)
    return spatial(subject_of(scene), "this is"), initial_state(config, scene).field


def at(**changes: float | str) -> View:
    return View(**{"azimuth": 0.0, "elevation": 0.0, "away": 1.0} | changes)  # type: ignore[arg-type]


def test_at_first_it_stands_where_an_orbit_begins(scene_and_field: tuple[Spatial, RadianceField]) -> None:
    subject, _ = scene_and_field
    orbit, first = Orbit(subject), subject.bounds.camera_to_unit(orbit_of(subject, 1)[0])
    camera = orbit.camera(at(elevation=orbit.elevation))
    np.testing.assert_allclose(camera.pose, first.pose, atol=1e-9)
    assert orbit.aspect == first.width / first.height


def test_it_goes_around_as_a_film_does(scene_and_field: tuple[Spatial, RadianceField]) -> None:
    subject, _ = scene_and_field
    orbit = Orbit(subject)
    for number, camera in enumerate(orbit_of(subject, 4)):
        moved = orbit.camera(at(azimuth=90.0 * number, elevation=orbit.elevation))
        np.testing.assert_allclose(moved.pose, subject.bounds.camera_to_unit(camera).pose, atol=1e-9)


def test_wherever_it_is_it_looks_at_the_middle_from_its_distance(
    scene_and_field: tuple[Spatial, RadianceField],
) -> None:
    subject, _ = scene_and_field
    orbit = Orbit(subject)
    near = np.linalg.norm(orbit.camera(at()).position - 0.5)
    for azimuth, elevation, away in ((0.0, 89.0, 1.0), (77.0, -60.0, 0.25), (-400.0, 12.0, 4.0)):
        camera = orbit.camera(at(azimuth=azimuth, elevation=elevation, away=away))
        to_middle = 0.5 - camera.position
        assert np.linalg.norm(to_middle) == pytest.approx(away * near)
        np.testing.assert_allclose(camera.forward, to_middle / np.linalg.norm(to_middle), atol=1e-9)
        assert camera.pose[:3, 1] @ [0.0, 0.0, 1.0] > 0, "what is up stays up"


def test_a_picture_is_what_the_field_shows_that_camera(scene_and_field: tuple[Spatial, RadianceField]) -> None:
    subject, field = scene_and_field
    orbit, view = Orbit(subject), at(azimuth=30.0, elevation=20.0)
    seen = subject.seen(field, orbit.camera(view))
    np.testing.assert_array_equal(orbit.picture(field, view), to_rgb(seen.colour))
    pictures = [orbit.picture(field, replace(view, mode=mode)) for mode in ("colour", "distance", "normals")]
    assert {max(picture.shape[:2]) for picture in pictures} == {min(SIDES["draft"], 24)}
